"""Lists and single people as commands, pages and files show them: the same rows everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from provisioning.domain.employees import EmployeeState
from provisioning.domain.errors import NotFoundError
from provisioning.domain.findings import REMEDIES, FindingKind, severity
from provisioning.domain.outlook import Outlook
from provisioning.services.context import ServiceContext
from provisioning.services.searching import managed_by, matches, meant_by
from provisioning.services.seat_outlook import seat_outlook
from provisioning.services.seats import read_seats
from provisioning.services.stale import StaleRow, stale_invitations
from provisioning.services.waiting_report import WaitingRow, waiting_rows
from provisioning.storage.counting import counted
from provisioning.storage.models.effects import FindingRecord
from provisioning.storage.models.employees import EmployeeRecord

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployeeRow:
    """One line of the list of people."""

    id: UUID
    number: int
    display_name: str
    state: str
    state_reason: str
    contact_email: str | None
    department: str | None
    title: str | None
    because: str
    since: datetime
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One line of the mismatch report (E9)."""

    id: int
    kind: str
    severity: str
    person: str
    employee: str | None
    reason: str
    evidence: dict[str, Any]
    remedy: str
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatReport:
    """The licence at a glance."""

    limit: int | None
    taken: int
    free: int | None
    active: int
    invited: int
    waiting: int
    dismissed: int
    queued: int
    over: int
    """Seats taken beyond a lowered limit: nobody new is invited until they are free (L6)."""


