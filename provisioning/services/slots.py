"""The unique row that makes a scheduled job run once per slot, on any number of nodes (R6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from provisioning.domain.errors import ProvisioningError
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.jobs import LOST_AFTER
from provisioning.services.sources import find_source
from provisioning.services.switches import require_runnable, stops_job
from provisioning.storage.models.runs import JobRunRecord
from provisioning.storage.workers import is_gone, worker_name

T = TypeVar("T")

RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60))
"""How long a failed job waits for its next try in the slot; the last one is repeated."""

KEEP = timedelta(days=90)


class SlotService:
    """Runs a job if nobody else did in this slot, and keeps the history of all of them."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def once(self, job: str, slot: str, work: Callable[[], object], *, source: str = "") -> bool:
        """Do the work if this slot is still free, or its last try failed; true if it was done.

        A paused job leaves its slot free: it is made up for when it is resumed in time.

        Raises:
            ProvisioningError: What the work raised; the row keeps it, and a later tick of the
                same slot tries again.
        """
        row_id = self._take(job, slot, source)
        if row_id is None:
            return False
        self._do(row_id, work)
        return True

    def by_hand(self, job: str, actor: Actor, work: Callable[[], T]) -> T:
        """Do the work now, due or not; returns what it returns.

        Raises:
            PausedError: The job is paused.
            BrakeError: Nothing may be changed.
        """
        return self._do(self._add_asked(job, actor, "running"), work)

    def ask(self, job: str, actor: Actor) -> None:
        """Have whoever runs the schedule do a job soon, due or not.

        Raises:
            PausedError: The job is paused.
            BrakeError: Nothing may be changed.
        """
        self._add_asked(job, actor, "asked")

    def do_asked(self, jobs: Mapping[str, Callable[[], object]]) -> None:
        """Do what was asked for, one after the other; what is stopped meanwhile waits.

        Raises:
            ProvisioningError: What the work raised; the row keeps it.
        """
        while (taken := self._take_asked()) is not None:
            row_id, job = taken
            self._do(row_id, jobs[job])

    def noting(self, job: str, slot: str, work: Callable[[], int]) -> None:
        """Do work that may be done by many at once, unless it is stopped, and note the latest.

        Args:
            job: Whose work.
            slot: What one row of the history stands for; nothing to do leaves no trace.
            work: Returns how much it did.
        """
        with self._context.database.read() as session:
            if stops_job(session, self._context, job):
                return
        began, done, error = self._context.now(), 0, None
        try:
            done = work()
        except ProvisioningError as failure:
            done, error = 1, str(failure)
            raise
        finally:
            if error or done:
                self._note(job, slot, began, error)

    def is_older_than(self, source: str, moment: datetime) -> bool:
        """Whether a source existed at that moment: a new one has no night to make up for."""
        with self._context.database.read() as session:
            return find_source(session, self._context, source).created_at <= moment

    def history(
        self, job: str | None = None, *, before: int | None = None, limit: int = 50
    ) -> Sequence[JobRunRecord]:
        """Return what ran, newest first."""
        query = select(JobRunRecord).where(JobRunRecord.intranet_id == self._context.intranet_id)
        if job is not None:
            query = query.where(JobRunRecord.job == job)
        if before is not None:
            query = query.where(JobRunRecord.id < before)
        with self._context.database.read() as session:
            return session.scalars(query.order_by(JobRunRecord.id.desc()).limit(limit)).all()

    def latest(self) -> Mapping[str, JobRunRecord]:
        """Return the last run of every job that ran, by its name."""
        newest = (
            select(func.max(JobRunRecord.id))
            .where(JobRunRecord.intranet_id == self._context.intranet_id)
            .group_by(JobRunRecord.job)
        )
        with self._context.database.read() as session:
            rows = session.scalars(select(JobRunRecord).where(JobRunRecord.id.in_(newest)))
            return {row.job: row for row in rows}

    def forget_old(self) -> None:
        """Drop rows that no slot will ask for again."""
        with self._context.database.write() as session:
            session.execute(
                delete(JobRunRecord).where(
                    JobRunRecord.intranet_id == self._context.intranet_id,
                    JobRunRecord.started_at < self._context.now() - KEEP,
                )
            )

    def _take(self, job: str, slot: str, source: str) -> int | None:
        try:
            with self._context.database.write() as session:
                if stops_job(session, self._context, job):
                    return None
                row = self._find(session, job, slot, source)
                if row is None:
                    row = self._new(job, slot, source)
                    session.add(row)
                elif not self._may_retry(row):
                    return None
                self._begin(row)
                session.flush()
                return row.id
        except IntegrityError:
            return None

    def _find(self, session: Session, job: str, slot: str, source: str) -> JobRunRecord | None:
        return session.scalars(
            select(JobRunRecord)
            .where(
                JobRunRecord.job == job,
                JobRunRecord.intranet_id == self._context.intranet_id,
                JobRunRecord.source == source,
                JobRunRecord.slot == slot,
            )
            .with_for_update()
        ).one_or_none()

    def _new(self, job: str, slot: str, source: str = "") -> JobRunRecord:
        intranet = self._context.intranet_id
        return JobRunRecord(job=job, intranet_id=intranet, source=source, slot=slot, attempts=0)

    def _begin(self, row: JobRunRecord) -> None:
        row.state, row.node, row.error = "running", worker_name(), None
        row.started_at, row.ended_at = self._context.now(), None
        row.attempts += 1

    def _may_retry(self, row: JobRunRecord) -> bool:
        if row.state == "failed":
            return self._context.now() >= tried_again(row)
        lost = self._context.now() - row.started_at > LOST_AFTER or is_gone(row.node)
        return row.state == "running" and lost

    def _add_asked(self, job: str, actor: Actor, state: str) -> int:
        with self._context.database.write() as session:
            require_runnable(session, self._context, job)
            row = self._new(job, f"asked {uuid4()}")
            self._begin(row)
            row.asked_by, row.state = actor.name, state
            row.node = "" if state == "asked" else row.node
            session.add(row)
            session.flush()
            return row.id

    def _take_asked(self) -> tuple[int, str] | None:
        with self._context.database.write() as session:
            rows = session.scalars(
                select(JobRunRecord)
                .where(
                    JobRunRecord.intranet_id == self._context.intranet_id,
                    JobRunRecord.state == "asked",
                )
                .order_by(JobRunRecord.id)
                .with_for_update(skip_locked=True)
            )
            for row in rows:
                if not stops_job(session, self._context, row.job):
                    row.attempts = 0
                    self._begin(row)
                    return row.id, row.job
        return None

    def _do(self, row_id: int, work: Callable[[], T]) -> T:
        try:
            done = work()
        except ProvisioningError as error:
            self._end(row_id, "failed", str(error))
            raise
        except BaseException as error:
            self._end(row_id, "failed", type(error).__name__)
            raise
        self._end(row_id, "done", None)
        return done

    def _end(self, row_id: int, state: str, error: str | None) -> None:
        with self._context.database.write() as session:
            row = session.get_one(JobRunRecord, row_id)
            row.state, row.error, row.ended_at = state, error, self._context.now()

    def _note(self, job: str, slot: str, began: datetime, error: str | None) -> None:
        try:
            with self._context.database.write() as session:
                row = self._find(session, job, slot, "") or self._new(job, slot)
                session.add(row)
                self._begin(row)
                row.started_at, row.ended_at = began, self._context.now()
                row.state, row.error = "failed" if error else "done", error
        except IntegrityError:
            return  # another node noted the first of this slot at this very moment


def tried_again(row: JobRunRecord) -> datetime:
    """Return when a failed job is tried again within its slot."""
    wait = RETRIES[min(row.attempts, len(RETRIES)) - 1]
    return (row.ended_at or row.started_at) + wait
