"""Departures: access and seat are taken away, everything else is kept (D1, D7, S2)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from provisioning.domain.actions import REMOVALS
from provisioning.domain.brakes import Brake
from provisioning.domain.employees import Change, EmployeeState
from provisioning.domain.seats import takes_seat
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.findings import close_findings_of
from provisioning.services.holding import overtake
from provisioning.services.invitations import end_invitation
from provisioning.services.roles import take_roles
from provisioning.services.seats import free_seat
from provisioning.services.sessions import end_sessions
from provisioning.services.states import move
from provisioning.services.switches import require_off
from provisioning.storage.bindings import account_of
from provisioning.storage.core import add_row, execute, table_of, this
from provisioning.storage.models.accounts import (
    InvitationRecord,
    TaskRoleRecord,
)
from provisioning.storage.models.effects import OutboxRecord, OutboxState
from provisioning.storage.models.employees import (
    AddressRecord,
    EmployeeRecord,
    LinkRecord,
)
from provisioning.storage.models.runs import RemovalRecord
from provisioning.storage.models.scim import ScimUserRecord


def depart_employee(
    session: Session,
    context: ServiceContext,
    employee: EmployeeRecord,
    actor: Actor,
    because: str,
    *,
    source: str | None,
    reason: str,
    run_id: int | None = None,
) -> bool:
    """Dismiss, or remove who was never written to; returns whether the row is still there (D1).

    Args:
        session: The transaction.
        context: The intranet.
        employee: Who leaves; locked by the caller.
        actor: Who says so.
        because: The sentence with its rule.
        source: The authority (S7); None for an administrator.
        reason: left, disabled, or what a page says.
        run_id: The run, if it is one.

    Raises:
        BrakeError: An administrator wants nobody to be dismissed now.
    """
    require_off(session, context, Brake.NO_DISMISSALS)
    before = {"state": employee.state.value, "contact_email": employee.contact_email}
    held_seat = takes_seat(employee.state)
    keep = leaves_a_trace(session, employee)
    overtake(session, context, employee.id, REMOVALS)
    end_invitation(session, context, employee.id, "revoked")
    account_id = account_of(session, employee.id)
    if account_id is not None:
        end_sessions(session, context, account_id)
        take_roles(session, context, account_id)
    if held_seat:
        free_seat(session, context)
    record(
        session,
        context,
        actor,
        "dismissed" if keep else "removed",
        because,
        employee_id=employee.id,
        before=before,
        after={"state": "dismissed"} if keep else None,
        run_id=run_id,
    )
    if not keep:
        remove_row(session, context, employee)
        return False
    move(employee, Change.DISMISS, context.now())
    employee.state_reason = reason
    employee.because = because
    employee.dismissed_at = context.now()
    employee.dismissed_by_source = source
    employee.waiting_since = None
    close_findings_of(session, context, str(employee.id))
    session.flush()
    return True


def leaves_a_trace(session: Session, employee: EmployeeRecord) -> bool:
    """Whether somebody is kept when they depart: they were in, written to, or given a task (D1)."""
    if employee.accepted_at is not None or employee.state is EmployeeState.ACTIVE:
        return True
    return _was_written_to(session, employee.id)


def remove_row(session: Session, context: ServiceContext, employee: EmployeeRecord) -> None:
    """Remove somebody who was never active; the events stay (S2)."""
    anchors = session.scalars(
        select(LinkRecord.anchor).where(LinkRecord.employee_id == employee.id)
    ).all()
    close_findings_of(session, context, str(employee.id), *anchors)
    execute(session, _UNLINK, this_employee_id=employee.id)
    for statement in _REMOVE:
        execute(session, statement, this_employee_id=employee.id)
    session.delete(employee)
    session.flush()


def count_removal(
    session: Session, context: ServiceContext, source_id: UUID, employee_id: UUID, door: str
) -> None:
    """Write one removal into the rolling budget (D5, D6)."""
    add_row(
        session,
        RemovalRecord,
        intranet_id=context.intranet_id,
        source_id=source_id,
        employee_id=employee_id,
        at=context.now(),
        door=door,
    )


def _was_written_to(session: Session, employee_id: UUID) -> bool:
    """Whether a letter left, or somebody gave them a task (D1)."""
    return bool(execute(session, _WRITTEN_TO, this_employee_id=employee_id).scalar())


_UNLINK = (
    update(table_of(ScimUserRecord))
    .where(this(ScimUserRecord.employee_id))
    .values(employee_id=None)
)
_REMOVE = tuple(
    delete(table).where(this(table.c.employee_id))
    for table in map(table_of, (LinkRecord, AddressRecord, InvitationRecord))
)
_WRITTEN_TO = select(
    or_(
        exists().where(this(InvitationRecord.employee_id), InvitationRecord.sent_at.is_not(None)),
        exists().where(this(OutboxRecord.employee_id), OutboxRecord.state == OutboxState.IN_DOUBT),
        exists().where(this(TaskRoleRecord.employee_id)),
    )
)
