"""Whose turn it is to write to a SQLite file: one at a time, the next one at once.

SQLite has one writer and lets the others try again after ever longer sleeps, up to a tenth of a
second. A lock on a file beside the database is asked for every half millisecond instead, so that
a short write costs its successor no more than that. SQLite's own lock stays the wall: whoever
does not know of the file is kept out by it all the same.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

ASK_EVERY = 0.000_5
"""Seconds."""


class WriterQueue:
    """The turns of one database file, for all threads of all processes."""

    def __init__(self, database: str, *, patience: float) -> None:
        """Take no turn yet.

        Args:
            database: The file; its neighbour with the ending `-writers` is locked.
            patience: Seconds after which SQLite itself is left to say that it is busy.
        """
        self._path = f"{database}-writers"
        self._patience = patience

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the turn for a block; the kernel takes it back from whoever dies within."""
        held = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait(held)
            yield
        finally:
            os.close(held)

    def _wait(self, held: int) -> None:
        until = time.monotonic() + self._patience
        while not _is_taken(held) and time.monotonic() < until:
            time.sleep(ASK_EVERY)


def _is_taken(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
