"""Whose turn it is to write to a SQLite file: one at a time, the next one at once.

SQLite has one writer and lets the others try again after ever longer sleeps, up to a tenth of a
second. A lock on a file beside the database is asked for every half millisecond instead, so that
a short write costs its successor no more than that. SQLite's own lock stays the wall: whoever
does not know of the file is kept out by it all the same.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.exc import OperationalError

ASK_EVERY = 0.000_5
"""Seconds."""


class WriterQueue:
    """The turns of one database file, for all threads of all processes."""

    def __init__(self, database: str, *, patience: float) -> None:
        """Take no turn yet.

        Args:
            database: The file; its neighbour with the ending `-writers` is locked.
            patience: Seconds after which whoever waits is told that the database is busy.
        """
        self._database, self._path = database, f"{database}-writers"
        self._patience = patience

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the turn for a block; the kernel takes it back from whoever dies within.

        Where no file can be made or locked, SQLite is left to keep writers apart.

        Raises:
            OperationalError: Somebody else holds it all the time, as SQLite says it.
        """
        try:
            held = self._opened()
        except OSError:
            yield
            return
        try:
            self._wait(held)
            yield
        finally:
            os.close(held)

    def _opened(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return self._made()

    def _made(self) -> int:
        """Make the file for everybody who may write to the database, whoever is first.

        SQLite does the same for its own neighbours: a command of root locks no service out.
        """
        like = Path(self._database).stat()
        mode = stat.S_IMODE(like.st_mode)
        held = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
        with suppress(PermissionError):  # somebody else made it a moment ago
            os.fchmod(held, mode)
            if os.geteuid() == 0:
                os.fchown(held, like.st_uid, like.st_gid)
        return held

    def _wait(self, held: int) -> None:
        until = time.monotonic() + self._patience
        while not _is_taken(held):
            if time.monotonic() > until:
                said = sqlite3.OperationalError("database is locked")
                raise OperationalError("BEGIN IMMEDIATE", None, said)
            time.sleep(ASK_EVERY)


def _is_taken(held: int) -> bool:
    """Take the turn if it is free; a file system without locks has no turns to take."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
