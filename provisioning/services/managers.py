"""Who manages somebody, and whom they manage, for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provisioning.domain.places import place_key
from provisioning.storage.managers import said_of_manager
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord

SHOWN = 20
"""Managed people who are named; the others are in a list of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerLine:
    """Who manages somebody, by the word of the source that has the say."""

    source: str
    said: str
    """As the source names them: a DN, or the id of a resource."""

    id: UUID | None = None
    """The employee; None while it is nobody here."""

    number: int | None = None
    display_name: str | None = None
    state: str | None = None
    note: str = ""
    """Why it is nobody here."""

    def __str__(self) -> str:
        """Return it in words."""
        if self.id is None:
            return f"{self.said} ({self.note})"
        return f"{self.display_name} ({self.number}), {self.state}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedRow:
    """Somebody who is managed."""

    id: UUID
    number: int
    display_name: str
    state: str


def manager_of(session: Session, employee: EmployeeRecord, owner: str = "") -> ManagerLine | None:
    """Return who manages somebody; None if no source names anybody.

    `owner` is the source whose word about managers comes first; "" is none.
    """
    said = said_of_manager(session, employee.id, owner)
    if said is None:
        return None
    source_id, name = said
    source = session.get_one(SourceRecord, source_id).name
    manager = session.get(EmployeeRecord, employee.manager_id) if employee.manager_id else None
    if manager is not None:
        return ManagerLine(
            source=source,
            said=name,
            id=manager.id,
            number=manager.seq,
            display_name=manager.display_name,
            state=manager.state.value,
        )
    themselves = session.scalar(
        select(LinkRecord.anchor).where(
            LinkRecord.source_id == source_id,
            LinkRecord.employee_id == employee.id,
            LinkRecord.where_key == place_key(name),
        )
    )
    note = "not here yet" if themselves is None else "they themselves, which counts for nothing"
    return ManagerLine(source=source, said=name, note=note)


def managed_people(session: Session, employee_id: UUID) -> Sequence[ManagedRow]:
    """Return the first of the people somebody manages, as they came."""
    rows = session.scalars(
        select(EmployeeRecord)
        .where(EmployeeRecord.manager_id == employee_id)
        .order_by(EmployeeRecord.seq)
        .limit(SHOWN)
    )
    return [
        ManagedRow(id=row.id, number=row.seq, display_name=row.display_name, state=row.state.value)
        for row in rows
    ]


def number_managed(session: Session, employee_id: UUID) -> int:
    """Return how many people somebody manages."""
    query = select(func.count()).where(EmployeeRecord.manager_id == employee_id)
    return session.scalar(query) or 0
