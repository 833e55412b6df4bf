"""Runs and SCIM spend one budget, at once or one after the other (D5, D6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.services import runs
from tests.kit.nights import ME
from tests.kit.scim_client import ENTERPRISE, connect, outcome
from tests.kit.sources import entry

PEOPLE = [f"p{number}" for number in range(8)]


@pytest.fixture
def both(world):
    """A client that knows the same eight people as the directory, and their resources."""
    world.directory.add(*(entry(name, employeeNumber=name) for name in PEOPLE))
    world.sync()
    idp = connect(world.services)
    people = [idp.create(name, **{ENTERPRISE: {"employeeNumber": name}}) for name in PEOPLE]
    world.services.delivery.deliver_due()
    return idp, people


def states(world):
    found = world.states()
    return [found[name.title()] for name in PEOPLE]


def test_what_scim_removed_holds_the_nights_removals(world, both):
    """D5, D6: three by SCIM, and one more by the run is one too many in seven days."""
    idp, people = both
    for one in people[:3]:
        idp.activate(one["id"], False)
    world.directory.remove("p7")
    plan = world.night()
    assert (plan.state, plan.actions[-1].held) == ("held", "rolling_share")
    assert states(world) == ["dismissed"] * 3 + ["invited"] * 5


def test_what_the_night_removed_trips_the_breaker(world, both):
    """D6: three by the run, and one more by SCIM is held."""
    idp, people = both
    world.directory.remove("p0", "p1", "p2")
    assert world.night().state == "applied"
    assert outcome(idp.activate(people[3]["id"], False))["state"] == "invited"
    world.clock.advance(timedelta(days=8))
    assert outcome(idp.activate(people[4]["id"], False))["state"] == "dismissed"


def test_what_scim_removes_after_the_plan_holds_the_run(world, both, monkeypatch):
    """D5, D6: the share is measured again when the actions are chosen, before anything is done."""
    idp, people = both
    plan = runs.Planner.plan

    def overtaken(planner, *arguments, **options):
        run = plan(planner, *arguments, **options)
        for one in people[:3]:
            idp.activate(one["id"], False)
        return run

    monkeypatch.setattr(runs.Planner, "plan", overtaken)
    world.directory.remove("p6", "p7")
    report = world.night()
    assert report.state == "held"
    assert {action.held for action in report.actions} == {"rolling_share"}
    assert states(world) == ["dismissed"] * 3 + ["invited"] * 5
    monkeypatch.undo()
    assert world.services.runs.approve(report.run, ME, digest=report.digest) == "applied"


def test_what_scim_removes_before_an_apply_holds_the_run(world, both):
    """D5, R4: the fresh plan of an apply counts what left over SCIM since the stored one."""
    idp, people = both
    world.directory.remove("p6", "p7")
    run = world.services.runs.plan("corp", ME)
    for one in people[:3]:
        idp.activate(one["id"], False)
    assert world.services.runs.apply(run, ME) == "held"
    assert states(world) == ["dismissed"] * 3 + ["invited"] * 5


def test_what_a_run_is_about_to_remove_is_spent(world, both):
    """D6: in the middle of an apply, SCIM gets no more than the run leaves."""
    idp, people = both
    world.directory.remove("p0", "p1", "p2")
    run = world.services.runs.plan("corp", ME)

    def meanwhile(done, _all):
        if done == 1:
            assert outcome(idp.activate(people[7]["id"], False))["state"] == "invited"

    assert world.services.runs.apply(run, ME, meanwhile) == "applied"
    assert states(world) == ["dismissed"] * 3 + ["invited"] * 5
    assert [row.display_name for row in world.services.hold_reports.held()] == ["P7"]
