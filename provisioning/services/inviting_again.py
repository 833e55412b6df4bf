"""An administrator asks for another invitation: a lapsed one, or a letter that got lost (I4).

state                          becomes
-----------------------------  -----------------------------------------------------------
waiting, lapsed, or taken out  next in line by the seat gate: invited, or waiting for a seat
invited, letter left long ago  invited anew: the old link opens nothing
invited, letter left just now  refused: the cool-down
invited, letter still here     refused: it leaves by itself, or its source is not released
waiting for something else     refused, with what helps
active, dismissed              refused
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from provisioning.domain.employees import EmployeeState, WaitingReason
from provisioning.domain.errors import NotFoundError, NotInvitableError
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.invitations import (
    end_invitation,
    open_invitation,
    open_invitation_of,
)
from provisioning.services.waiting import (
    WaitingService,
    directory_address,
    hold_reason,
    why_unreachable,
)
from provisioning.storage.models.employees import EmployeeRecord


def invite_again(context: ServiceContext, employee_id: UUID, actor: Actor) -> EmployeeState:
    """Invite somebody who has not joined once more; returns their state afterwards.

    Raises:
        NotFoundError: This intranet has no such employee.
        NotInvitableError: There is nothing to invite them to, or not yet; nothing was done.
    """
    with context.database.write() as session:
        employee = session.get(EmployeeRecord, employee_id, with_for_update=True)
        if employee is None or employee.intranet_id != context.intranet_id:
            raise NotFoundError("employee", employee_id)
        if employee.state is EmployeeState.INVITED:
            _send_anew(session, context, employee, actor)
        elif employee.state_reason in (WaitingReason.LAPSED, WaitingReason.TAKEN_OUT):
            _line_up(session, context, employee, actor)
        else:
            raise NotInvitableError(f"{employee.display_name} {_why_not(employee)}")
    WaitingService(context).serve()
    with context.database.read() as session:
        return session.get_one(EmployeeRecord, employee_id).state


def _line_up(
    session: Session, context: ServiceContext, employee: EmployeeRecord, actor: Actor
) -> None:
    _reachable(session, context, employee)
    employee.state_reason = WaitingReason.NO_SEAT
    employee.waiting_since = context.now()
    employee.because = f"{actor.name} asked for another invitation (I4)"
    record(
        session,
        context,
        actor,
        "invitation_asked_for",
        employee.because,
        employee_id=employee.id,
    )


def _send_anew(
    session: Session, context: ServiceContext, employee: EmployeeRecord, actor: Actor
) -> None:
    before = open_invitation_of(session, employee.id)
    sent_at = before.sent_at if before else None
    if before is not None and sent_at is None:
        raise NotInvitableError(
            f"The invitation of {employee.display_name} has not left yet: look at the outbox, "
            "or release the source. Nothing was sent."
        )
    if sent_at is not None and context.now() - sent_at < context.times.cool_down:
        again = (sent_at + context.times.cool_down).astimezone(context.time_zone)
        raise NotInvitableError(
            f"A letter left for {employee.display_name} a moment ago. Nothing was sent; "
            f"try again after {again:%H:%M} if it did not arrive."
        )
    address = _reachable(session, context, employee)
    end_invitation(session, context, employee.id, "replaced")
    held = hold_reason(session, employee.id)
    open_invitation(session, context, employee, address, hold_reason=held)
    because = f"{actor.name} asked for another letter to {address} (I4)"
    record(session, context, actor, "invitation_sent_again", because, employee_id=employee.id)


def _reachable(session: Session, context: ServiceContext, employee: EmployeeRecord) -> str:
    address = directory_address(session, employee.id)
    unreachable = why_unreachable(context, address)
    if address is None or unreachable is not None:
        raise NotInvitableError(
            f"{employee.display_name} has no address that may be written to. Correct the mail in "
            "the directory; the next run invites them. Nothing was sent."
        )
    return address


def _why_not(employee: EmployeeRecord) -> str:
    if employee.state is EmployeeState.WAITING:
        reason = employee.state_reason.replace("_", " ")
        return f"waits ({reason}) and is invited as soon as that is over. Nothing was sent."
    return f"is {employee.state.value}; an invitation is for those who have not joined."
