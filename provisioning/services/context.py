"""What every use case is given: one intranet, its policy, its clock and its database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationTimes:
    """How long an invitation waits, lives, and is reminded of (I3, I4, I9)."""

    grace: timedelta = timedelta(minutes=10)
    lifetime: timedelta = timedelta(days=14)
    reminder: timedelta = timedelta(days=5)
    cool_down: timedelta = timedelta(hours=1)
    stale: timedelta = timedelta(days=30)


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

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return self.clock.now()

    def today(self) -> date:
        """Return the local date of the intranet: nights are counted by it."""
        return self.now().astimezone(self.time_zone).date()


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
