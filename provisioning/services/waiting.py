"""The waiting list: who comes next, and serving it as soon as a seat is free (L3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, case, select
from sqlalchemy.orm import Session

from provisioning.domain.employees import (
    SERVED_BY_ITSELF,
    Change,
    EmployeeState,
    WaitingReason,
)
from provisioning.domain.findings import Finding, FindingKind
from provisioning.domain.policy import Policy, StaleInvitations
from provisioning.services.audit import record
from provisioning.services.context import SYSTEM, ServiceContext
from provisioning.services.findings import open_finding, refresh
from provisioning.services.invitations import FIRST_APPROVAL, open_invitation
from provisioning.services.seats import ledger, take_seat
from provisioning.services.stale import remove_for_the_line
from provisioning.services.states import move
from provisioning.storage.bindings import account_of
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord


def line(policy: Policy) -> tuple[Any, ...]:
    """Return the order of the waiting list (L3).

    by                                    comes first
    ------------------------------------  -----------------------------------------------
    the place an administrator gave       who was given one, in the order of the places
    the policy's priority of departments  who is of a department that is named, in order
    the first day                         who starts sooner; last, who has no first day
    waiting since                         who waits longer, then who is known longer
    """
    named, last = policy.seat_priority, policy.priority_of(None)
    places = {each: policy.priority_of(each) for each in named}
    priority = case(places, value=EmployeeRecord.department, else_=last) if places else None
    return (
        EmployeeRecord.line_place.asc().nulls_last(),
        *(() if priority is None else (priority,)),
        EmployeeRecord.starts_at.asc().nulls_last(),
        EmployeeRecord.waiting_since,
        EmployeeRecord.seq,
    )


def waiting_list(context: ServiceContext) -> Select[UUID]:
    """Return the ids of those whom a free seat would serve, in order; see `line`."""
    return (
        select(EmployeeRecord.id)
        .where(
            EmployeeRecord.intranet_id == context.intranet_id,
            EmployeeRecord.state == EmployeeState.WAITING,
            EmployeeRecord.state_reason.in_([reason.value for reason in SERVED_BY_ITSELF]),
        )
        .order_by(*line(context.policy))
    )


class WaitingService:
    """Gives free seats to those who wait."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def serve(self) -> int:
        """Invite people as long as there are seats, a transaction each; returns how many."""
        served = 0
        if self._context.policy.stale_invitations is StaleInvitations.REMOVE:
            remove_for_the_line(self._context)
        for employee_id in self._next():
            with self._context.database.write() as session:
                employee = session.get(EmployeeRecord, employee_id, with_for_update=True)
                if employee is None or employee.state is not EmployeeState.WAITING:
                    continue
                bound = account_of(session, employee.id) is not None
                address = directory_address(session, employee.id)
                unreachable = None if bound else why_unreachable(self._context, address)
                if unreachable is not None:
                    self._turn_away(session, employee, unreachable)
                    continue
                if not take_seat(session, self._context):
                    return served
                self._seat(session, employee, None if bound else address)
                served += 1
        return served

    def _next(self) -> Sequence[UUID]:
        return self._context.database.look(self._next_in)

    def _next_in(self, connection: Connection) -> Sequence[UUID]:
        seats = ledger(connection, self._context.intranet_id)
        if not seats.queued or seats.free == 0:
            return ()
        query = waiting_list(self._context)
        if seats.free is not None:
            query = query.limit(seats.free)
        return connection.scalars(query).all()

    def _turn_away(self, session: Session, employee: EmployeeRecord, reason: WaitingReason) -> None:
        """Take somebody out of the line whom no letter can reach: a finding, no seat (I1)."""
        employee.state_reason = reason
        employee.because = "a seat was free, but no letter can reach them (I1)"
        record(session, self._context, SYSTEM, reason, employee.because, employee_id=employee.id)
        finding = Finding(kind=FindingKind(reason), subject=str(employee.id))
        who = employee.display_name
        open_finding(session, self._context, finding, who=who, employee_id=employee.id)

    def _seat(self, session: Session, employee: EmployeeRecord, address: str | None) -> None:
        """Let somebody in: by the account they have, or by a letter to the address (S6)."""
        change = Change.RETURN if address is None else Change.INVITE
        move(employee, change, self._context.now())
        employee.because = "a seat became free (L3)"
        employee.waiting_since = employee.dismissed_at = employee.dismissed_by_source = None
        if address is not None:
            held = hold_reason(session, employee.id)
            open_invitation(session, self._context, employee, address, hold_reason=held)
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
        refresh(session, self._context, employee)


def directory_address(session: Session, employee_id: UUID) -> str | None:
    """Return the directory mail of an employee, if a source gives one."""
    return session.scalars(
        select(AddressRecord.value)
        .where(AddressRecord.employee_id == employee_id, AddressRecord.role == "directory")
        .order_by(AddressRecord.id)
    ).first()


def hold_reason(session: Session, employee_id: UUID) -> str | None:
    """Return why letters of somebody stay: only unreleased sources vouch for them (I10)."""
    released = (
        select(SourceRecord.id)
        .join(LinkRecord, LinkRecord.source_id == SourceRecord.id)
        .where(
            LinkRecord.employee_id == employee_id,
            SourceRecord.is_released,
        )
    )
    return None if session.scalar(released.limit(1)) is not None else FIRST_APPROVAL


def why_unreachable(context: ServiceContext, address: str | None) -> WaitingReason | None:
    """Return why no letter can go to an address (I1); None when one can."""
    if address is None:
        return WaitingReason.NO_USABLE_ADDRESS
    if not context.policy.may_write_to(address):
        return WaitingReason.UNVERIFIED_DOMAIN
    return None
