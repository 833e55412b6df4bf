"""What an action rests on has to be true still when it is done, or it has drifted (R4)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from provisioning.domain.actions import Action, EmployeeRef
from provisioning.domain.employees import EmployeeState
from provisioning.domain.errors import StaleWriteError
from provisioning.domain.findings import FindingKind
from provisioning.services.context import ServiceContext
from provisioning.services.holding import BACK, RETURNS, overtake
from provisioning.storage.locks import locked
from provisioning.storage.matches import decision_about, standing_link
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.newcomers import arrived_elsewhere, queue_newcomers
from provisioning.storage.sources import Source


def load_employee(
    session: Session,
    context: ServiceContext,
    source: Source,
    action: Action,
    planned_at: datetime | None,
) -> EmployeeRecord | None:
    """Return the employee of an action, locked; None for somebody nobody knows.

    Args:
        session: The transaction.
        context: The intranet.
        source: Whose word the action is.
        action: What is about to be done.
        planned_at: When the registry was looked at; None: in this very transaction, and the
            keys of links are the wall behind it.

    Raises:
        StaleWriteError: They are linked, decided about or changed since.
    """
    if planned_at is not None and action.person is not None and not action.is_removal:
        _require_as_planned(session, context, source, action, planned_at)
    if action.employee is None:
        return None
    employee = locked_as_planned(session, action, action.employee)
    if employee.state is EmployeeState.DISMISSED and action.kind in BACK:
        overtake(session, context, employee.id, RETURNS)
    return employee


def locked_as_planned(session: Session, action: Action, planned: EmployeeRef) -> EmployeeRecord:
    """Return the employee of an action, locked.

    Raises:
        StaleWriteError: They are gone, or not as the plan saw them.
    """
    employee = locked(session, EmployeeRecord, planned.id)
    if employee is None or employee.version != planned.version:
        raise StaleWriteError(f"{action.who} was changed by somebody else meanwhile")
    return employee


def _require_as_planned(
    session: Session,
    context: ServiceContext,
    source: Source,
    action: Action,
    planned_at: datetime,
) -> None:
    """Refuse what rests on another link than the one there is, or on none (P1)."""
    linked = standing_link(session, source.id, action.id.value)
    if linked is None:
        # Before the employee's lock: whoever decides about the queue takes them in this order.
        queue_newcomers(session, context.intranet_id)
        linked = standing_link(session, source.id, action.id.value)
    if linked is None:
        _require_unplaced(session, context, source, action, planned_at)
    elif action.employee is None or linked != action.employee.id:
        raise StaleWriteError(f"{action.who} was linked by somebody else meanwhile")


def _require_unplaced(
    session: Session,
    context: ServiceContext,
    source: Source,
    action: Action,
    planned_at: datetime,
) -> None:
    """Refuse what was planned before an administrator or another source placed them (P3, P5)."""
    decision = decision_about(session, source.id, action.id.value)
    if (decision is not None) != action.decided:
        raise StaleWriteError(f"the matching queue says something else of {action.who} meanwhile")
    if action.employee or action.person is None:
        return
    if action.decided or action.finding is FindingKind.DUPLICATE_PERSON:
        return
    if arrived_elsewhere(session, source, action.person, context.policy, planned_at):
        raise StaleWriteError(f"{action.who} arrived through another source meanwhile")
