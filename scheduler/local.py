"""Where jobs run on one machine: APScheduler threads in this process.

The job store is memory and says only when to look; whether there is something to do is
decided by the unique row of the slot, so that two processes never do it twice (R6).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, time
from functools import partial

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from provisioning.domain.errors import ProvisioningError
from provisioning.services.container import Services
from scheduler.jobs import ACTOR, Job, Schedule, jobs, next_night

log = structlog.get_logger(__name__)

MISFIRE_SECONDS = 6 * 3600
"""A tick that comes late still counts; a late night is a night."""


class LocalScheduler:
    """Ticks every job in threads of this process."""

    def __init__(self, services: Services, schedule: Schedule) -> None:
        """Prepare every job; nothing runs before `start`."""
        self._services = services
        self._schedule = schedule
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": MISFIRE_SECONDS,
            },
        )
        for job in jobs(services, schedule).values():
            self._scheduler.add_job(
                _guarded,
                "interval",
                args=[job],
                seconds=job.every.total_seconds(),
                id=job.name,
                next_run_time=datetime.now(UTC),
            )

    def start(self) -> None:
        """Finish what a killed process left, then tick."""
        for name, source in self._services.sources.items():
            if source.directory is not None:
                _guarded_call(f"resume {name}", partial(self._services.runs.resume, name, ACTOR))
        self._scheduler.start()

    def stop(self) -> None:
        """Let what runs come to its end, and start nothing more."""
        self._scheduler.shutdown(wait=True)

    def run_forever(self, stopping: threading.Event) -> None:
        """Tick until somebody sets the event."""
        self.start()
        stopping.wait()
        self.stop()


def next_run(services: Services, at: time) -> datetime:
    """Return when the next nightly run is due, in local time."""
    return next_night(services.context.now().astimezone(services.context.time_zone), at)


def _guarded(job: Job) -> None:
    """Run one tick; an error is the tick's end, not the scheduler's."""
    _guarded_call(job.name, job.tick)


def _guarded_call(name: str, work: Callable[[], object]) -> None:
    try:
        work()
    except ProvisioningError as error:
        log.warning("job_failed", job=name, code=error.code, reason=str(error))
    except SQLAlchemyError as error:
        log.warning("job_lost_the_database", job=name, reason=type(error).__name__)
