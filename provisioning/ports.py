"""What the core asks of the outside; connectors keep these promises, tests hold them to it.

The language of mapping expressions is the domain's own wish: `domain.rules.ExpressionCompiler`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol, runtime_checkable

from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import DirectoryChanges, DirectorySnapshot


class CheckOutcome(StrEnum):
    """How one step of a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStep:
    """One line of `usher check`: what was tried, how it ended, in one sentence."""

    name: str
    outcome: CheckOutcome
    detail: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Everything a check found; `same_as` is the equivalent command line, without secrets."""

    steps: Sequence[CheckStep]
    sample: Sequence[RawPerson] = ()
    same_as: str = ""

    @property
    def failed(self) -> bool:
        """Whether any step failed."""
        return any(step.outcome is CheckOutcome.FAILED for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedSource:
    """A source as it would stand in the configuration, made of what an administrator has."""

    name: str
    kind: str
    options: Mapping[str, str | int | bool]
    """Settings by name, in the order to be read; the password is only named by its file."""

    password_file: str
    notes: Sequence[str] = ()
    """What was left out or is done in another way, a sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPerson:
    """One entry somebody asked for by name, and whether a run would read it (R9)."""

    raw: RawPerson
    in_scope: bool
    scope: str
    """Why, in one sentence: the base and the filter that take it in, or what leaves it out."""


class DirectorySource(Protocol):
    """A place people are read from."""

    @property
    def name(self) -> str:
        """The source's name in the configuration, e.g. "corp-ldap"."""
        ...

    @property
    def scope(self) -> str:
        """Who is read, as a digest of bases, filter and groups: another one is R8's business."""
        ...

    @property
    def offers_changes(self) -> bool:
        """Whether there may be a cheaper way than reading everyone; an export has none."""
        ...

    def check(self, see: Callable[[RawPerson], object] = ...) -> CheckReport:
        """Connect, sign in, detect, search and sample; failures are steps, not exceptions.

        Args:
            see: Is shown everyone who was read.
        """
        ...

    def read(self) -> DirectorySnapshot:
        """Begin to read everyone; the iteration raises, never the end of it lies.

        Raises:
            SourceError: While iterating: a page, referral, size limit or break cut it short.
            SourceUnavailableError: The source does not answer or refuses to sign us in.
        """
        ...

    def changes(self, mark: str) -> DirectoryChanges:
        """Begin to read what changed since a mark that `read` or `changes` gave.

        Raises:
            MarkError: While iterating: the mark is foreign or too old, or the answer is doubtful.
            SourceError: While iterating, as in `read`.
        """
        ...

    def find(self, words: str) -> Sequence[FoundPerson]:
        """Look somebody up by id, place (DN), user name or mail, in scope or not (R9).

        Raises:
            SourceError: The source could not be asked.
        """
        ...


@runtime_checkable
class PhotoSource(Protocol):
    """A directory that may have photos: an export has none."""

    @property
    def has_photos(self) -> bool:
        """Whether they are wanted."""
        ...

    def photos(
        self, *, of: Collection[str] | None = None, since: datetime | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield id and photo of whoever has one.

        Args:
            of: Only of these ids.
            since: Only of entries that were modified since then.

        Raises:
            SourceError: The source could not be asked, or its answer was cut short.
        """
        ...

    def without_photo(self, since: datetime) -> Iterator[str]:
        """Yield the ids of entries that were modified since a time and have no photo.

        Raises:
            SourceError: As above.
        """
        ...


class Mailer(Protocol):
    """A way for letters to leave."""

    @property
    def keeps_letters(self) -> bool:
        """Whether letters are only kept for reading (mode "outbox") and nobody is written to."""
        ...

    def send(self, letter: EmailMessage) -> None:
        """Hand the letter over.

        Raises:
            DeliveryError: It was refused, or the relay could not be reached: not sent.
            DeliveryInDoubtError: It was handed over and the answer was lost.
        """
        ...

    def check(self) -> CheckReport:
        """Connect and sign in, sending nothing."""
        ...


class Webhook(Protocol):
    """A program elsewhere that is told what administrators are told."""

    def send(self, message_id: str, at: datetime, body: bytes) -> None:
        """Hand an event over, signed.

        Args:
            message_id: The same for every try, by which a repetition is known.
            at: When this try is made.
            body: The event, a JSON document.

        Raises:
            DeliveryError: It was refused, or the program could not be reached.
            DeliveryInDoubtError: It was handed over and the answer was lost.
        """
        ...

    def check(self) -> CheckReport:
        """Connect, sending nothing."""
        ...


class Clock(Protocol):
    """The only way the core learns what time it is."""

    def now(self) -> datetime:
        """Return the aware UTC time."""
        ...
