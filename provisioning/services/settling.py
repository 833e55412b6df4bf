"""Between a plan and its apply: what is still wanted, and what somebody has to see (R4, R8)."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from provisioning.domain.actions import Action, HoldReason
from provisioning.domain.plan import Plan
from provisioning.services.budget import within_budget
from provisioning.services.context import Actor, ConfiguredSource, ServiceContext
from provisioning.services.planning import Planner
from provisioning.services.sources import remember_reading_of
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import (
    ActionStatus,
    RunActionRecord,
    RunKind,
    RunPersonRecord,
    RunRecord,
    RunState,
)
from provisioning.storage.runs import delete_run, store_actions, stored_plan
from provisioning.storage.staging import drop_staged, forget_undone


def settle_afresh(
    context: ServiceContext,
    source: ConfiguredSource,
    run_id: int,
    actor: Actor,
    *,
    approved: bool,
) -> None:
    """Choose the actions of a run that a fresh plan confirms.

    What is gone has drifted; what is new becomes a plan of its own. Held actions are chosen
    only if the run was approved, and only those that were held when it was.

    Raises:
        SourceError: The source could not be read again; nothing was chosen.
    """
    fresh_id = Planner(context=context, source=source).plan(actor, kind=RunKind.AFRESH)
    with context.database.write() as session:
        run = session.get_one(RunRecord, run_id, with_for_update=True)
        fresh_run = session.get_one(RunRecord, fresh_id)
        fresh = within_budget(session, context, fresh_run, stored_plan(session, fresh_run))
        confirmed = {action.fingerprint(): action for action in fresh}
        for row in session.scalars(
            select(RunActionRecord).where(
                RunActionRecord.run_id == run_id,
                RunActionRecord.status == ActionStatus.PLANNED,
            )
        ):
            action = confirmed.pop(row.fingerprint, None)
            if action is None:
                row.status, row.error = ActionStatus.DRIFTED, "the directory no longer asks for it"
                continue
            confirm(row, action, approved=approved)
        session.execute(delete(RunPersonRecord).where(RunPersonRecord.run_id == run_id))
        session.execute(
            update(RunPersonRecord).where(RunPersonRecord.run_id == fresh_id).values(run_id=run_id)
        )
        forget_undone(session, run_id, fresh_id)
        run.read, run.mapping_version = fresh_run.read, fresh_run.mapping_version
        # The fresh reading is the one that is applied. The rules stay those that were shown: what
        # other ones would do beside it, nobody saw (R8).
        run.kind, run.proof = RunKind.FULL, fresh_run.proof
        run.settled = True
        session.flush()
        # What a guard holds only now has to be approved by a digest that says so.
        run.digest = stored_plan(session, run).digest()
        session.execute(delete(RunActionRecord).where(RunActionRecord.run_id == fresh_id))
        new = tuple(action for action in fresh if action.fingerprint() in confirmed)
        if new:
            # Where changes began before begins the next look too: it tells of them once more.
            mark = session.get_one(SourceRecord, run.source_id).mark
            run.proof = {**(run.proof or {}), "mark": mark or ""}
        plan = Plan(new, read=fresh.read, unchanged=fresh.unchanged)
        if new and not _is_waiting_already(session, fresh_run, plan):
            _keep_as_plan(fresh_run, plan)
            session.flush()
            store_actions(session, fresh_id, new)
        else:
            delete_run(session, fresh_id)


def confirm(row: RunActionRecord, action: Action, *, approved: bool) -> None:
    """Choose an action that a fresh plan confirms; a held one stays, unless its hold was approved.

    What nobody could approve, because it was not held when the plan was shown, is not chosen.
    """
    approvable = row.held is not None and action.held is not HoldReason.BRAKE
    may_do = action.held is None or (approved and approvable)
    row.after, row.held = action.to_json(), action.held
    row.status = ActionStatus.DUE if may_do else ActionStatus.PLANNED


def must_be_shown(context: ServiceContext, run_id: int) -> bool:
    """Whether a run would do something by rules that nobody saw the effect of (R8), or again.

    What was undone is done again only by somebody who saw it (D8).
    """
    with context.database.read() as session:
        run = session.get_one(RunRecord, run_id)
        rules = session.get_one(SourceRecord, run.source_id).rules
        return rules not in ("", run.rules) and any(run.counts.values())


def is_news(context: ServiceContext, run_id: int) -> bool:
    """Whether changes were read at all; a run of nothing is forgotten, its mark is not."""
    with context.database.write() as session:
        run = session.get_one(RunRecord, run_id)
        if run.read or any(run.counts.values()):
            return True
        remember_reading_of(session.get_one(SourceRecord, run.source_id), run)
        drop_staged(session, run_id)
        delete_run(session, run_id)
        return False


def expire_older(context: ServiceContext, run_id: int) -> None:
    """Let a newer plan of everyone replace those that wait: they speak of yesterday."""
    with context.database.write() as session:
        run = session.get_one(RunRecord, run_id)
        if run.kind is RunKind.CHANGES:
            return
        older = session.scalars(
            select(RunRecord).where(
                RunRecord.source_id == run.source_id,
                RunRecord.id < run_id,
                RunRecord.kind != RunKind.UNDO,
                RunRecord.state.in_([RunState.READY, RunState.HELD]),
            )
        ).all()
        for old in older:
            old.state = RunState.EXPIRED
            drop_staged(session, old.id)


def _is_waiting_already(session: Session, fresh_run: RunRecord, plan: Plan) -> bool:
    """Whether the very same plan of this source is there to be decided."""
    same = select(RunRecord.id).where(
        RunRecord.source_id == fresh_run.source_id,
        RunRecord.id != fresh_run.id,
        RunRecord.state.in_([RunState.READY, RunState.HELD]),
        RunRecord.digest == plan.digest(),
    )
    return session.scalar(same.limit(1)) is not None


def _keep_as_plan(run: RunRecord, plan: Plan) -> None:
    run.kind = RunKind.FULL
    run.state = RunState.HELD if plan.held else RunState.READY
    run.digest = plan.digest()
    run.counts = plan.counts()
