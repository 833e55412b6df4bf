"""What the core asks of the outside; connectors keep these promises, tests hold them to it.

The language of mapping expressions is the domain's own wish: `domain.mapping.ExpressionCompiler`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol

from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import DirectorySnapshot


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


class DirectorySource(Protocol):
    """A place people are read from."""

    @property
    def name(self) -> str:
        """The source's name in the configuration, e.g. "corp-ldap"."""
        ...

    def check(self) -> CheckReport:
        """Connect, sign in, detect, search and sample; failures are steps, not exceptions."""
        ...

    def read(self) -> DirectorySnapshot:
        """Begin to read everyone; the iteration raises, never the end of it lies.

        Raises:
            SourceError: While iterating: a page, referral, size limit or break cut it short.
            SourceUnavailableError: The source does not answer or refuses to sign us in.
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


class Clock(Protocol):
    """The only way the core learns what time it is."""

    def now(self) -> datetime:
        """Return the aware UTC time."""
        ...
