"""Runs and plans as commands, pages and machines show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from provisioning.domain.actions import ActionKind
from provisioning.services.action_rows import (
    ActionRow,
    action_rows,
    actions_of,
    count_drifted,
    drifted_of,
)
from provisioning.services.context import ServiceContext
from provisioning.services.hold_sentences import Held, hold_sentence
from provisioning.services.seat_outlook import plan_what_if
from provisioning.services.sources import undone_run
from provisioning.services.undoing import is_undoable
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunActionRecord, RunRecord, RunState
from provisioning.storage.runs import did_anything, find_run


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
        query = actions_of(run_id).where(RunActionRecord.seq > after).limit(limit)
        if kind is not None:
            query = query.where(RunActionRecord.kind == kind)
        held = RunActionRecord.held.is_not(None)
        if only_held:
            query = query.where(held)
        with self._context.database.read() as session:
            run = find_run(session, self._context.intranet_id, run_id)
            source = session.get_one(SourceRecord, run.source_id)
            actions = action_rows(session, run_id, query)
            waiting = session.execute(
                select(RunActionRecord.held, RunActionRecord.after).where(
                    RunActionRecord.run_id == run_id, held
                )
            )
            stopped = [Held(reason, document) for reason, document in waiting if reason]
            drifted = action_rows(session, run_id, drifted_of(run_id))
            drifted_count = session.scalar(count_drifted(run_id)) or 0
            can_be_undone = is_undoable(run, self._context.now()) and did_anything(session, run_id)
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
            can_be_undone=can_be_undone,
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
