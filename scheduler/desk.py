"""The schedule told to people, and what they may do with it (R6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from provisioning.domain.brakes import Brake
from provisioning.domain.errors import NotFoundError
from provisioning.services.container import Services
from provisioning.services.context import Actor
from provisioning.services.jobs import JobReport, JobRun, Node
from provisioning.services.slots import tried_again
from provisioning.storage.models.runs import JobRunRecord
from scheduler.jobs import jobs
from scheduler.schedule import Job, Schedule


class Desk:
    """Every job with its next and its last run; pausing, resuming and running them."""

    def __init__(self, services: Services, schedule: Schedule) -> None:
        """Keep the jobs at hand."""
        self._services = services
        self._jobs = jobs(services, schedule)

    def jobs(self) -> Sequence[JobReport]:
        """Return every job."""
        services, now = self._services, self._services.context.now()
        paused, latest = services.switches.pauses(), services.slots.latest()
        stopped = next(b.on for b in services.switches.brakes() if b.name is Brake.READ_ONLY)
        return [
            JobReport(
                name=name,
                words=job.words,
                paused=paused.get(name),
                stopped=stopped,
                next_run=None
                if name in paused or stopped
                else _next_run(job, latest.get(name), now),
                last=JobRun.of(latest[name], now) if name in latest else None,
            )
            for name, job in self._jobs.items()
        ]

    def history(
        self, job: str | None = None, *, before: int | None = None, limit: int = 50
    ) -> Sequence[tuple[int, JobRun]]:
        """Return what ran, newest first, each with its number.

        Raises:
            NotFoundError: There is no such job.
        """
        if job is not None:
            self._find(job)
        rows = self._services.slots.history(job, before=before, limit=limit)
        now = self._services.context.now()
        return [(row.id, JobRun.of(row, now)) for row in rows]

    def nodes(self) -> Sequence[Node]:
        """Return the processes that run the schedule."""
        return self._services.nodes.nodes()

    def next_night(self) -> datetime:
        """Return when the next nightly run is due, paused or not, in local time."""
        return self._jobs["nightly"].following(self._services.context.now())

    def run(self, name: str, actor: Actor) -> Sequence[str]:
        """Do a job here and now, due or not; returns what came of it, in words.

        Raises:
            NotFoundError: There is no such job.
            PausedError: It is paused.
            BrakeError: Nothing may be changed.
        """
        return self._services.slots.by_hand(name, actor, self._find(name).now)

    def ask(self, name: str, actor: Actor) -> None:
        """Have a scheduler do a job within seconds, due or not.

        Raises:
            NotFoundError: There is no such job.
            PausedError: It is paused.
            BrakeError: Nothing may be changed.
        """
        self._find(name)
        self._services.slots.ask(name, actor)

    def pause(self, name: str, actor: Actor, comment: str) -> bool:
        """Stop a job on every node; false if it was paused before.

        Raises:
            NotFoundError: There is no such job.
        """
        self._find(name)
        return self._services.switches.pause(name, actor, comment)

    def resume(self, name: str, actor: Actor) -> bool:
        """Let a job run again; false if it was not paused.

        Raises:
            NotFoundError: There is no such job.
        """
        self._find(name)
        return self._services.switches.resume(name, actor)

    def _find(self, name: str) -> Job:
        if name not in self._jobs:
            raise NotFoundError("job", f'"{name}"', hint=f"there are: {', '.join(self._jobs)}")
        return self._jobs[name]


def _next_run(job: Job, last: JobRunRecord | None, now: datetime) -> datetime:
    """Return when a job is due next, or is tried again if it failed."""
    due = job.following(now)
    if last is None or last.state != "failed" or last.asked_by is not None:
        return due
    return min(due, max(now, tried_again(last)))
