"""What seats will do, from what the registry knows (L8): the forecast, and a plan's what-if."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provisioning.domain.actions import REMOVALS, SEAT_TAKERS, ActionKind
from provisioning.domain.outlook import WINDOW, Outlook, SeatDay, WhatIf, outlook, what_if
from provisioning.domain.seats import SEATED
from provisioning.services.context import ServiceContext
from provisioning.services.seats import read_seats
from provisioning.services.stale import stale_ids
from provisioning.storage.counting import counted
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import SeatDayRecord
from provisioning.storage.models.runs import ActionStatus, RunActionRecord


def seat_outlook(context: ServiceContext) -> Outlook:
    """Return when seats run out at the pace of the last weeks, or why that cannot be told."""
    today = context.today()
    query = (
        select(SeatDayRecord.day, SeatDayRecord.taken)
        .where(
            SeatDayRecord.intranet_id == context.intranet_id,
            SeatDayRecord.day >= today - WINDOW,
            SeatDayRecord.day < today,
        )
        .order_by(SeatDayRecord.day)
    )
    with context.database.read() as session:
        history = [SeatDay(day, taken) for day, taken in session.execute(query)]
        return outlook(read_seats(session, context), history, today)


def plan_what_if(session: Session, context: ServiceContext, run_id: int) -> WhatIf:
    """Return what a stored plan would do with more seats; what is held or done is left out."""
    here = (
        RunActionRecord.run_id == run_id,
        RunActionRecord.held.is_(None),
        RunActionRecord.status == ActionStatus.PLANNED,
    )
    counts = counted(session, RunActionRecord.kind, *here)
    leaving = select(RunActionRecord.employee_id).where(
        *here, RunActionRecord.kind.in_(REMOVALS), RunActionRecord.employee_id.is_not(None)
    )
    freed = select(func.count()).where(
        EmployeeRecord.id.in_(leaving), EmployeeRecord.state.in_(SEATED)
    )
    stale = stale_ids(context).where(EmployeeRecord.id.not_in(leaving)).subquery()
    return what_if(
        read_seats(session, context),
        invited=sum(counts.get(kind, 0) for kind in SEAT_TAKERS),
        waiting=counts.get(ActionKind.WAIT, 0),
        freed=session.scalar(freed) or 0,
        stale=session.scalar(select(func.count()).select_from(stale)) or 0,
    )
