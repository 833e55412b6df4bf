"""The waiting list: who comes next, and serving it as soon as a seat is free (L3)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from provisioning.domain.employees import SERVED_BY_ITSELF, Change, EmployeeState
from provisioning.services.audit import record
from provisioning.services.context import SYSTEM, ServiceContext
from provisioning.services.findings import refresh
from provisioning.services.invitations import FIRST_APPROVAL, open_invitation
from provisioning.services.seats import read_seats, take_seat
from provisioning.services.states import move
from provisioning.storage.models.accounts import BindingRecord
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord


def waiting_list(context: ServiceContext) -> Select[UUID]:
    """Return the ids of those whom a free seat would serve, in order: start date, then since."""
    return (
        select(EmployeeRecord.id)
        .where(
            EmployeeRecord.intranet_id == context.intranet_id,
            EmployeeRecord.state == EmployeeState.WAITING,
            EmployeeRecord.state_reason.in_([reason.value for reason in SERVED_BY_ITSELF]),
        )
        .order_by(
            EmployeeRecord.starts_at.asc().nulls_last(),
            EmployeeRecord.waiting_since,
            EmployeeRecord.seq,
        )
    )


class WaitingService:
    """Gives free seats to those who wait."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def serve(self) -> int:
        """Invite people as long as there are seats, a transaction each; returns how many."""
        served = 0
        for employee_id in self._next():
            with self._context.database.write() as session:
                employee = session.get(EmployeeRecord, employee_id, with_for_update=True)
                if employee is None or employee.state is not EmployeeState.WAITING:
                    continue
                if not take_seat(session, self._context):
                    return served
                self._seat(session, employee)
                served += 1
        return served

    def _next(self) -> Sequence[UUID]:
        with self._context.database.read() as session:
            free = read_seats(session, self._context).free
            query = waiting_list(self._context)
            return session.scalars(query if free is None else query.limit(free)).all()

    def _seat(self, session: Session, employee: EmployeeRecord) -> None:
        bound = session.get(BindingRecord, employee.id) is not None
        move(employee, Change.RETURN if bound else Change.INVITE, self._context.now())
        employee.because = "a seat became free (L3)"
        employee.waiting_since = employee.dismissed_at = employee.dismissed_by_source = None
        if not bound:
            address = session.scalars(
                select(AddressRecord.value).where(
                    AddressRecord.employee_id == employee.id, AddressRecord.role == "directory"
                )
            ).first()
            open_invitation(
                session,
                self._context,
                employee,
                address or employee.contact_email or "",
                hold_reason=self._hold_reason(session, employee.id),
            )
        record(
            session,
            self._context,
            SYSTEM,
            employee.state.value,
            employee.because,
            employee_id=employee.id,
            before={"state": "waiting"},
            after={"state": employee.state.value},
        )
        session.flush()
        refresh(session, self._context, [employee.id])

    def _hold_reason(self, session: Session, employee_id: UUID) -> str | None:
        """Letters of people whom only unreleased sources vouch for stay held (I10)."""
        released = (
            select(SourceRecord.id)
            .join(LinkRecord, LinkRecord.source_id == SourceRecord.id)
            .where(
                LinkRecord.employee_id == employee_id,
                (SourceRecord.first_run == "apply") | SourceRecord.released_at.is_not(None),
            )
        )
        return None if session.scalar(released.limit(1)) is not None else FIRST_APPROVAL
