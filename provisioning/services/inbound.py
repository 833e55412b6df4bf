"""The inbound log: what identity providers asked and what came of it, written down later.

Noting costs a request microseconds; a thread of the process writes what has been noted, in one
small transaction, every second or as soon as a batch is full, and once more when the process
ends. A database that does not answer is asked again a second later, and no request ever waits
for it. When more is noted than can be written the oldest go, and a row says how many.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from provisioning.services.context import ServiceContext
from provisioning.services.inbound_rows import InboundRequest, gap_of, row_of, write_rows
from provisioning.services.token_rejections import TokenRejections
from provisioning.storage.models.inbound import InboundRequestRecord

log = structlog.get_logger(__name__)

CAPACITY = 5_000
"""Requests that may wait to be written; with the longest bodies some 50 MB."""

BATCH = 250
"""Rows of one transaction: on SQLite others wait for it."""

EVERY_SECONDS = 1.0
_PATIENCE_SECONDS = 10.0
"""How long the end of a process waits for a batch that is being written."""


class InboundLog:
    """Takes notes from any thread, and writes them down in one of its own."""

    def __init__(self, context: ServiceContext, *, capacity: int = CAPACITY) -> None:
        """Start nothing yet: most processes answer no request."""
        self._context = context
        self._capacity = capacity
        self._rejections = TokenRejections(context)
        self.begin_anew()
        _LOGS.add(self)
        context.database.before_close(self.stop)

    def begin_anew(self) -> None:
        """Forget everything: a process that was forked owns neither the notes nor the thread."""
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._waiting: deque[InboundRequest] = deque()
        self._dropped = 0
        self._writer: threading.Thread | None = None

    def note(self, entry: InboundRequest) -> None:
        """Keep a request until it is written; never waits for the database, never fails."""
        with self._lock:
            self._waiting.append(entry)
            if len(self._waiting) > self._capacity:
                self._waiting.popleft()
                self._dropped += 1
            if self._writer is None or not self._writer.is_alive():
                self._start()
            full = len(self._waiting) == BATCH
        if full:
            self._wake.set()

    def flush(self) -> bool:
        """Write everything noted so far; false when the database does not let it."""
        if not self._writing.acquire(timeout=_PATIENCE_SECONDS):
            return False
        try:
            while self._waiting or self._dropped:
                if not self._flush_batch():
                    return False
        finally:
            self._writing.release()
        return True

    def stop(self) -> None:
        """Write what is left and end the thread; a later note starts another."""
        with self._lock:
            writer, self._writer = self._writer, None
            self._stopping.set()
            self._wake.set()
        if writer is not None:
            writer.join(_PATIENCE_SECONDS)
        if not self.flush():
            log.error("inbound_log_lost", requests=len(self._waiting) + self._dropped)

    def forget_old(self, keep: timedelta) -> int:
        """Remove what is older, a batch at a time from the oldest on; returns how many rows."""
        removed = 0
        oldest = (
            select(InboundRequestRecord.id, InboundRequestRecord.at)
            .where(InboundRequestRecord.intranet_id == self._context.intranet_id)
            .order_by(InboundRequestRecord.id)
            .limit(BATCH)
            .subquery()
        )
        old = select(oldest.c.id).where(oldest.c.at < self._context.now() - keep)
        while True:
            with self._context.database.write() as session:
                gone = session.scalars(old).all()
                session.execute(
                    delete(InboundRequestRecord).where(InboundRequestRecord.id.in_(gone)),
                    execution_options={"synchronize_session": False},
                )
            removed += len(gone)
            if len(gone) < BATCH:
                return removed

    def _start(self) -> None:
        self._stopping = threading.Event()
        self._writer = threading.Thread(
            target=self._run, args=(self._stopping,), name="inbound log", daemon=True
        )
        self._writer.start()

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._wake.wait(EVERY_SECONDS)
            self._wake.clear()
            if not stopping.is_set():
                self.flush()

    def _flush_batch(self) -> bool:
        with self._lock:
            entries = list(islice(self._waiting, BATCH))
            for _ in entries:
                self._waiting.popleft()
            dropped, self._dropped = self._dropped, 0
        rows = [row_of(entry, self._context.intranet_id) for entry in entries]
        if dropped:
            at = entries[0].at if entries else self._context.now()
            rows.insert(0, gap_of(dropped, at, self._context.intranet_id))
        try:
            refused = write_rows(self._context.database, rows)
        except SQLAlchemyError as error:
            log.warning("inbound_log_waits", reason=type(error).__name__, requests=len(entries))
            self._put_back(entries, dropped)
            return False
        with self._lock:
            self._dropped += refused
        self._rejections.note(entries)
        return True

    def _put_back(self, entries: Sequence[InboundRequest], dropped: int) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(entries))
            over = max(len(self._waiting) - self._capacity, 0)
            for _ in range(over):
                self._waiting.popleft()
            self._dropped += dropped + over


_LOGS: weakref.WeakSet[InboundLog] = weakref.WeakSet()
"""Every log of this process, for its end and its forks."""


@atexit.register
def _stop_all() -> None:
    for each in list(_LOGS):
        each.stop()


def _begin_all_anew() -> None:
    for each in list(_LOGS):
        each.begin_anew()


os.register_at_fork(after_in_child=_begin_all_anew)
