"""What came of an action outside a run: no plan shows it, so somebody has to be told."""

from __future__ import annotations

from sqlalchemy.orm import Session

from provisioning.domain.actions import Action
from provisioning.domain.employees import SERVED_BY_ITSELF
from provisioning.domain.errors import SeatLimitError
from provisioning.domain.findings import Finding, FindingKind
from provisioning.domain.policy import WhenFull
from provisioning.services.context import ServiceContext
from provisioning.services.findings import open_finding
from provisioning.services.seats import read_seats
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import SourceRecord


def reject_if_full(
    session: Session, context: ServiceContext, employee: EmployeeRecord | None
) -> None:
    """Undo everything when nobody may wait and somebody would (L3).

    It is judged by what came of the action: another may have taken the seat it counted on.

    Raises:
        SeatLimitError: They would wait for a seat, and the policy says to reject.
    """
    if context.policy.when_full is not WhenFull.REJECT or employee is None:
        return
    if employee.waiting_since and employee.state_reason in SERVED_BY_ITSELF:
        seats = read_seats(session, context)
        raise SeatLimitError(limit=seats.limit or 0, taken=seats.taken)


def report_held(
    session: Session, context: ServiceContext, source: SourceRecord, action: Action
) -> None:
    """The source sees what it set; an administrator sees what did not happen (D4, S7)."""
    if action.employee is None or action.held is None:
        return
    removal = action.is_removal
    finding = Finding(
        kind=FindingKind.DEPARTED_STILL_ACTIVE if removal else FindingKind.RETURN_HELD,
        subject=str(action.employee.id),
        evidence=(("because", str(action.because)), ("held", action.held.sentence)),
    )
    open_finding(
        session,
        context,
        finding,
        who=action.who,
        employee_id=action.employee.id,
        source_id=source.id,
    )
