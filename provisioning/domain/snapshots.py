"""Snapshots: everyone at one moment, proven complete, or nothing (R2)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from provisioning.domain.people import Person, RawPerson


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

    mark: str = ""
    """Where changes after this reading begin: taken before it; empty if there are none to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesProof:
    """What makes a reading of changes believable.

    Whoever is `gone` was deleted, moved out of the bases or left the filter: they are marked,
    and only a complete reading removes them.
    """

    entries: int
    mark: str
    """Where the next reading of changes begins."""

    gone: tuple[str, ...] = ()
    """Anchors in scope no more, known here or not."""

    detail: str = ""
    """One sentence for people: by which way, and how long it took."""


Proof = TypeVar("Proof", SnapshotProof, ChangesProof)


class DirectoryReading(Generic[Proof]):
    """A reading in progress: iterate to its end, then ask for the proof.

    The reading is a generator of people that returns its proof. It raises SourceError when
    anything is cut short, so that code which reaches the end holds everyone, or nothing.
    """

    def __init__(self, reading: Generator[RawPerson, None, Proof]) -> None:
        self._reading: Generator[RawPerson, None, Proof] = reading
        self._proof: Proof | None = None

    def __iter__(self) -> Iterator[RawPerson]:
        """Yield people as they are read; once."""
        self._proof = yield from self._reading

    @property
    def proof(self) -> Proof:
        """What was proven; only after the last person.

        Raises:
            RuntimeError: The reading has not come to its end.
        """
        if self._proof is None:
            raise RuntimeError("a snapshot has no proof before its end was read")
        return self._proof


DirectorySnapshot = DirectoryReading[SnapshotProof]
"""Everyone the source vouches for."""

DirectoryChanges = DirectoryReading[ChangesProof]
"""Whole entries, as a complete reading would yield them, of whoever is new or changed."""


class StagedPerson(NamedTuple):
    """One entry of the source, mapped only if it changed since it was last applied."""

    anchor: str
    raw_hash: str
    person: Person | None
    """None: unchanged, or unreadable."""

    problem: str | None = None
    """Why the entry cannot be mapped."""


class RegisteredPerson(NamedTuple):
    """One employee as linked to the source: cheap columns, compared by the million."""

    anchor: str
    employee_id: UUID
    version: int
    state: str
    state_reason: str
    display_name: str
    dismissed_by: str | None
    protected: bool
    bound: bool
    invited_address: str | None
    missing_since: date | None
    missing_counted: bool
    """Whether the mark counted in the limits of the night it was made (D2, D5)."""

    authoritative: bool
    other_sources: int
    other_missing_since: date | None
    """When the latest of the other sources ceased to vouch; their nights of grace count too."""

    applied: str
    """The person as last applied, JSON; parsed only when something has to be compared."""
