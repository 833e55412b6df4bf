"""Runs and their actions as rows: who works on which, and how far it came (R5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from provisioning.domain.actions import Action
from provisioning.domain.errors import NotFoundError
from provisioning.domain.plan import Plan
from provisioning.storage.core import execute, this
from provisioning.storage.models.runs import (
    ActionStatus,
    RemovalRecord,
    RunActionRecord,
    RunRecord,
    RunState,
)
from provisioning.storage.workers import is_alive


def find_run(session: Session, intranet_id: UUID, run_id: int, *, lock: bool = False) -> RunRecord:
    """Return a run of this intranet.

    Raises:
        NotFoundError: There is none.
    """
    run = session.get(RunRecord, run_id, with_for_update=lock or None, populate_existing=lock)
    if run is None or run.intranet_id != intranet_id:
        raise NotFoundError("run", run_id, hint="`usher runs` lists them")
    return run


def interrupted_run(session: Session, source_id: UUID, now: datetime) -> int | None:
    """Return the source's run that nobody applies any more, if there is one."""
    run = session.scalars(
        select(RunRecord).where(
            RunRecord.source_id == source_id, RunRecord.state == RunState.APPLYING
        )
    ).one_or_none()
    return run.id if run is not None and not is_alive(run, now) else None


def store_actions(session: Session, run_id: int, actions: Iterable[Action]) -> None:
    """Write a plan's actions down in their order."""
    rows = [
        {
            "run_id": run_id,
            "seq": seq,
            "kind": action.kind,
            "employee_id": action.employee.id if action.employee else None,
            "anchor": action.id.value,
            "who": action.who,
            "fingerprint": action.fingerprint(),
            "before": {change.name: change.old for change in action.changes},
            "after": action.to_json(),
            "because": str(action.because),
            "held": action.held,
            "status": ActionStatus.PLANNED,
        }
        for seq, action in enumerate(actions)
    ]
    if rows:
        session.execute(insert(RunActionRecord), rows)


def stored_plan(session: Session, run: RunRecord) -> Plan:
    """Return a run's plan as it was stored."""
    documents = session.scalars(
        select(RunActionRecord.after)
        .where(RunActionRecord.run_id == run.id)
        .order_by(RunActionRecord.seq)
    )
    return Plan(
        tuple(Action.from_json(document) for document in documents),
        read=run.read,
        unchanged=run.unchanged,
    )


def due_actions(session: Session, run_id: int) -> Sequence[int]:
    """Return the numbers of the actions that are still to be done, in order."""
    return session.scalars(
        select(RunActionRecord.seq)
        .where(RunActionRecord.run_id == run_id, RunActionRecord.status == ActionStatus.DUE)
        .order_by(RunActionRecord.seq)
    ).all()


def mark_due(session: Session, run_id: int) -> None:
    """Choose every action that is not held."""
    session.execute(
        update(RunActionRecord)
        .where(
            RunActionRecord.run_id == run_id,
            RunActionRecord.status == ActionStatus.PLANNED,
            RunActionRecord.held.is_(None),
        )
        .values(status=ActionStatus.DUE),
        execution_options={"synchronize_session": False},
    )


def delete_run(session: Session, run_id: int) -> None:
    """Forget a run that was only a step of another."""
    session.execute(delete(RunActionRecord).where(RunActionRecord.run_id == run_id))
    session.execute(delete(RunRecord).where(RunRecord.id == run_id))


def removed_since(session: Session, source_id: UUID, since: datetime) -> int:
    """Return how many removals of a source were counted since then, over every door (D5)."""
    return int(execute(session, _REMOVED, this_source_id=source_id, since=since).scalar_one())


_REMOVED = select(func.count()).where(
    this(RemovalRecord.source_id), RemovalRecord.at >= bindparam("since")
)
