"""Where jobs run on one machine: APScheduler threads in this process.

The job store is memory and says only when to look; whether there is something to do is
decided by the unique row of the slot, so that two processes never do it twice (R6).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from provisioning.domain.errors import ProvisioningError
from provisioning.services.container import Services
from provisioning.services.context import SCHEDULER
from scheduler.jobs import jobs
from scheduler.schedule import Schedule

log = structlog.get_logger(__name__)

MISFIRE_SECONDS = 6 * 3600
"""A tick that comes late still counts; a late night is a night."""

BEAT = timedelta(seconds=10)
"""Between two signs of life."""

ASKED = timedelta(seconds=5)
"""Between looks at what somebody asked for."""

WAKE_SECONDS = 0.5
"""Between looks of the main thread at signals that another thread was handed."""

DRAIN_SECONDS = 20
"""How long a job that runs may go on after SIGTERM; it stops between two people or letters."""


class LocalScheduler:
    """Ticks every job in threads of this process."""

    def __init__(self, services: Services, schedule: Schedule) -> None:
        """Prepare every job; nothing runs before `start`."""
        self._services = services
        self._stopping = threading.Event()
        self._jobs = jobs(services, schedule, self._stopping.is_set)
        # The sign of life waits behind no job: each has a thread, and so has it.
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={
                "default": ThreadPoolExecutor(len(self._jobs) + 1),
                "beat": ThreadPoolExecutor(1),
            },
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": MISFIRE_SECONDS,
            },
        )
        for job in self._jobs.values():
            self._add(job.name, job.tick, job.every)
        by_hand = {job.name: job.now for job in self._jobs.values()}
        self._add("asked", partial(services.slots.do_asked, by_hand), ASKED)
        self._add("beat", services.nodes.beat, BEAT, executor="beat")

    def start(self) -> None:
        """Finish what a killed process left, then tick."""
        _guarded("beat", self._services.nodes.beat)
        for name, source in self._services.sources.items():
            if source.directory is not None:
                _guarded(f"resume {name}", partial(self._services.runs.resume, name, SCHEDULER))
        self._scheduler.start()

    def stop(self) -> bool:
        """Let what runs come to a good place to stop, and start nothing more.

        Returns whether everything did in time; what did not is resumed by whoever starts next.
        """
        self._stopping.set()
        waiting = threading.Thread(target=self._scheduler.shutdown, daemon=True)
        waiting.start()
        waiting.join(DRAIN_SECONDS)
        _guarded("leave", self._services.nodes.leave)
        if waiting.is_alive():
            log.warning("jobs_cut_short", seconds=DRAIN_SECONDS)
        return not waiting.is_alive()

    def run_forever(self, stopping: threading.Event) -> bool:
        """Tick until somebody sets the event; returns what `stop` returns."""
        self.start()
        # A signal that came while the process was stopped may wake another thread than this one.
        while not stopping.wait(WAKE_SECONDS):
            pass
        return self.stop()

    def _add(
        self, name: str, work: Callable[[], object], every: timedelta, executor: str = "default"
    ) -> None:
        self._scheduler.add_job(
            _guarded,
            "interval",
            args=[name, work],
            seconds=every.total_seconds(),
            id=name,
            executor=executor,
            next_run_time=datetime.now(UTC),
        )


def _guarded(name: str, work: Callable[[], object]) -> None:
    """Run one tick; an error is the tick's end, not the scheduler's."""
    try:
        work()
    except ProvisioningError as error:
        log.warning("job_failed", job=name, code=error.code, reason=str(error))
    except SQLAlchemyError as error:
        log.warning("job_lost_the_database", job=name, reason=type(error).__name__)
