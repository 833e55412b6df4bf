"""Who was seen in a reading: kept on disk, in a database of its own that nobody else sees.

A reading tells of a million people that they are still there. That is worth no row in the
database everybody writes to, and no memory: it is sorted on disk, compared once, and gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

_FETCH = 2_000


class Presence:
    """The anchors of one reading, in any order; forgotten at the end of the block."""

    def __init__(self) -> None:
        """Open a temporary file that has no name."""
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-32768"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute(
            "CREATE TABLE seen (anchor TEXT PRIMARY KEY, twice INT NOT NULL DEFAULT 0)"
            " WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        """Begin with nobody."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the disk back."""
        self._file.close()

    def add(self, anchors: Sequence[str]) -> None:
        """Note people who were read; whoever comes a second time is known as such."""
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO seen (anchor) VALUES (?) ON CONFLICT DO UPDATE SET twice = 1",
            [(anchor,) for anchor in anchors],
        )
        self._file.execute("COMMIT")

    def __contains__(self, anchor: object) -> bool:
        """Whether somebody was read."""
        found = self._file.execute("SELECT 1 FROM seen WHERE anchor = ?", (anchor,))
        return found.fetchone() is not None

    def twice(self) -> list[str]:
        """Return the anchors that more than one entry has."""
        return [row[0] for row in self._file.execute("SELECT anchor FROM seen WHERE twice")]

    def absent(self, known: Iterable[str]) -> Iterator[str]:
        """Yield who of the known was not read.

        Args:
            known: Anchors in ascending order of code points.
        """
        seen = self._sorted()
        here = next(seen, None)
        for anchor in known:
            while here is not None and here < anchor:
                here = next(seen, None)
            if here != anchor:
                yield anchor

    def _sorted(self) -> Iterator[str]:
        rows = self._file.execute("SELECT anchor FROM seen ORDER BY anchor")
        while batch := rows.fetchmany(_FETCH):
            yield from (row[0] for row in batch)
