"""Runs and plans as commands, pages and machines show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from provisioning.domain.actions import REMOVALS, ActionKind
from provisioning.services.context import ServiceContext
from provisioning.services.hold_sentences import Held, hold_sentence, where_of
from provisioning.services.left_behind import LeftBehind, left_behind
from provisioning.services.seat_outlook import plan_what_if
from provisioning.services.sources import undone_run
from provisioning.services.undoing import is_undoable
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import ActionStatus, RunActionRecord, RunRecord, RunState
from provisioning.storage.runs import find_run

_AT_ONCE = 500

DRIFTED_SHOWN = 50
"""So many people who drifted are named on a run's page; the list of its actions has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One line of the list of runs."""

    run: int
    source: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    started_by: str
    read: int
    unchanged: int
    counts: dict[str, int]
    held: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRow:
    """One action of a plan."""

    seq: int
    action: str
    person: str
    display_name: str
    mail: str | None
    where: str
    anchor: str
    employee: str | None
    because: str
    held: str | None
    held_because: str | None
    status: str
    changes: list[dict[str, Any]]
    finding: str | None
    reason: str
    error: str | None
    left_behind: LeftBehind | None
    """For a removal: what they leave behind, or would (D7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """A run with its plan: what `usher plan --json` prints."""

    run: int
    source: str
    state: str
    digest: str
    read: int
    unchanged: int
    counts: dict[str, int]
    held: int
    limit_sentence: str
    seats_sentence: str
    """What would happen with more seats, while the plan can be applied; "" if nobody waits."""

    rules_changed: bool
    """Whether mapping or scope are others than those of the last run that was applied (R8)."""

    undoes: int | None
    """The run that this one takes back (D8)."""

    undone: int | None
    """The run whose undo this one would do again: it is shown first (D8)."""

    can_be_undone: bool
    drifted: Sequence[ActionRow]
    """What was not done because somebody or something was another by then (R4); the first ones."""

    drifted_count: int
    started_at: datetime
    finished_at: datetime | None
    started_by: str
    approved_by: str | None
    comment: str | None
    error: str | None
    proof: dict[str, Any] | None
    actions: Sequence[ActionRow]


_UNDECIDED = frozenset({RunState.READY, RunState.HELD})


class RunReports:
    """Reads runs; changes nothing."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def runs(self, *, limit: int = 30, source: str | None = None) -> Sequence[RunRow]:
        """Return the latest runs, newest first."""
        held = (
            select(func.count())
            .where(RunActionRecord.run_id == RunRecord.id, RunActionRecord.held.is_not(None))
            .scalar_subquery()
        )
        query = (
            select(RunRecord, SourceRecord.name, held)
            .join(SourceRecord, SourceRecord.id == RunRecord.source_id)
            .where(RunRecord.intranet_id == self._context.intranet_id)
            .order_by(RunRecord.id.desc())
            .limit(limit)
        )
        if source is not None:
            query = query.where(SourceRecord.name == source)
        with self._context.database.read() as session:
            return [_run_row(run, name, count) for run, name, count in session.execute(query)]

    def plan(
        self,
        run_id: int,
        *,
        kind: ActionKind | None = None,
        only_held: bool = False,
        after: int = -1,
        limit: int | None = None,
    ) -> PlanReport:
        """Return a run with its actions.

        Args:
            run_id: The run's number.
            kind: Only actions of this kind.
            only_held: Only actions that wait for an approval.
            after: The last `seq` of the page before.
            limit: Actions at most; None means all.

        Raises:
            NotFoundError: There is no such run.
        """
        query = _actions_of(run_id).where(RunActionRecord.seq > after).limit(limit)
        if kind is not None:
            query = query.where(RunActionRecord.kind == kind)
        held = RunActionRecord.held.is_not(None)
        if only_held:
            query = query.where(held)
        with self._context.database.read() as session:
            run = find_run(session, self._context.intranet_id, run_id)
            source = session.get_one(SourceRecord, run.source_id)
            actions = _action_rows(session, run_id, session.execute(query).all())
            waiting = session.execute(
                select(RunActionRecord.held, RunActionRecord.after).where(
                    RunActionRecord.run_id == run_id, held
                )
            )
            stopped = [Held(reason, document) for reason, document in waiting if reason]
            drifted = _action_rows(session, run_id, session.execute(_drifted(run_id)).all())
            drifted_count = session.scalar(_count(run_id, ActionStatus.DRIFTED)) or 0
            done = session.scalar(_count(run_id, ActionStatus.DONE)) or 0
            open_ = run.state in _UNDECIDED
            seats = plan_what_if(session, self._context, run_id).sentence if open_ else ""
        undecided = open_ and run.undoes is None
        undone = undone_run(source) if undecided else None
        rules_changed = undecided and undone is None and source.rules not in ("", run.rules)
        return PlanReport(
            run=run.id,
            source=source.name,
            state=run.state.value,
            digest=run.digest,
            read=run.read,
            unchanged=run.unchanged,
            counts=run.counts,
            held=len(stopped),
            limit_sentence=hold_sentence(
                stopped if run.state in _UNDECIDED else (),
                read=run.read,
                last=source.last_read,
                policy=self._context.policy,
                rules_changed=rules_changed,
            ),
            seats_sentence=seats,
            rules_changed=rules_changed,
            undoes=run.undoes,
            undone=undone,
            can_be_undone=bool(done) and is_undoable(run, self._context.now()),
            drifted=drifted,
            drifted_count=drifted_count,
            started_at=run.started_at,
            finished_at=run.finished_at,
            started_by=run.started_by,
            approved_by=run.approved_by,
            comment=run.comment,
            error=run.error,
            proof=run.proof,
            actions=actions,
        )


