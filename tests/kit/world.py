"""A whole Usher on a real database, with a directory in memory and a clock that obeys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from connectors.cel.compiler import CelCompiler
from provisioning.domain.mapping import CompiledMapping, compile_mapping
from provisioning.domain.policy import Policy
from provisioning.domain.rules import merge_rules
from provisioning.ports import Webhook
from provisioning.services.container import Services
from provisioning.services.context import ConfiguredSource, InvitationTimes
from provisioning.services.invitations import open_invitation_of
from provisioning.services.links import invitation_token
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import ME
from tests.kit.services import FakeClock, make_services
from tests.kit.sources import MemoryDirectory

RULES: dict[str, Any] = {
    "user_name": "uid",
    "mail": "mail",
    "display_name": "cn",
    "department": "departmentNumber",
    "employee_number": "employeeNumber",
    "mailbox": "mailbox",
    "title": "title",
    "manager": "manager",
    "active": {"expr": 'first("disabled") != "yes"'},
}
PASSWORD = "correct horse battery"


@dataclass
class World:
    """What a test plays with."""

    services: Services
    directory: MemoryDirectory
    clock: FakeClock
    others: Mapping[str, MemoryDirectory] = field(default_factory=dict)
    """Directories beside corp, by name."""

    def sync(self, source: str = "corp") -> Any:
        run = self.services.runs.sync(source, ME)
        return self.services.run_reports.plan(run)

    def night(self, source: str = "corp") -> Any:
        self.clock.advance(timedelta(days=1))
        return self.sync(source)

    def states(self) -> dict[str, str]:
        with self.services.context.database.read() as session:
            rows = session.execute(
                select(EmployeeRecord.display_name, EmployeeRecord.state).where(
                    EmployeeRecord.intranet_id == self.services.context.intranet_id
                )
            )
            return {name: state.value for name, state in rows}

    def accept(self, *names: str) -> None:
        """Let people open their letters and accept."""
        self.services.delivery.deliver_due()
        for name in names:
            employee_id = self.services.reports.find(name)
            address = self.services.person(employee_id).addresses[1].value
            assert address is not None
            self.services.accounts.accept(join_token(self.services, employee_id), address, PASSWORD)


def join_token(services: Services, employee_id: Any) -> str:
    """What the link in somebody's letter ends with."""
    with services.context.database.read() as session:
        invitation = open_invitation_of(session, employee_id)
    assert invitation is not None
    return invitation_token(services.context, invitation.id)


def make_world(
    database_url: str,
    *,
    seats: int | None = None,
    first_run: str = "apply",
    policy: Policy | None = None,
    times: InvitationTimes | None = None,
    corp: Mapping[str, Any] | None = None,
    others: Mapping[str, Mapping[str, Any]] | None = None,
    webhooks: Mapping[str, Webhook] | None = None,
    seats_free_below: int = 0,
) -> World:
    """A whole Usher with a source called corp; close `.services.context.database` afterwards.

    `others` are more sources, each with what is special about it, as `corp` is about corp.
    """
    chosen = {"corp": corp or {}, **(others or {})}
    directories = {name: MemoryDirectory(name) for name in chosen}
    mapping = compile_mapping(RULES, CelCompiler())
    sources = {
        name: ConfiguredSource(
            name=name,
            kind="ldap",
            first_run=first_run,
            **{
                "directory": directories[name],
                "mapping": mapping,
                "make": partial(_made, directories[name]),
                **choices,
            },
        )
        for name, choices in chosen.items()
    }
    clock = FakeClock()
    services = make_services(
        database_url,
        clock=clock,
        seat_limit=seats,
        policy=policy or Policy(missing_grace_nights=0),
        times=times or InvitationTimes(grace=timedelta(0)),
        sources=sources,
        webhooks=webhooks,
        seats_free_below=seats_free_below,
    )
    return World(services, directories.pop("corp"), clock, directories)


def _made(
    directory: MemoryDirectory, own: Mapping[str, Any], *_: Mapping[str, Any]
) -> tuple[MemoryDirectory, CompiledMapping]:
    """A directory by other rules than the usual ones."""
    return directory, compile_mapping(merge_rules(RULES, own), CelCompiler())
