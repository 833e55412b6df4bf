"""What a run did and what is there now, as its undo compares them (D8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from provisioning.domain.actions import Action
from provisioning.domain.undoing import Done, Standing
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.runs import ActionStatus, RunActionRecord, RunRecord, RunState
from provisioning.storage.registry import STREAM_ROWS, registered_among

_AT_ONCE = 500
"""People compared at a time: so many bound values any database takes."""


def done_and_now(session: Session, run: RunRecord) -> Iterator[tuple[Done, Standing | None]]:
    """Yield everything a run did, with who is linked by the same directory id now."""
    query = (
        select(RunActionRecord)
        .where(RunActionRecord.run_id == run.id, RunActionRecord.status == ActionStatus.DONE)
        .order_by(RunActionRecord.seq)
    )
    rows = session.scalars(query, execution_options={"yield_per": STREAM_ROWS})
    for some in rows.partitions(_AT_ONCE):
        standing = _standing(session, run.source_id, [row.anchor for row in some])
        for row in some:
            yield _done(row), standing.get(row.anchor)


def _done(row: RunActionRecord) -> Done:
    return Done(
        action=Action.from_json(row.after), before=row.before or {}, left_since=row.left_since
    )


def _standing(session: Session, source_id: UUID, anchors: Sequence[str]) -> dict[str, Standing]:
    people = registered_among(session, source_id, anchors)
    ids = [person.employee_id for person in people]
    found = session.execute(
        select(EmployeeRecord.id, EmployeeRecord.state_since).where(EmployeeRecord.id.in_(ids))
    )
    since = {id_: moment for id_, moment in found}  # noqa: C416 - rows are not tuples to mypy
    return {
        person.anchor: Standing(registered=person, since=since[person.employee_id])
        for person in people
    }


def said_of(session: Session, source_id: UUID, anchor: str) -> dict[str, Any] | None:
    """Return a person as their source described them last; None if nobody is linked."""
    return session.scalar(
        select(LinkRecord.applied).where(
            LinkRecord.source_id == source_id, LinkRecord.anchor == anchor
        )
    )


def expire_undos(session: Session, run_id: int) -> None:
    """Let a newer undo of a run replace those that wait."""
    _expire(session, RunRecord.undoes == run_id)


def expire_plans(session: Session, source_id: UUID) -> None:
    """Let no plan that waits do again, or by the way, what was just undone."""
    _expire(session, RunRecord.source_id == source_id, RunRecord.undoes.is_(None))


def _expire(session: Session, *conditions: ColumnElement[bool]) -> None:
    session.execute(
        update(RunRecord)
        .where(*conditions, RunRecord.state.in_([RunState.READY, RunState.HELD]))
        .values(state=RunState.EXPIRED),
        execution_options={"synchronize_session": False},
    )
