"""Alarms about runs and readings of one source: held, incomplete, in quarantine (R4, R7)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from provisioning.domain.alarms import Alarm, AlarmKind
from provisioning.domain.plan import APPROVAL_LIFETIME
from provisioning.mail.letters import moment_in
from provisioning.services.context import SCHEDULER, ServiceContext
from provisioning.services.quarantine import health_of
from provisioning.storage.counting import counted
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunActionRecord, RunRecord, RunState
from provisioning.storage.workers import is_alive

TRIED_TWICE = 2
"""Failures before anybody is told: what the next try mends, a minute later, is no news."""

_ENDED = (RunState.APPLIED, RunState.PARTIAL)


def run_alarms(session: Session, context: ServiceContext, source: SourceRecord) -> Iterator[Alarm]:
    """Yield what the latest plan of a source that can be decided, and its latest run, ask for."""
    approvable = RunRecord.started_at > context.now() - APPROVAL_LIFETIME
    held = _latest(session, source, RunRecord.state == RunState.HELD, approvable)
    if held is not None:
        yield _run_held(session, source, held)
    else:
        yield from _run_waits(session, context, source)
    latest = _latest(session, source, RunRecord.state.in_(_ENDED))
    if latest is not None and latest.state is RunState.PARTIAL:
        yield Alarm(
            kind=AlarmKind.RUN_PARTIAL,
            subject=source.name,
            state="partial",
            title=f"Run {latest.id} of {source.name} was not applied for everybody",
            sentences=(
                (
                    f"Run {latest.id} of {source.name} was applied, but failed for single people. "
                    "The others are as the directory says."
                ),
                "The next run tries them again. The page of the run says who they are and why.",
            ),
            path=f"/admin/runs/{latest.id}",
            action="See who, and why",
        )


def _run_waits(session: Session, context: ServiceContext, source: SourceRecord) -> Iterator[Alarm]:
    """Yield what the schedule planned and may not apply: nobody has seen its like (I10, R8)."""
    run = _latest(session, source, RunRecord.state != RunState.FAILED)
    if run is None or run.state is not RunState.READY or run.started_by != SCHEDULER.name:
        return
    if run.started_at <= context.now() - APPROVAL_LIFETIME:
        return
    if source.is_released:
        why = "the mapping or the scope is another than in the last run (R8)"
        what = "Look at the difference it makes, then apply the plan."
    else:
        why = "it is the first plan of the source, and nobody has released it yet (I10)"
        what = "If it is what you expect, release the source: then its runs act by themselves."
    yield Alarm(
        kind=AlarmKind.RUN_HELD,
        subject=source.name,
        state="rules" if source.is_released else "release",
        title=f"Plan {run.id} of {source.name} waits for you",
        sentences=(
            (
                f"Plan {run.id} of {source.name} was not applied: {why}. Nothing was changed, and "
                "nobody was written to."
            ),
            what,
        ),
        path=f"/admin/runs/{run.id}?digest={run.digest}",
        action="Look at the plan",
    )


def _run_held(session: Session, source: SourceRecord, run: RunRecord) -> Alarm:
    of_run = RunActionRecord.run_id == run.id
    held = counted(session, RunActionRecord.held, of_run, RunActionRecord.held.is_not(None))
    reasons = {reason: count for reason, count in held.items() if reason is not None}
    number = sum(reasons.values())
    actions = f"{number:,} action{' is' if number == 1 else 's are'}"
    return Alarm(
        kind=AlarmKind.RUN_HELD,
        subject=source.name,
        state=",".join(sorted(reasons)),
        title=f"Plan {run.id} of {source.name} needs you: {actions} held",
        sentences=(
            (
                f"In plan {run.id} of {source.name} {actions} held: "
                f"{'; '.join(sorted(reason.sentence for reason in reasons))}. Nothing of them was "
                "changed."
            ),
            (
                "Look at who they are. Approve the plan if this is what happened in the company. "
                "If not, reject it, and look at what changed in the directory: a filter, a group, "
                "an organisational unit."
            ),
            "It can be approved for 24 hours; then the next run makes a new plan.",
        ),
        path=f"/admin/runs/{run.id}?digest={run.digest}",
        action="See who, and decide",
    )


def failure_alarms(
    session: Session, context: ServiceContext, source: SourceRecord
) -> Iterator[Alarm]:
    """Yield what a source asks for that fails again and again, in quarantine or before it."""
    health = health_of(source)
    if health.failures < TRIED_TWICE:
        yield from _interrupted(session, context, source)
        return
    failed = _latest(session, source, RunRecord.state == RunState.INCOMPLETE)
    run, why = (failed.id, failed.error) if failed else (0, "")
    kept = "Nothing was changed: nobody is invited or dismissed by what cannot be read."
    said = f"Run {run} ended incomplete: {why}"
    if health.quarantined_until is not None and health.quarantines:
        until = moment_in(health.quarantined_until, context.time_zone)
        yield Alarm(
            kind=AlarmKind.SOURCE_QUARANTINED,
            subject=source.name,
            state="quarantined",
            title=f"{source.name} is in quarantine: it failed {health.failures} times",
            sentences=(
                (
                    f"{source.name} could not be read {health.failures} times in a row. It is left "
                    f"alone until {until}, is tried again then, and comes back by itself."
                ),
                said,
                kept,
                (
                    f"When the cause is gone, `usher sync {source.name}` reads it at once and ends "
                    "the quarantine."
                ),
            ),
            path=f"/admin/connections/{source.name}",
            action="Look at the connection",
        )
        return
    yield Alarm(
        kind=AlarmKind.SOURCE_FAILING,
        subject=source.name,
        state="failing",
        title=f"Runs of {source.name} fail",
        sentences=(said, kept, "It is tried again by itself, at growing distances."),
        path=f"/admin/connections/{source.name}",
        action="Look at the connection",
    )


def _interrupted(
    session: Session, context: ServiceContext, source: SourceRecord
) -> Iterator[Alarm]:
    """Yield what two readings in a row ask for whose process died: memory, or a power cut."""
    latest = session.scalars(_runs_of(source).limit(TRIED_TWICE)).all()
    now = context.now()
    died = [run for run in latest if run.state is RunState.FAILED and not is_alive(run, now)]
    if len(died) < TRIED_TWICE:
        return
    yield Alarm(
        kind=AlarmKind.SOURCE_FAILING,
        subject=source.name,
        state="interrupted",
        title=f"Runs of {source.name} are interrupted",
        sentences=(
            (
                f"The last {len(died)} runs of {source.name} ended with the process that read it: "
                "it was killed, or the machine went down. Nothing was changed."
            ),
            "It is tried again by itself. Look whether the machine has enough memory.",
        ),
        path=f"/admin/runs/{died[0].id}",
        action="Look at the run",
    )


def _runs_of(source: SourceRecord, *conditions: ColumnElement[bool]) -> Select[RunRecord]:
    """Return the runs of a source, the latest first."""
    return (
        select(RunRecord)
        .where(RunRecord.source_id == source.id, *conditions)
        .order_by(RunRecord.id.desc())
    )


def _latest(
    session: Session, source: SourceRecord, *conditions: ColumnElement[bool]
) -> RunRecord | None:
    return session.scalars(_runs_of(source, *conditions).limit(1)).one_or_none()
