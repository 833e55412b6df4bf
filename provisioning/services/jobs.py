"""Scheduled jobs as people see them: what, when, where, how it ended (R6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Protocol, Self

from provisioning.services.context import Actor
from provisioning.services.switches import Switch
from provisioning.storage.models.runs import JobRunRecord, NodeRecord

LOST_AFTER = timedelta(hours=2)
"""A job that was begun and never ended is taken over after so long."""

SILENT_AFTER = timedelta(seconds=90)
"""A scheduler that said nothing for so long does not run any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One run of a job, under way or over."""

    job: str
    source: str
    slot: str
    state: str
    """asked, running, done, failed, or lost: it began long ago and never ended."""

    node: str
    asked_by: str | None
    attempts: int
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    """From beginning to end."""

    error: str | None

    @classmethod
    def of(cls, row: JobRunRecord, now: datetime) -> Self:
        """Return a row as it is told."""
        lost = row.state == "running" and now - row.started_at > LOST_AFTER
        took = row.ended_at - row.started_at if row.ended_at else None
        return cls(
            job=row.job,
            source=row.source,
            slot=row.slot,
            state="lost" if lost else row.state,
            node=row.node,
            asked_by=row.asked_by,
            attempts=row.attempts,
            started_at=row.started_at,
            ended_at=row.ended_at,
            seconds=took.total_seconds() if took is not None else None,
            error=row.error,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """A job: what it does, when it comes next, how it went the last time."""

    name: str
    words: str
    paused: Switch | None
    stopped: Switch | None
    """The brake read-only, which stops every job."""

    next_run: datetime | None
    """When a scheduler looks at it next; None while it is paused or stopped."""

    last: JobRun | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A process that runs the schedule, or did a moment ago."""

    name: str
    started_at: datetime
    beat_at: datetime
    lives: bool

    @classmethod
    def of(cls, row: NodeRecord, now: datetime) -> Self:
        """Return a row as it is told."""
        return cls(
            name=row.name,
            started_at=row.started_at,
            beat_at=row.beat_at,
            lives=now - row.beat_at <= SILENT_AFTER,
        )


HISTORY_COLUMNS = (
    *("number", "job", "source", "slot", "began", "state", "node", "seconds"),
    *("tries", "asked by", "error"),
)


def history_cells(number: int, run: JobRun, zone: tzinfo) -> tuple[str, ...]:
    """Return a run of a job as one line of a table or file; see HISTORY_COLUMNS."""
    return (
        *(str(number), run.job, run.source, run.slot),
        *(f"{run.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}", run.state, run.node),
        *("" if run.seconds is None else f"{run.seconds:.1f}", str(run.attempts)),
        *(run.asked_by or "", run.error or ""),
    )


class JobDesk(Protocol):
    """Where jobs are looked at, run, paused and resumed."""

    def jobs(self) -> Sequence[JobReport]:
        """Return every job."""
        ...

    def history(
        self, job: str | None = None, *, before: int | None = None, limit: int = 50
    ) -> Sequence[tuple[int, JobRun]]:
        """Return what ran, newest first, each with its number.

        Raises:
            NotFoundError: There is no such job.
        """
        ...

    def nodes(self) -> Sequence[Node]:
        """Return the processes that run the schedule."""
        ...

    def next_night(self) -> datetime:
        """Return when the next nightly run is due, paused or not, in local time."""
        ...

    def run(self, name: str, actor: Actor) -> Sequence[str]:
        """Do a job here and now, due or not; returns what came of it, in words.

        Raises:
            NotFoundError: There is no such job.
            PausedError: It is paused.
            BrakeError: Nothing may be changed.
        """
        ...

    def ask(self, name: str, actor: Actor) -> None:
        """Have a scheduler do a job within seconds, due or not.

        Raises:
            NotFoundError: There is no such job.
            PausedError: It is paused.
            BrakeError: Nothing may be changed.
        """
        ...

    def pause(self, name: str, actor: Actor, comment: str) -> bool:
        """Stop a job on every node; false if it was paused before.

        Raises:
            NotFoundError: There is no such job.
        """
        ...

    def resume(self, name: str, actor: Actor) -> bool:
        """Let a job run again; false if it was not paused.

        Raises:
            NotFoundError: There is no such job.
        """
        ...
