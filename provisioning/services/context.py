"""What every use case is given: one intranet, its policy, its clock and its database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from provisioning.domain.mapping import PersonMapping
from provisioning.domain.policy import Policy
from provisioning.ports import Clock, DirectorySource
from provisioning.storage.base import Database


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and through which door."""

    name: str
    door: str
    """run, scim, page, cli, join or job."""


SYSTEM = Actor("usher", "job")
"""What happens by itself."""

SCHEDULER = Actor("scheduler", "job")
"""Who starts the runs that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationTimes:
    """How long an invitation waits, lives, and is reminded of (I3, I4, I9)."""

    grace: timedelta = timedelta(minutes=10)
    lifetime: timedelta = timedelta(days=14)
    reminder: timedelta = timedelta(days=5)
    cool_down: timedelta = timedelta(hours=1)
    stale: timedelta = timedelta(days=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceContext:
    """One intranet as the services see it."""

    database: Database
    clock: Clock
    intranet_id: UUID
    intranet_name: str
    time_zone: ZoneInfo
    policy: Policy
    times: InvitationTimes
    public_url: str
    """Where links in letters point; never taken from a request."""

    secret_key: bytes
    sender: str
    department_groups: str = ""
    """Expression for the names of pushed groups that are departments; empty: none is."""

    webhooks: Collection[str] = ()
    """What the programs are called that are told what administrators are told."""

    seats_free_below: int = 0
    """Administrators are told when fewer seats are free than this; 0: when none is."""

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return self.clock.now()

    def today(self) -> date:
        """Return the local date of the intranet: nights are counted by it."""
        return self.now().astimezone(self.time_zone).date()


Rules = Mapping[str, Any]
"""Rules of a mapping by field, as they are written: the name of an attribute, or an expression."""


class SourceMaker(Protocol):
    """Makes a source that is read, of rules that stand before its preset's."""

    def __call__(self, own: Rules, *beside: Rules) -> tuple[DirectorySource, PersonMapping]:
        """Return how it is read, whatever rules `beside` it need included, and how it is mapped.

        Raises:
            RuleError: A rule can never work.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredSource:
    """A source as the configuration has it, ready to be read if it is one that is read."""

    name: str
    kind: str
    """ldap, ldif or scim."""

    first_run: str = "plan"
    authoritative: bool = True
    directory: DirectorySource | None = None
    mapping: PersonMapping | None = None
    own_rules: Rules = field(default_factory=dict)
    """What stands before the preset's rules: the configuration's own, or a saved version's."""

    make: SourceMaker | None = None
    """How the source is read and mapped by other own rules; None: it is not read."""
