"""Snapshots: everyone at one moment, proven complete, or nothing (R2)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from provisioning.domain.people import RawPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotProof:
    """What makes a reading believable, kept with the run that used it.

    `removals_proven` is false for an export without an end mark: who is in it is there,
    but nobody may be missed because of it.
    """

    entries: int
    pages: int = 1
    removals_proven: bool = True
    detail: str = ""
    """One sentence for people: where, how long, what proved the end."""


class DirectorySnapshot:
    """A reading in progress: iterate to its end, then ask for the proof.

    The reading is a generator of people that returns its proof. It raises SourceError when
    anything is cut short, so that code which reaches the end holds everyone, or nothing.
    """

    def __init__(self, reading: Generator[RawPerson, None, SnapshotProof]) -> None:
        self._reading = reading
        self._proof: SnapshotProof | None = None

    def __iter__(self) -> Iterator[RawPerson]:
        """Yield people as they are read; once."""
        self._proof = yield from self._reading

    @property
    def proof(self) -> SnapshotProof:
        """What was proven; only after the last person.

        Raises:
            RuntimeError: The reading has not come to its end.
        """
        if self._proof is None:
            raise RuntimeError("a snapshot has no proof before its end was read")
        return self._proof
