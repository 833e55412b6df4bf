"""The matching queue in tests: people who may be somebody, and what is decided about them."""

from __future__ import annotations

from typing import Any

from provisioning.domain.matching import Decision
from provisioning.services.context import Actor
from provisioning.services.match_reports import MatchRow
from tests.kit.nights import ME
from tests.kit.scim_client import ScimClient, connect
from tests.kit.sources import entry
from tests.kit.world import World

SAME, NEW, IGNORE = Decision.SAME_PERSON, Decision.NEW_PERSON, Decision.IGNORE


def with_zoe(world: World, **attributes: Any) -> ScimClient:
    """A provider whose Zoe was here first, and has joined."""
    idp = connect(world.services)
    world.accept(idp.create("zoe", **attributes)["displayName"])
    return idp


def doubtful(world: World, **attributes: Any) -> MatchRow:
    """Zoe has joined by a provider; corp has a Zoe of the same address: a question."""
    world.directory.add(entry("zoe", **attributes), entry("ann"))
    world.sync()
    return only_question(world)


def only_question(world: World) -> MatchRow:
    """The one open question."""
    (row,) = world.services.matches.rows()
    return row


def decide(
    world: World, row: MatchRow, decision: Decision, who: str | None = None, actor: Actor = ME
) -> str:
    """Decide; `who` is an employee's name."""
    employee_id = world.services.reports.find(who) if who else None
    return world.services.matching.decide(row.id, decision, actor, employee_id=employee_id)


def findings(world: World) -> list[str]:
    """The kinds of the open findings."""
    return [row.kind for row in world.services.reports.mismatches()]


def events(world: World, who: str) -> list[tuple[str, str]]:
    """The timeline of somebody, oldest first: kind and because."""
    report = world.services.person(world.services.reports.find(who))
    return [(event.kind, event.because) for event in reversed(report.timeline)]
