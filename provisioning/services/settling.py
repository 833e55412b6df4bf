"""Between a plan and its apply: plan afresh, and do exactly what is in both (R4)."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from provisioning.domain.plan import Plan
from provisioning.services.budget import within_budget
from provisioning.services.context import Actor, ConfiguredSource, ServiceContext
from provisioning.services.planning import Planner
from provisioning.storage.models.runs import (
    ActionStatus,
    RunActionRecord,
    RunPersonRecord,
    RunRecord,
    RunState,
)
from provisioning.storage.runs import delete_run, store_actions, stored_plan


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
    fresh_id = Planner(context=context, source=source).plan(actor, kind="afresh")
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
            row.after, held_before, row.held = action.to_json(), row.held, action.held
            may_do = action.held is None or (approved and held_before is not None)
            row.status = ActionStatus.DUE if may_do else ActionStatus.PLANNED
        session.execute(delete(RunPersonRecord).where(RunPersonRecord.run_id == run_id))
        session.execute(
            update(RunPersonRecord).where(RunPersonRecord.run_id == fresh_id).values(run_id=run_id)
        )
        run.read, run.mapping_version = fresh_run.read, fresh_run.mapping_version
        run.settled = True
        session.flush()
        # What a guard holds only now has to be approved by a digest that says so.
        run.digest = stored_plan(session, run).digest()
        session.execute(delete(RunActionRecord).where(RunActionRecord.run_id == fresh_id))
        new = tuple(action for action in fresh if action.fingerprint() in confirmed)
        plan = Plan(new, read=fresh.read, unchanged=fresh.unchanged)
        if new and not _is_waiting_already(session, fresh_run, plan):
            _keep_as_plan(fresh_run, plan)
            session.flush()
            store_actions(session, fresh_id, new)
        else:
            delete_run(session, fresh_id)


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
    run.kind = "full"
    run.state = RunState.HELD if plan.held else RunState.READY
    run.digest = plan.digest()
    run.counts = plan.counts()
