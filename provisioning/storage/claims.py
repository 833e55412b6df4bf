"""One process at a time applies a run, and says that it lives until it is done (R5, R6)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from provisioning.domain.errors import BusyError, RunStateError
from provisioning.storage.base import Database
from provisioning.storage.models.runs import RunRecord, RunState
from provisioning.storage.runs import find_run
from provisioning.storage.staging import drop_staged
from provisioning.storage.workers import LEASE, is_alive, worker_name, working_on

log = structlog.get_logger(__name__)

APPLICABLE = frozenset({RunState.READY, RunState.HELD})
BEAT_SECONDS = LEASE.total_seconds() / 6


@contextmanager
def applying(
    database: Database, intranet_id: UUID, run_id: int, now: Callable[[], datetime]
) -> Iterator[bool]:
    """Claim a run and keep it until the block ends; yields whether a dead attempt is resumed.

    However the block ends, the claim does too: a run that is not finished then is resumed by
    whoever comes next.

    Raises:
        RunStateError: The run is finished, rejected or expired.
        BusyError: A living process applies it, or another run of the source.
    """
    resumed = False

    def claim() -> int:
        nonlocal resumed
        resumed = _claim(database, intranet_id, run_id, now())
        return run_id

    with working_on(claim):
        try:
            with _beating(database, run_id, now):
                yield resumed
        finally:
            _let_go(database, run_id)


@contextmanager
def reading(
    database: Database, begin: Callable[[], int], now: Callable[[], datetime]
) -> Iterator[int]:
    """Keep saying that a source is being read, until the block ends; yields the run's number.

    Args:
        database: Where the run is.
        begin: Writes the run down, unless the source is being read already.
        now: The clock.
    """
    with working_on(begin) as run_id, _beating(database, run_id, now):
        yield run_id


def require_nobody_reads(session: Session, source_id: UUID, now: datetime) -> None:
    """Refuse to read a source that somebody reads: the older reading could be applied last.

    What a killed process staged is forgotten.

    Raises:
        BusyError: A living process reads it.
    """
    begun = session.scalars(
        select(RunRecord).where(
            RunRecord.source_id == source_id,
            RunRecord.state == RunState.FAILED,
            RunRecord.worker.is_not(None),
        )
    ).all()
    for run in begun:
        if is_alive(run, now):
            raise BusyError(
                f"run {run.id} is reading the same source ({run.worker}). Nothing was done here"
            )
        drop_staged(session, run.id)
        run.worker = None


@contextmanager
def _beating(database: Database, run_id: int, now: Callable[[], datetime]) -> Iterator[None]:
    over = threading.Event()
    heart = threading.Thread(
        target=_beat, args=(database, run_id, now, over), name=f"run {run_id}", daemon=True
    )
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def _claim(database: Database, intranet_id: UUID, run_id: int, now: datetime) -> bool:
    try:
        with database.write() as session:
            run = find_run(session, intranet_id, run_id, lock=True)
            resumed = run.state is RunState.APPLYING
            if resumed and is_alive(run, now):
                raise BusyError(f"run {run_id} is being applied by {run.worker}")
            if not resumed and run.state not in APPLICABLE:
                raise RunStateError(run_id, run.state, "applied")
            run.state = RunState.APPLYING
            run.heartbeat = now
            run.worker = worker_name()
            return resumed
    except IntegrityError as error:
        raise BusyError(f"another run of the source of run {run_id} is being applied") from error


def _beat(
    database: Database, run_id: int, now: Callable[[], datetime], over: threading.Event
) -> None:
    """Say now and then that this process lives: reading a directory again may take long."""
    while not over.wait(BEAT_SECONDS):
        try:
            with database.write() as session:
                session.execute(
                    update(RunRecord).where(RunRecord.id == run_id).values(heartbeat=now())
                )
        except SQLAlchemyError as error:
            log.warning("heartbeat_lost", run=run_id, reason=type(error).__name__)


def _let_go(database: Database, run_id: int) -> None:
    try:
        with database.write() as session:
            session.execute(
                update(RunRecord)
                .where(RunRecord.id == run_id, RunRecord.state == RunState.APPLYING)
                .values(worker=None, heartbeat=None)
            )
    except SQLAlchemyError as error:
        # The heartbeat stops, and that says the same a little later.
        log.warning("claim_kept", run=run_id, reason=type(error).__name__)