def _actions_of(run_id: int) -> Select[RunActionRecord, str, str | None]:
    return (
        select(RunActionRecord, EmployeeRecord.display_name, EmployeeRecord.contact_email)
        .outerjoin(EmployeeRecord, EmployeeRecord.id == RunActionRecord.employee_id)
        .where(RunActionRecord.run_id == run_id)
        .order_by(RunActionRecord.seq)
    )


def _drifted(run_id: int) -> Select[RunActionRecord, str, str | None]:
    drifted = RunActionRecord.status == ActionStatus.DRIFTED
    return _actions_of(run_id).where(drifted).limit(DRIFTED_SHOWN)


def _count(run_id: int, status: ActionStatus) -> Select[int]:
    return (
        select(func.count())
        .select_from(RunActionRecord)
        .where(RunActionRecord.run_id == run_id, RunActionRecord.status == status)
    )


def _run_row(run: RunRecord, source: str, held: int) -> RunRow:
    return RunRow(
        run=run.id,
        source=source,
        state=run.state.value,
        started_at=run.started_at,
        finished_at=run.finished_at,
        started_by=run.started_by,
        read=run.read,
        unchanged=run.unchanged,
        counts=run.counts,
        held=held,
        error=run.error,
    )


def _action_rows(
    session: Session, run_id: int, rows: Sequence[Row[RunActionRecord, str, str | None]]
) -> list[ActionRow]:
    """Return actions as they are shown, removals with what is left behind (D7)."""
    removed = [row.employee_id for row, *_ in rows if row.kind in REMOVALS and row.employee_id]
    legacies: dict[UUID, LeftBehind] = {}
    for some in range(0, len(removed), _AT_ONCE):
        legacies |= left_behind(session, removed[some : some + _AT_ONCE], run_id)
    return [
        _action_row(row, name, contact, legacies.get(row.employee_id) if row.employee_id else None)
        for row, name, contact in rows
    ]


def _action_row(
    row: RunActionRecord, name: str | None, contact: str | None, legacy: LeftBehind | None
) -> ActionRow:
    """Return an action as it is shown; who is gone is shown as the registry knows them."""
    document = row.after
    person = document.get("person") or {}
    return ActionRow(
        seq=row.seq,
        action=row.kind.value,
        person=row.who,
        display_name=person.get("display_name") or name or row.who,
        mail=person.get("mail") or contact,
        where=where_of(document),
        anchor=row.anchor,
        employee=str(row.employee_id) if row.employee_id else None,
        because=row.because,
        held=row.held.value if row.held else None,
        held_because=row.held.sentence if row.held else None,
        status=row.status.value,
        changes=[
            {"field": name, "old": old, "new": new}
            for name, old, new in document.get("changes", [])
        ],
        finding=document.get("finding"),
        reason=document.get("reason", ""),
        error=row.error,
        left_behind=legacy,
    )