class Reports:
    """Reads lists; changes nothing."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def people(
        self,
        *,
        state: EmployeeState | None = None,
        search: str = "",
        attention: bool = False,
        manager: int | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> Sequence[EmployeeRow]:
        """Return a page of employees by number; the dismissed only if asked for (S5).

        Args:
            state: Only this state; None means all but the dismissed.
            search: Part of a name, an address, a user name or an id.
            attention: Only people with an open finding.
            manager: Only people managed by the employee of this number, the dismissed among them.
            after: The last number of the page before.
            limit: Rows at most.
        """
        query = (
            select(EmployeeRecord, _open_findings())
            .where(EmployeeRecord.intranet_id == self._context.intranet_id)
            .where(EmployeeRecord.seq > after)
            .order_by(EmployeeRecord.seq)
            .limit(limit)
        )
        if state is not None:
            query = query.where(EmployeeRecord.state == state)
        elif not search and manager is None:
            query = query.where(EmployeeRecord.state != EmployeeState.DISMISSED)
        if attention:
            query = query.where(_open_findings() > 0)
        if manager is not None:
            query = query.where(managed_by(self._context, manager))
        if search:
            query = query.where(matches(search))
        with self._context.database.read() as session:
            return [_employee_row(employee, count) for employee, count in session.execute(query)]

    def everyone(
        self,
        *,
        state: EmployeeState | None = None,
        search: str = "",
        attention: bool = False,
        manager: int | None = None,
    ) -> Iterator[EmployeeRow]:
        """Yield every employee `people` would show, page after page."""
        after = 0
        while rows := self.people(
            state=state,
            search=search,
            attention=attention,
            manager=manager,
            after=after,
            limit=_BATCH,
        ):
            yield from rows
            after = rows[-1].number

    def needing_attention(self) -> int:
        """Return how many of the employees that are not dismissed have an open finding."""
        with self._context.database.read() as session:
            return (
                session.scalar(
                    select(func.count())
                    .select_from(EmployeeRecord)
                    .where(
                        EmployeeRecord.intranet_id == self._context.intranet_id,
                        EmployeeRecord.state != EmployeeState.DISMISSED,
                        _open_findings() > 0,
                    )
                )
                or 0
            )

    def mismatch_counts(self) -> Mapping[FindingKind, int]:
        """Return how many findings of each kind are open."""
        with self._context.database.read() as session:
            here = FindingRecord.intranet_id == self._context.intranet_id
            return counted(session, FindingRecord.kind, here, FindingRecord.closed_at.is_(None))

    def all_mismatches(self, *, kind: FindingKind | None = None) -> Iterator[FindingRow]:
        """Yield every open finding, page after page."""
        after = 0
        while rows := self.mismatches(kind=kind, after=after, limit=_BATCH):
            yield from rows
            after = rows[-1].id

    def mismatches(
        self, *, kind: FindingKind | None = None, after: int = 0, limit: int = 1_000
    ) -> Sequence[FindingRow]:
        """Return open findings, oldest first (E3, E9)."""
        query = (
            select(FindingRecord)
            .where(
                FindingRecord.intranet_id == self._context.intranet_id,
                FindingRecord.closed_at.is_(None),
                FindingRecord.id > after,
            )
            .order_by(FindingRecord.id)
            .limit(limit)
        )
        if kind is not None:
            query = query.where(FindingRecord.kind == kind)
        with self._context.database.read() as session:
            return [finding_row(row) for row in session.scalars(query)]

    def seats(self) -> SeatReport:
        """Return the licence and how many people are in each state."""
        with self._context.database.read() as session:
            ledger = read_seats(session, self._context)
            here = EmployeeRecord.intranet_id == self._context.intranet_id
            found = counted(session, EmployeeRecord.state, here)
        return SeatReport(
            limit=ledger.limit,
            taken=ledger.taken,
            free=ledger.free,
            active=found.get(EmployeeState.ACTIVE, 0),
            invited=found.get(EmployeeState.INVITED, 0),
            waiting=found.get(EmployeeState.WAITING, 0),
            dismissed=found.get(EmployeeState.DISMISSED, 0),
            queued=ledger.queued,
            over=max(0, ledger.taken - ledger.limit) if ledger.limit is not None else 0,
        )

    def waitlist(self, *, offset: int = 0, limit: int | None = None) -> Sequence[WaitingRow]:
        """Return the line in its order, then those who wait for something else (L3)."""
        return waiting_rows(self._context, offset=offset, limit=limit)

    def stale(self) -> Sequence[StaleRow]:
        """Return the invitations nobody accepted for long, the oldest letter first (L5)."""
        return stale_invitations(self._context)

    def outlook(self) -> Outlook:
        """Return when seats run out, or why that cannot be told (L8)."""
        return seat_outlook(self._context)

    def find(self, key: str) -> UUID:
        """Return the one employee a number, id, user name or address means.

        Raises:
            NotFoundError: Nobody, or more than one.
        """
        with self._context.database.read() as session:
            found = session.scalars(meant_by(self._context, key)).all()
        if len(set(found)) == 1:
            return found[0]
        hint = f"{len(set(found))} people match; use the number" if found else "try `usher people`"
        raise NotFoundError("employee", f'"{key}"', hint=hint)


def _open_findings() -> Any:
    return (
        select(func.count())
        .where(FindingRecord.employee_id == EmployeeRecord.id, FindingRecord.closed_at.is_(None))
        .scalar_subquery()
    )


def _employee_row(employee: EmployeeRecord, findings: int) -> EmployeeRow:
    return EmployeeRow(
        id=employee.id,
        number=employee.seq,
        display_name=employee.display_name,
        state=employee.state.value,
        state_reason=employee.state_reason,
        contact_email=employee.contact_email,
        department=employee.department,
        title=employee.title,
        because=employee.because,
        since=employee.state_since,
        findings=findings,
    )


def finding_row(row: FindingRecord) -> FindingRow:
    """Return an open finding as it is shown everywhere."""
    return FindingRow(
        id=row.id,
        kind=row.kind.value,
        severity=severity(row.kind).value,
        person=row.who,
        employee=str(row.employee_id) if row.employee_id else None,
        reason=row.reason,
        evidence=row.evidence,
        remedy=REMEDIES[row.kind],
        opened_at=row.opened_at,
    )
