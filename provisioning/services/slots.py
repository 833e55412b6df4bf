"""The unique row that makes a scheduled job run once per slot, on any number of nodes (R6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from provisioning.domain.errors import ProvisioningError
from provisioning.services.context import ServiceContext
from provisioning.services.sources import find_source
from provisioning.storage.models.runs import JobRunRecord
from provisioning.storage.workers import worker_name

RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60))
"""How long a failed job waits for its next try in the slot; the last one is repeated."""

LOST_AFTER = timedelta(hours=2)
"""A job that was begun and never ended is taken over after so long."""

KEEP = timedelta(days=90)


class SlotService:
    """Runs a job if nobody else did in this slot."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def once(self, job: str, slot: str, work: Callable[[], object], *, source: str = "") -> bool:
        """Do the work if this slot is still free, or its last try failed; true if it was done.

        Raises:
            ProvisioningError: What the work raised; the row keeps it, and a later tick of the
                same slot tries again.
        """
        row_id = self._take(job, slot, source)
        if row_id is None:
            return False
        try:
            work()
        except ProvisioningError as error:
            self._end(row_id, "failed", str(error))
            raise
        except BaseException as error:
            self._end(row_id, "failed", type(error).__name__)
            raise
        self._end(row_id, "done", None)
        return True

    def is_older_than(self, source: str, moment: datetime) -> bool:
        """Whether a source existed at that moment: a new one has no night to make up for."""
        with self._context.database.read() as session:
            return find_source(session, self._context, source).created_at <= moment

    def history(self, *, limit: int = 50) -> Sequence[JobRunRecord]:
        """Return what ran, newest first."""
        with self._context.database.read() as session:
            return session.scalars(
                select(JobRunRecord)
                .where(JobRunRecord.intranet_id == self._context.intranet_id)
                .order_by(JobRunRecord.id.desc())
                .limit(limit)
            ).all()

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
                row = session.scalars(
                    select(JobRunRecord)
                    .where(
                        JobRunRecord.job == job,
                        JobRunRecord.intranet_id == self._context.intranet_id,
                        JobRunRecord.source == source,
                        JobRunRecord.slot == slot,
                    )
                    .with_for_update()
                ).one_or_none()
                if row is None:
                    row = JobRunRecord(
                        job=job,
                        intranet_id=self._context.intranet_id,
                        source=source,
                        slot=slot,
                        attempts=0,
                    )
                    session.add(row)
                elif not self._may_retry(row):
                    return None
                row.state, row.node, row.error = "running", worker_name(), None
                row.started_at, row.ended_at = self._context.now(), None
                row.attempts += 1
                session.flush()
                return row.id
        except IntegrityError:
            return None

    def _may_retry(self, row: JobRunRecord) -> bool:
        if row.state == "failed":
            wait = RETRIES[min(row.attempts, len(RETRIES)) - 1]
            return self._context.now() - (row.ended_at or row.started_at) >= wait
        lost = self._context.now() - row.started_at > LOST_AFTER
        return row.state == "running" and lost

    def _end(self, row_id: int, state: str, error: str | None) -> None:
        with self._context.database.write() as session:
            row = session.get_one(JobRunRecord, row_id)
            row.state, row.error, row.ended_at = state, error, self._context.now()
