"""Undoing a run: its counter-plan is a run of its own, under the same guards (D8, R4, R5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.actions import Action
from provisioning.domain.errors import RunStateError
from provisioning.domain.guards import guard_removals
from provisioning.domain.plan import Plan, in_order
from provisioning.domain.planning import seat
from provisioning.domain.undoing import UNDO_DAYS, LeftAlone, likeness, undo
from provisioning.services.audit import record
from provisioning.services.budget import queue_removals
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.planning import ROLLING
from provisioning.services.seats import read_seats
from provisioning.services.settling import confirm
from provisioning.services.sources import remember_undone
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import (
    ActionStatus,
    RunActionRecord,
    RunKind,
    RunRecord,
    RunState,
)
from provisioning.storage.runs import (
    did_anything,
    find_run,
    removed_since,
    seated_people,
    store_actions,
    stored_plan,
)
from provisioning.storage.undoing import done_and_now, expire_plans, expire_undos


@dataclass(frozen=True, slots=True)
class CounterPlan:
    """What takes a run back, and what of it is left alone."""

    plan: Plan
    left: tuple[LeftAlone, ...]


class UndoService:
    """Plans the undo of a run; it is applied, approved and rejected as any other run."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def plan(self, run_id: int, actor: Actor) -> int:
        """Store what would take a run back, changing nothing; returns the undo's own number.

        Raises:
            NotFoundError: There is no such run.
            RunStateError: It is under way, an undo itself, too old, or did nothing.
        """
        context = self._context
        with context.database.write() as session:
            run = find_run(session, context.intranet_id, run_id, lock=True)
            self._require_undoable(session, run)
            counter = counter_plan(session, context, run)
            made = RunRecord(
                intranet_id=context.intranet_id,
                source_id=run.source_id,
                kind=RunKind.UNDO,
                undoes=run.id,
                state=RunState.HELD if counter.plan.held else RunState.READY,
                digest=counter.plan.digest(),
                counts=counter.plan.counts(),
                started_by=actor.name,
                started_at=context.now(),
                finished_at=context.now(),
            )
            expire_undos(session, run.id)
            session.add(made)
            session.flush()
            store_actions(session, made.id, counter.plan)
            _store_left(session, made.id, counter)
            return made.id

    def _require_undoable(self, session: Session, run: RunRecord) -> None:
        if run.kind is RunKind.UNDO:
            raise RunStateError(
                run.id,
                f"the undo of run {run.undoes}",
                "undone; the next run of the source plans it again",
            )
        if run.state is RunState.APPLYING:
            raise RunStateError(run.id, run.state, "undone before it has ended")
        if not is_undoable(run, self._context.now()):
            raise RunStateError(run.id, "more than 30 days old", "undone any more (D8)")
        if not did_anything(session, run.id):
            raise RunStateError(run.id, run.state, "undone: it changed nobody")


def is_undoable(run: RunRecord, now: datetime) -> bool:
    """Whether what a run did may be taken back still: for 30 days, and an undo never (D8)."""
    if run.kind is RunKind.UNDO or run.state is RunState.APPLYING or run.finished_at is None:
        return False
    return now - run.finished_at <= UNDO_DAYS


def counter_plan(session: Session, context: ServiceContext, run: RunRecord) -> CounterPlan:
    """Compare what a run did with what is there now, and let the guards look at it."""
    queue_removals(session, context.intranet_id)
    actions: list[Action] = []
    left: list[LeftAlone] = []
    for done, now in done_and_now(session, run):
        for one in undo(done, now, run=run.id, policy=context.policy):
            if isinstance(one, LeftAlone):
                left.append(one)
            else:
                actions.append(one)
    source = session.get_one(SourceRecord, run.source_id)
    guarded = guard_removals(
        actions,
        policy=context.policy,
        seated=lambda: seated_people(session, source),
        removed_recently=removed_since(session, source, context.now() - ROLLING)[0],
        proven=True,
    )
    policy = context.policy
    seated = seat(guarded, read_seats(session, context), policy)
    return CounterPlan(Plan(in_order(seated, policy)), tuple(left))


def settle_undo(context: ServiceContext, run_id: int, *, approved: bool) -> None:
    """Choose the actions of an undo that what is there now confirms; the others drifted (R4)."""
    with context.database.write() as session:
        run = session.get_one(RunRecord, run_id, with_for_update=True)
        if run.undoes is None:
            raise ValueError(f"run {run_id} takes nothing back")
        counter = counter_plan(session, context, session.get_one(RunRecord, run.undoes))
        confirmed = {likeness(action): action for action in counter.plan}
        why = {one.action.id.value: one.why for one in counter.left}
        for row in session.scalars(
            select(RunActionRecord).where(
                RunActionRecord.run_id == run_id, RunActionRecord.status == ActionStatus.PLANNED
            )
        ):
            action = confirmed.get(likeness(Action.from_json(row.after)))
            if action is None:
                row.status = ActionStatus.DRIFTED
                row.error = why.get(row.anchor, "changed since the undo was planned")
                continue
            confirm(row, action, approved=approved)
            row.kind, row.because = action.kind, str(action.because)
            row.fingerprint = action.fingerprint()
        run.settled = True
        session.flush()
        run.digest = stored_plan(session, run).digest()


def remember_undo(session: Session, context: ServiceContext, actor: Actor, run: RunRecord) -> None:
    """Write down that a run was taken back, if anything was: the next one is only planned (D8)."""
    if run.undoes is None or not did_anything(session, run.id):
        return
    source = session.get_one(SourceRecord, run.source_id)
    remember_undone(source, run.undoes)
    expire_plans(session, source.id)
    because = (
        f"{actor.name} undid run {run.undoes} by run {run.id}; the next run of {source.name} "
        "is only planned (D8)"
    )
    record(session, context, actor, "run_undone", because, run_id=run.id)


def _store_left(session: Session, run_id: int, counter: CounterPlan) -> None:
    """Keep with the undo what it leaves alone, and why: nothing is passed over silently."""
    first = len(counter.plan)
    told = [replace(one.action, held=None) for one in counter.left]
    store_actions(session, run_id, told, first=first)
    for seq, one in enumerate(counter.left, start=first):
        row = session.get_one(RunActionRecord, (run_id, seq))
        row.status, row.error = ActionStatus.DRIFTED, one.why
