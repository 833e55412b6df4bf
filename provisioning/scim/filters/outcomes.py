"""What became of a person, as our own extension tells it: from the tables of the employee."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from provisioning.scim.filters.attributes import Attribute, Kind
from provisioning.scim.filters.comparing import Condition, Operand
from provisioning.scim.filters.dialects import bytewise
from provisioning.scim.filters.lists import VALUE, Entry, PartsEntry, ValueList
from provisioning.scim.rendering import NOBODY
from provisioning.storage.models.accounts import BindingRecord, IdentityRecord, InvitationRecord
from provisioning.storage.models.effects import FindingRecord
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.scim import ScimUserRecord

_BINDING, _IDENTITY, _LETTER = BindingRecord, IdentityRecord, InvitationRecord


def outcome(name: str) -> Operand | ValueList | None:
    """Return a fact of our extension by its name in lower case; None if there is none."""
    if name == "findings":
        return Findings()
    made = _OUTCOMES.get(name)
    return made() if made else None


@dataclass(frozen=True, slots=True)
class Findings:
    """`findings`: the kinds of the open ones about the employee."""

    name: str = "findings"

    def any(self, condition: Callable[[Entry], Condition]) -> Condition:
        """Whether the condition holds for an open finding."""
        kind = Operand(Attribute(name=self.name, case_exact=True), bytewise(FindingRecord.kind))
        return _open().where(condition(PartsEntry(self.name, {VALUE: kind}))).exists()

    def there(self) -> Condition:
        """Whether there is an open finding."""
        return _open().exists()

    def hint(self, _value: str) -> Condition | None:
        """An employee has few findings."""
        return None


def _open() -> Select[int]:
    finding = FindingRecord
    return (
        select(literal(1))
        .where(finding.employee_id == ScimUserRecord.employee_id, finding.closed_at.is_(None))
        .correlate(ScimUserRecord)
    )


def _text(column: InstrumentedAttribute[Any], name: str) -> Operand:
    """Return a column of the employee, if there is one."""
    found: ColumnElement[Any] = bytewise(_of_user(_of_employee(column)))
    if name == "reason":
        found = func.nullif(found, "")
    if name in NOBODY:
        found = func.coalesce(found, literal(NOBODY[name]))
    return Operand(Attribute(name=name, case_exact=True), found)


def _moment(query: Select[Any], name: str) -> Operand:
    return Operand(Attribute(name=name, kind=Kind.MOMENT), _of_user(query))


def _of_user(query: Select[Any]) -> ColumnElement[Any]:
    return query.correlate(ScimUserRecord).scalar_subquery()


def _of_employee(column: InstrumentedAttribute[Any]) -> Select[Any]:
    employee = aliased(EmployeeRecord)
    return select(getattr(employee, column.key)).where(employee.id == ScimUserRecord.employee_id)


def _invited_at() -> Select[Any]:
    of_employee = _LETTER.employee_id == ScimUserRecord.employee_id
    return select(func.max(_LETTER.sent_at)).where(of_employee)


def _login() -> Operand:
    name = bytewise(func.coalesce(_IDENTITY.address, _IDENTITY.subject))
    query = (
        select(func.min(name))
        .join(_BINDING, _BINDING.account_id == _IDENTITY.account_id)
        .where(_BINDING.employee_id == ScimUserRecord.employee_id)
    )
    return Operand(Attribute(name="login", case_exact=True), bytewise(_of_user(query)))


_EMPLOYEE = EmployeeRecord
_OUTCOMES: Mapping[str, Callable[[], Operand]] = {
    "state": lambda: _text(_EMPLOYEE.state, "state"),
    "reason": lambda: _text(_EMPLOYEE.state_reason, "reason"),
    "because": lambda: _text(_EMPLOYEE.because, "because"),
    "contactemail": lambda: _text(_EMPLOYEE.contact_email, "contactemail"),
    "login": _login,
    "invitedat": lambda: _moment(_invited_at(), "invitedat"),
    "acceptedat": lambda: _moment(_of_employee(_EMPLOYEE.accepted_at), "acceptedat"),
    "dismissedat": lambda: _moment(_of_employee(_EMPLOYEE.dismissed_at), "dismissedat"),
}
