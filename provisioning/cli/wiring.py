"""What the composition root hands to the commands."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import Protocol

from provisioning.ports import ProposedSource
from provisioning.services.container import Services
from provisioning.services.context import Actor
from provisioning.services.jobs import JobDesk


class Wiring(Protocol):
    """Everything a command may ask for; made when it is first asked."""

    def services(self) -> Services:
        """Return the use cases of the configured intranet; migrates an empty database."""
        ...

    def shown_settings(self) -> Sequence[tuple[str, str, str]]:
        """Return every setting as (name, masked value, origin)."""
        ...

    def serve(self, *, scheduler: bool) -> None:
        """Serve until SIGTERM."""
        ...

    def run_scheduler(self) -> None:
        """Run only the scheduler, until SIGTERM."""
        ...

    def demo(self, *, clear: bool, serve: bool) -> None:
        """Load the demo people, or take them away."""
        ...

    def upgrade_database(self) -> str:
        """Migrate; returns what was done, in words."""
        ...

    def schema_differences(self) -> list[str]:
        """Return what the database lacks of the tables in the code."""
        ...

    def jobs(self) -> JobDesk:
        """Return where jobs are looked at, run, paused and resumed."""
        ...

    def proposed_source(self, name: str, line: str | Sequence[str]) -> ProposedSource:
        """Return the source that an ldapsearch line describes; nobody is asked."""
        ...


def actor() -> Actor:
    """Return who is at the keyboard, for the timeline."""
    return Actor(getpass.getuser(), "cli")
