"""Employees as rows, for a reader of the whole registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select

from provisioning.storage.core import this
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.scim_rows import outcome_columns, raw

_EMPLOYEE = EmployeeRecord


class EmployeeRow(NamedTuple):
    """An employee without what became of them; ids and moments as the driver gives them."""

    id: Any
    seq: int
    version: int
    created_at: Any
    state_since: Any
    display_name: str
    title: str | None
    department: str | None


_COLUMNS = raw(
    _EMPLOYEE.id, _EMPLOYEE.seq, _EMPLOYEE.version, _EMPLOYEE.created_at, _EMPLOYEE.state_since,
    _EMPLOYEE.display_name, _EMPLOYEE.title, _EMPLOYEE.department,
)  # fmt: skip
_EMPLOYEES = select(*_COLUMNS, *outcome_columns()).where(this(_EMPLOYEE.intranet_id))
_ONE = _EMPLOYEES.where(this(_EMPLOYEE.id))
_PAGE = (
    _EMPLOYEES.where(_EMPLOYEE.seq > bindparam("after"))
    .order_by(_EMPLOYEE.seq)
    .limit(bindparam("count"))
    .offset(bindparam("offset"))
)
_NUMBER = select(func.count()).select_from(_EMPLOYEE).where(this(_EMPLOYEE.intranet_id))

Found = tuple[EmployeeRow, Sequence[Any]]
"""An employee, and the last fields of their UserRow."""


def find_employee(connection: Connection, intranet_id: UUID, id_: UUID) -> Found | None:
    """Return one employee of an intranet."""
    row = connection.execute(_ONE, {"this_intranet_id": intranet_id, "this_id": id_}).first()
    return None if row is None else _split(row)


def page_of_employees(
    connection: Connection, intranet_id: UUID, *, after: int, offset: int, count: int
) -> Sequence[Found]:
    """Return employees in the order they came.

    Args:
        connection: Where to look.
        intranet_id: Whose.
        after: The place of the last one that is known; 0 at first.
        offset: How many to leave out.
        count: How many at most.
    """
    values = {"this_intranet_id": intranet_id, "after": after, "offset": offset, "count": count}
    return [_split(row) for row in connection.execute(_PAGE, values)]


def number_of_employees(connection: Connection, intranet_id: UUID) -> int:
    """Return how many employees an intranet has, the dismissed among them."""
    return int(connection.execute(_NUMBER, {"this_intranet_id": intranet_id}).scalar_one())


def _split(row: Sequence[Any]) -> Found:
    return EmployeeRow(*row[: len(_COLUMNS)]), row[len(_COLUMNS) :]
