"""The registry as planning reads it: cheap columns in anchor order, and look-ups by key (P)."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from provisioning.domain.addresses import address_key
from provisioning.domain.correlation import Hit, keys_of
from provisioning.domain.keys import CorrelationKey
from provisioning.domain.people import DirectoryId, Person
from provisioning.domain.policy import Policy
from provisioning.domain.snapshots import RegisteredPerson, StagedPerson
from provisioning.storage.alike import employees_alike
from provisioning.storage.core import execute, this
from provisioning.storage.models.accounts import (
    BindingRecord,
    InvitationRecord,
    RoleGrantRecord,
    RoleName,
)
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.runs import RunPersonRecord
from provisioning.storage.sources import Source

STREAM_ROWS = 2_000
"""Rows fetched at a time: memory stays flat, whatever the number of people."""


def is_administrator() -> ColumnElement[bool]:
    """Whether the account an employee is bound to administers their intranet (D4)."""
    return exists().where(
        RoleGrantRecord.account_id == BindingRecord.account_id,
        RoleGrantRecord.intranet_id == EmployeeRecord.intranet_id,
        RoleGrantRecord.role == RoleName.ADMIN,
    )


def _registered() -> Select[*tuple[Any, ...]]:
    """Return everyone a source is linked to, as the columns of a RegisteredPerson."""
    other = aliased(LinkRecord)
    elsewhere = (
        other.employee_id == LinkRecord.employee_id,
        other.source_id != LinkRecord.source_id,
        other.hidden.is_(False),
    )
    vouching_elsewhere = (
        select(func.count())
        .select_from(other)
        .where(*elsewhere, other.missing_since.is_(None))
        .scalar_subquery()
    )
    missing_elsewhere = select(func.max(other.missing_since)).where(*elsewhere).scalar_subquery()
    return (
        select(
            LinkRecord.anchor,
            EmployeeRecord.id,
            EmployeeRecord.version,
            EmployeeRecord.state,
            EmployeeRecord.state_reason,
            EmployeeRecord.display_name,
            EmployeeRecord.dismissed_by_source,
            or_(EmployeeRecord.protected, is_administrator()),
            BindingRecord.account_id.is_not(None),
            InvitationRecord.address,
            LinkRecord.missing_since,
            LinkRecord.missing_counted,
            LinkRecord.authoritative,
            vouching_elsewhere,
            missing_elsewhere,
            cast(LinkRecord.applied, Text),
        )
        .join(EmployeeRecord, EmployeeRecord.id == LinkRecord.employee_id)
        .outerjoin(BindingRecord, BindingRecord.employee_id == EmployeeRecord.id)
        .outerjoin(
            InvitationRecord,
            and_(
                InvitationRecord.employee_id == EmployeeRecord.id,
                InvitationRecord.ended_at.is_(None),
            ),
        )
        .where(this(LinkRecord.source_id))
    )


_REGISTERED = _registered().where(LinkRecord.hidden.is_(False))
_REGISTERED_ONE = _REGISTERED.where(this(LinkRecord.anchor))
_REGISTERED_STAGED = (
    # The few a run has news of lead to their links, not a million links to the few.
    _REGISTERED.where(
        LinkRecord.anchor.in_(select(RunPersonRecord.anchor).where(this(RunPersonRecord.run_id)))
    ).order_by(LinkRecord.anchor)
)
_REGISTERED_EVER = _registered().where(this(LinkRecord.anchor))


def registered_one(session: Session, source_id: UUID, anchor: str) -> RegisteredPerson | None:
    """Return the one linked to a source by this id, if there is one."""
    one = execute(session, _REGISTERED_ONE, this_source_id=source_id, this_anchor=anchor).first()
    return RegisteredPerson._make(one) if one is not None else None


def registered_among(
    session: Session, source_id: UUID, anchors: Sequence[str]
) -> Sequence[RegisteredPerson]:
    """Return those of some people who are linked to a source."""
    query = _REGISTERED.where(LinkRecord.anchor.in_(anchors))
    rows = session.execute(query, {"this_source_id": source_id})
    return [RegisteredPerson._make(row) for row in rows]


def registered_people(session: Session, source_id: UUID, run_id: int) -> Iterator[RegisteredPerson]:
    """Yield everyone linked to a source whom a run has news of, ascending by anchor."""
    for row in session.execute(
        _REGISTERED_STAGED,
        {"this_source_id": source_id, "this_run_id": run_id},
        execution_options={"yield_per": STREAM_ROWS},
    ):
        yield RegisteredPerson._make(row)


def registered_ever(session: Session, source_id: UUID, anchor: str) -> RegisteredPerson | None:
    """Return who a resource is linked to, deleted or not: its deletion may be held (D6)."""
    one = execute(session, _REGISTERED_EVER, this_source_id=source_id, this_anchor=anchor).first()
    return RegisteredPerson._make(one) if one is not None else None


def staged_people(session: Session, run_id: int, source: str) -> Iterator[StagedPerson]:
    """Yield everyone a run read something new of, ascending by anchor."""
    query = (
        select(
            RunPersonRecord.anchor,
            RunPersonRecord.raw_hash,
            RunPersonRecord.person,
            RunPersonRecord.problem,
        )
        .where(RunPersonRecord.run_id == run_id, RunPersonRecord.missing.is_(False))
        .order_by(RunPersonRecord.anchor)
    )
    for anchor, raw_hash, document, problem in session.execute(
        query, execution_options={"yield_per": STREAM_ROWS}
    ):
        person = None
        if document is not None:
            person = Person.from_json(DirectoryId(source, anchor), document)
        yield StagedPerson(anchor, raw_hash, person, problem)


class Lookup:
    """Finds who else has an unlinked person's keys, for one run or one request (P2, P3)."""

    def __init__(
        self,
        session: Session,
        *,
        source: Source,
        policy: Policy,
        run_id: int | None,
        presence: Container[str] | None = None,
    ) -> None:
        """Read once what every look-up needs.

        Args:
            session: Where to look.
            source: Whose people they are.
            policy: Which keys count.
            run_id: The run; None for one person alone.
            presence: Who a complete reading saw; None if there was none.
        """
        self._session = session
        self._presence = presence
        self._source = source
        self._policy = policy
        self._run_id = run_id
        # A request asks once and may as well look; a run asks for everybody.
        self._registry_is_empty = run_id is not None and self._is_empty()
        self._contested = contested_keys(session, run_id) if run_id is not None else {}

    def hits(self, person: Person) -> Sequence[Hit]:
        """Return everyone who shares a key with this person."""
        found = list(self._rivals(person))
        if not self._registry_is_empty:
            found += self._employees(person)
        return found

    def _is_empty(self) -> bool:
        anybody = select(EmployeeRecord.id).where(
            EmployeeRecord.intranet_id == self._source.intranet_id
        )
        return self._session.scalar(anybody.limit(1)) is None

    def _rivals(self, person: Person) -> Iterator[Hit]:
        for key, value in keys_of(person, self._policy).items():
            for anchor, name in self._contested.get((key, value), ()):
                if anchor != person.id.value:
                    yield Hit(key=key, name=name, employee_id=None, anchor=anchor)

    def _employees(self, person: Person) -> Iterator[Hit]:
        past = CorrelationKey.PAST_RESOURCE in self._policy.correlation_keys
        found = employees_alike(
            self._session,
            self._source,
            keys_of(person, self._policy),
            anchor=person.id.value,
            external_id=(person.external_id or None) if past else None,
            past_name=address_key(person.user_name) if past else None,
        )
        for key, employee_id in found:
            yield from self._hits(person, key, employee_id)

    def _hits(self, person: Person, key: CorrelationKey, employee_id: UUID) -> Iterator[Hit]:
        query = (
            select(EmployeeRecord, BindingRecord.account_id, is_administrator())
            .outerjoin(BindingRecord, BindingRecord.employee_id == EmployeeRecord.id)
            .where(EmployeeRecord.id == employee_id)
        )
        for employee, account_id, administrator in self._session.execute(query):
            known, linked = self._others_of(employee.id, person)
            yield Hit(
                key=key,
                name=employee.display_name,
                employee_id=employee.id,
                state=employee.state,
                version=employee.version,
                bound=account_id is not None,
                protected=employee.protected or administrator,
                dismissed_by=employee.dismissed_by_source,
                linked_here=linked,
                known_here=known,
            )

    def _others_of(self, employee_id: UUID, person: Person) -> tuple[bool, bool]:
        """Return whether this source knew somebody by another id, and whether that is present."""
        staged = RunPersonRecord
        dropped = exists().where(
            staged.run_id == self._run_id,
            staged.anchor == LinkRecord.anchor,
            staged.vouched.is_(False),
        )
        rows = self._session.execute(
            select(LinkRecord.anchor, LinkRecord.hidden, dropped).where(
                LinkRecord.source_id == self._source.id,
                LinkRecord.employee_id == employee_id,
                LinkRecord.anchor != person.id.value,
            )
        ).all()
        present = any(
            not hidden and not dropped and (self._presence is None or anchor in self._presence)
            for anchor, hidden, dropped in rows
        )
        return bool(rows), present


def contested_keys(
    session: Session, run_id: int
) -> dict[tuple[CorrelationKey, str], list[tuple[str, str]]]:
    """Return keys that several newcomers of one snapshot share, with (anchor, name) of each."""
    found: dict[tuple[CorrelationKey, str], list[tuple[str, str]]] = {}
    for key, column in (
        (CorrelationKey.USER_NAME, RunPersonRecord.user_name_key),
        (CorrelationKey.EMPLOYEE_NUMBER, RunPersonRecord.employee_number_key),
        (CorrelationKey.MAIL, RunPersonRecord.mail_key),
    ):
        shared = (
            select(column)
            .where(
                RunPersonRecord.run_id == run_id,
                RunPersonRecord.vouched.is_(True),
                column.is_not(None),
            )
            .group_by(column)
            .having(func.count() > 1)
        )
        rows = session.execute(
            select(column, RunPersonRecord.anchor, RunPersonRecord.person).where(
                RunPersonRecord.run_id == run_id,
                RunPersonRecord.vouched.is_(True),
                column.in_(shared),
            )
        )
        for value, anchor, document in rows:
            name = (document or {}).get("display_name", anchor)
            found.setdefault((key, str(value)), []).append((anchor, name))
    return found
