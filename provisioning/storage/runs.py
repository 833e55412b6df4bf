"""Runs and their actions as rows: who works on which, and how far it came (R5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from provisioning.domain.actions import REMOVALS, Action
from provisioning.domain.errors import NotFoundError
from provisioning.domain.plan import Plan
from provisioning.domain.seats import SEATED
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.runs import (
    ActionStatus,
    RemovalRecord,
    RunActionRecord,
    RunRecord,
    RunState,
)
from provisioning.storage.sources import Source
from provisioning.storage.workers import is_alive

_AT_ONCE = 1_000
"""Actions written at once."""


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


def store_actions(
    session: Session, run_id: int, actions: Iterable[Action], *, first: int = 0
) -> None:
    """Write a plan's actions down in their order, numbered from `first` on."""
    rows = (
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
        for seq, action in enumerate(actions, start=first)
    )
    # Their documents together are more than the plan is.
    while some := list(islice(rows, _AT_ONCE)):
        session.execute(insert(RunActionRecord), some)


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


def did_anything(session: Session, run_id: int) -> bool:
    """Whether any action of a run was done."""
    done = RunActionRecord.status == ActionStatus.DONE
    return bool(session.scalar(select(exists().where(RunActionRecord.run_id == run_id, done))))


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


def removed_since(session: Session, source: Source, *since: datetime) -> Sequence[int]:
    """Return how many removals count since each moment: a source's people, every door (D5, D6).

    Whoever another source took out counts as well if this one knows them: two doors share one
    budget. What an administrator released does not count any more.
    """
    counts = (func.count(case((RemovalRecord.at >= moment, 1))) for moment in since)
    query = select(*counts).select_from(RemovalRecord).where(*_spent(source))
    return tuple(session.execute(query.where(RemovalRecord.at >= min(since))).one())


def release_removals(session: Session, source: Source) -> int:
    """Let nothing of what was removed so far count for a source's people; returns how many (D6)."""
    spent = select(RemovalRecord.id).where(*_spent(source))
    released = session.scalars(
        update(RemovalRecord)
        .where(RemovalRecord.id.in_(spent))
        .values(released=True)
        .returning(RemovalRecord.id),
        execution_options={"synchronize_session": False},
    )
    return len(released.all())


def _spent(source: Source) -> tuple[ColumnElement[bool], ...]:
    known = exists().where(
        LinkRecord.employee_id == RemovalRecord.employee_id, LinkRecord.source_id == source.id
    )
    return (
        RemovalRecord.intranet_id == source.intranet_id,
        RemovalRecord.released.is_(False),
        or_(RemovalRecord.source_id == source.id, known),
    )


def removals_under_way(session: Session, source: Source) -> int:
    """Return how many of a source's people a run that is being applied is about to remove (D6)."""
    ours = exists().where(
        LinkRecord.employee_id == RunActionRecord.employee_id, LinkRecord.source_id == source.id
    )
    query = (
        select(func.count())
        .select_from(RunActionRecord)
        .join(RunRecord, RunRecord.id == RunActionRecord.run_id)
        .where(
            RunRecord.intranet_id == source.intranet_id,
            RunRecord.state == RunState.APPLYING,
            RunActionRecord.status == ActionStatus.DUE,
            RunActionRecord.kind.in_(REMOVALS),
            ours,
        )
    )
    return session.scalar(query) or 0


def seated_people(session: Session, source: Source, *, at_most: int | None = None) -> int:
    """Return how many people of a source hold a seat: what shares are taken of (D5, D6).

    `at_most` is where counting may stop: it costs no more than that many people.
    """
    seated = (
        select(literal(1))
        .select_from(LinkRecord)
        .join(EmployeeRecord, EmployeeRecord.id == LinkRecord.employee_id)
        .where(
            LinkRecord.source_id == source.id,
            LinkRecord.hidden.is_(False),
            EmployeeRecord.state.in_(SEATED),
        )
        .limit(at_most)
    )
    return session.scalar(select(func.count()).select_from(seated.subquery())) or 0
