"""The budget of removals that runs and SCIM share, measured in the transaction that spends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.breaker import Budget, people_needed
from provisioning.domain.guards import hold_rolling_share
from provisioning.domain.plan import Plan
from provisioning.services.context import ServiceContext
from provisioning.services.planning import ROLLING
from provisioning.storage.locks import take_turn, turn_of
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunActionRecord, RunRecord
from provisioning.storage.runs import (
    mark_due,
    release_removals,
    removals_under_way,
    removed_since,
    seated_people,
    stored_plan,
)
from provisioning.storage.sources import Source

DAY = timedelta(days=1)
"""What a night is to a run: the time within which pushed removals are "at once" (D6)."""


def queue_removals(session: Session, intranet_id: UUID) -> None:
    """Let transactions that spend the budget of an intranet wait for each other.

    Take it before the budget is measured, and before an employee is locked. SQLite has one
    writer at a time anyway.
    """
    # Another number than that of newcomers: nobody needs both.
    take_turn(session, turn_of(intranet_id, other=True))


def measured(session: Session, context: ServiceContext, source: Source) -> Budget:
    """Return what is spent, with what a run under way is about to spend (D6)."""
    day, week = _spent(session, context, source)
    seated = seated_people(session, source)
    return Budget(seated=seated, removed_in_a_day=day, removed_in_seven_days=week)


def measured_for_one(session: Session, context: ServiceContext, source: Source) -> Budget:
    """Return what is spent, with as many of the seated as one more removal needs (D6).

    The first removals always go through, and the others by a share of the people: whether there
    are enough of them is known long before all are counted.
    """
    day, week = _spent(session, context, source)
    needed = people_needed(context.policy, in_a_day=day, in_seven_days=week)
    seated = seated_people(session, source, at_most=needed) if needed else 0
    return Budget(seated=seated, removed_in_a_day=day, removed_in_seven_days=week)


def _spent(session: Session, context: ServiceContext, source: Source) -> tuple[int, int]:
    """Return what was removed in a day and in seven, or is about to be by a run under way."""
    now, under_way = context.now(), removals_under_way(session, source)
    day, week = removed_since(session, source, now - DAY, now - ROLLING)
    return day + under_way, week + under_way


def restart(session: Session, context: ServiceContext, source: Source) -> int:
    """Forget what the budget of a source's people was spent on; returns how much that was (D6)."""
    queue_removals(session, context.intranet_id)
    return release_removals(session, source)


def within_budget(session: Session, context: ServiceContext, run: RunRecord, plan: Plan) -> Plan:
    """Return a plan with its removals held if SCIM has spent the week's share meanwhile (D6).

    Call it in the transaction that chooses what to apply: from then on the chosen removals
    count as spent, done or not.
    """
    removed = _removed_meanwhile(session, context, run)
    return _held_back(session, context, run, plan, removed) if removed else plan


def choose_within_budget(session: Session, context: ServiceContext, run: RunRecord) -> None:
    """Choose what no guard holds, for a run that was planned a moment ago."""
    removed = _removed_meanwhile(session, context, run)
    if removed:
        plan = stored_plan(session, run)
        guarded = _held_back(session, context, run, plan, removed)
        if guarded != plan:
            _rewrite_held(session, run.id, guarded)
            run.digest = guarded.digest()
    mark_due(session, run.id)


def _removed_meanwhile(session: Session, context: ServiceContext, run: RunRecord) -> int:
    """Return the removals of seven days, if any of them came after the run had looked; else 0."""
    queue_removals(session, context.intranet_id)
    source = session.get_one(SourceRecord, run.source_id)
    meanwhile, removed = removed_since(session, source, run.started_at, context.now() - ROLLING)
    return removed if meanwhile else 0


def _held_back(
    session: Session, context: ServiceContext, run: RunRecord, plan: Plan, removed: int
) -> Plan:
    source = session.get_one(SourceRecord, run.source_id)
    limit = context.policy.rolling_limit(seated_people(session, source) + removed)
    return replace(
        plan,
        actions=tuple(hold_rolling_share(plan.actions, removed_recently=removed, limit=limit)),
    )


def _rewrite_held(session: Session, run_id: int, plan: Plan) -> None:
    rows = session.scalars(
        select(RunActionRecord)
        .where(RunActionRecord.run_id == run_id)
        .order_by(RunActionRecord.seq)
    )
    for row, action in zip(rows, plan, strict=True):
        row.held, row.after = action.held, action.to_json()
    session.flush()
