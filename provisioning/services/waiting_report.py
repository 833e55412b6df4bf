"""The waiting list as commands and pages show it: place, reason, and why (L3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, case, func, select

from provisioning.domain.employees import SERVED_BY_ITSELF, EmployeeState
from provisioning.services.context import ServiceContext
from provisioning.services.waiting import line
from provisioning.storage.models.employees import EmployeeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """One place in the line; `position` is None for those whom a free seat does not help."""

    position: int | None
    id: UUID
    number: int
    display_name: str
    department: str | None
    reason: str
    because: str
    waiting_since: datetime | None
    starts_at: datetime | None
    placed: bool
    """Whether an administrator gave them their place."""


def waiting_rows(
    context: ServiceContext, *, offset: int = 0, limit: int | None = None
) -> Sequence[WaitingRow]:
    """Return the line in its order, then those who wait for something else.

    Args:
        context: The intranet.
        offset: How many rows come before the first.
        limit: Rows at most; None means all.
    """
    in_line = EmployeeRecord.state_reason.in_([reason.value for reason in SERVED_BY_ITSELF])
    query = (
        select(EmployeeRecord, in_line)
        .where(
            EmployeeRecord.intranet_id == context.intranet_id,
            EmployeeRecord.state == EmployeeState.WAITING,
        )
        .order_by(case((in_line, 0), else_=1), *line(context.policy))
        .offset(offset)
        .limit(limit)
    )
    with context.database.read() as session:
        rows = session.execute(query).all()
    return [
        _waiting_row(employee, place if served else None)
        for place, (employee, served) in enumerate(rows, start=offset + 1)
    ]


def waiting_positions(
    connection: Connection, context: ServiceContext, employee_ids: Collection[UUID]
) -> Mapping[UUID, int]:
    """Return the places of some of those who are in the line (L3)."""
    place = func.row_number().over(order_by=line(context.policy))
    places = (
        select(EmployeeRecord.id, place.label("place"))
        .where(
            EmployeeRecord.intranet_id == context.intranet_id,
            EmployeeRecord.state == EmployeeState.WAITING,
            EmployeeRecord.state_reason.in_([reason.value for reason in SERVED_BY_ITSELF]),
        )
        .subquery()
    )
    query = select(places.c.id, places.c.place).where(places.c.id.in_(employee_ids))
    return {row.id: row.place for row in connection.execute(query)}


def _waiting_row(employee: EmployeeRecord, position: int | None) -> WaitingRow:
    return WaitingRow(
        position=position,
        id=employee.id,
        number=employee.seq,
        display_name=employee.display_name,
        department=employee.department,
        reason=employee.state_reason,
        because=employee.because,
        waiting_since=employee.waiting_since,
        starts_at=employee.starts_at,
        placed=employee.line_place is not None,
    )
