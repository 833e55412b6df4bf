"""Between the nights: changes are applied, and whatever is doubtful reads everyone (R6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from connectors.cel.compiler import CelCompiler
from provisioning.domain.errors import SourceError
from provisioning.domain.mapping import compile_mapping
from provisioning.domain.policy import Policy
from provisioning.services.context import ConfiguredSource
from provisioning.services.runs import RunService
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunPersonRecord, RunRecord
from tests.kit.nights import ME, count, kinds
from tests.kit.sources import entry
from tests.kit.world import RULES


def changes(world):
    """Apply what changed; the plan, or None if there was nothing."""
    run = world.services.runs.sync_changes("corp", ME)
    return world.services.run_reports.plan(run) if run else None


def source(world):
    with world.services.context.database.read() as session:
        return session.scalars(select(SourceRecord)).one()


def kind_of(world, run):
    with world.services.context.database.read() as session:
        return session.get_one(RunRecord, run).kind.value


@pytest.fixture
def staff(world):
    """Ten people, all active."""
    names = [f"p{number}" for number in range(10)]
    world.directory.add(*map(entry, names))
    world.sync()
    world.accept(*(name.title() for name in names))


@pytest.mark.usefixtures("staff")
def test_changes_invite_update_and_dismiss(world):
    """R6, I1, P1, D1: new, renamed, and disabled in the directory; the others are not read."""
    world.directory.add(entry("new"), entry("p1", cn="Other"), entry("p2", disabled="yes"))
    plan = changes(world)
    assert (plan.state, kinds(plan), plan.read) == (
        "applied",
        {"invite": 1, "update": 1, "dismiss": 1},
        3,
    )
    assert kind_of(world, plan.run) == "changes"
    assert world.states()["P2"] == "dismissed"


@pytest.mark.usefixtures("staff")
def test_who_is_gone_is_marked_and_leaves_with_the_night(world):
    """D1, D2: changes never say that somebody left, the complete reading does."""
    world.directory.remove("p3")
    plan = changes(world)
    assert (kinds(plan), world.states()["P3"]) == ({"flag": 1}, "active")
    assert kinds(world.night()) == {"dismiss": 1}
    assert world.states()["P3"] == "dismissed"


@pytest.mark.usefixtures("staff")
def test_who_is_gone_and_back_before_the_night_stays(world):
    """D2: back in time, nothing happened."""
    gone = world.directory.people["id-p3"]
    world.directory.remove("p3")
    changes(world)
    world.directory.add(gone)
    changes(world)
    assert kinds(world.night()) == {}
    assert world.states()["P3"] == "active"
    assert world.services.reports.mismatches() == []


@pytest.mark.usefixtures("staff")
def test_nothing_new_leaves_no_run_and_moves_the_mark(world):
    """R6: every few minutes, and the list of runs stays readable."""
    before, runs = source(world).mark, count(world, RunRecord)
    assert changes(world) is None
    assert count(world, RunRecord) == runs
    assert count(world, RunPersonRecord) == 0
    assert source(world).mark not in (before, None)


@pytest.mark.usefixtures("staff")
def test_changes_are_not_how_many_there_are(world):
    """R2: what the next complete reading is compared with is the last complete one."""
    world.directory.add(entry("p1", cn="Other"))
    changes(world)
    assert source(world).last_read == 10


@pytest.mark.usefixtures("staff")
def test_a_mark_that_is_refused_reads_everyone(world):
    """R6: every doubt becomes a complete reading."""
    world.directory.marks.clear()
    world.directory.remove("p3")
    plan = changes(world)
    assert (kind_of(world, plan.run), plan.read, kinds(plan)) == ("full", 9, {"dismiss": 1})


@pytest.mark.usefixtures("staff")
def test_too_many_who_are_gone_read_everyone(world):
    """D5, R6: what would be held by changes alone is asked again, and held if it is so."""
    world.directory.remove("p1", "p2", "p3", "p4")
    plan = changes(world)
    assert (kind_of(world, plan.run), plan.state) == ("full", "held")
    assert kinds(plan) == {"dismiss": 4}


@pytest.mark.usefixtures("staff")
def test_a_reading_that_breaks_begins_at_the_same_mark_again(world):
    """R2: nothing is lost between two marks."""
    before = source(world).mark
    world.directory.add(entry("new"))
    world.directory.broken = True
    with pytest.raises(SourceError, match="broke off"):
        changes(world)
    assert source(world).mark == before
    world.directory.broken = False
    assert kinds(changes(world)) == {"invite": 1}


def test_nothing_is_read_before_the_first_complete_run(world):
    """I10: changes follow a run that was applied."""
    world.directory.add(entry("ann"))
    assert changes(world) is None
    assert world.states() == {}


@pytest.mark.usefixtures("staff")
def test_a_held_plan_stays_while_changes_go_on(world):
    """R4: only a newer plan of everyone replaces what waits for an approval."""
    world.directory.remove("p1", "p2", "p3", "p4")
    held = world.sync()
    world.directory.add(entry("new"))
    assert kinds(changes(world)) == {"invite": 1}
    assert world.services.run_reports.plan(held.run).state == "held"


def with_rules(world, rules):
    """The same source by other rules."""
    configured = ConfiguredSource(
        name="corp", kind="ldap", first_run="apply", directory=world.directory,
        mapping=compile_mapping(rules, CelCompiler()),
    )  # fmt: skip
    return RunService(world.services.context, {"corp": configured})


@pytest.mark.usefixtures("staff")
def test_a_changed_mapping_is_only_planned_until_somebody_applies_it(world):
    """R8: the night shows what it would do, and does nothing; then it is as always."""
    world.directory.add(entry("p1", departmentNumber="Sales"))
    world.night()
    runs = with_rules(world, RULES | {"title": "departmentNumber"})
    run = runs.sync("corp", ME)
    plan = world.services.run_reports.plan(run)
    assert (plan.state, kinds(plan), plan.rules_changed) == ("ready", {"update": 1}, True)
    assert runs.sync_changes("corp", ME) is None
    again = runs.sync("corp", ME)
    assert world.services.run_reports.plan(run).state == "expired"
    runs.apply(again, ME)
    assert world.services.run_reports.plan(again).state == "applied"
    world.clock.advance(timedelta(days=1))
    after = world.services.run_reports.plan(runs.sync("corp", ME))
    assert (after.state, kinds(after), after.rules_changed) == ("applied", {}, False)


@pytest.mark.usefixtures("staff")
def test_a_changed_scope_is_only_planned(world):
    """R8: another base or filter may leave half a company out."""
    world.directory.scope = "half"
    world.directory.add(entry("new"))
    plan = world.night()
    assert (plan.state, plan.rules_changed, "New" in world.states()) == ("ready", True, False)


@pytest.mark.usefixtures("staff")
def test_rules_without_an_effect_need_no_approval(world):
    """R8: a comment in a filter is no reason to wake somebody."""
    world.directory.scope = "the same people"
    assert world.night().state == "applied"
    world.directory.add(entry("new"))
    assert world.night().state == "applied"


def test_a_grace_of_one_night_counts_from_the_mark(make_world):
    """D2: marked by day, the night after the next midnight removes."""
    world = make_world(policy=Policy(missing_grace_nights=1))
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("Ann")
    world.directory.remove("ann")
    assert kinds(changes(world)) == {"flag": 1}
    world.clock.advance(timedelta(hours=1))
    assert kinds(world.sync()) == {}
    assert kinds(world.night()) == {"dismiss": 1}


def test_a_mapping_that_changes_everybody_says_so_until_it_is_approved(world):
    """R8, promise 8: the likely cause is the mapping, and nothing is held once it was approved."""
    world.directory.add(*(entry(f"p{n:02}", departmentNumber="Sales") for n in range(20)))
    world.sync()
    runs = with_rules(world, RULES | {"display_name": "departmentNumber"})
    run = runs.sync("corp", ME)
    plan = world.services.run_reports.plan(run)
    assert plan.state == "held"
    assert "mapping or scope are others than before (R8)" in plan.limit_sentence
    assert runs.approve(run, ME, digest=plan.digest, comment="as wanted") == "applied"
    assert world.services.run_reports.plan(run).limit_sentence == ""


@pytest.mark.usefixtures("staff")
def test_what_was_new_when_a_plan_was_applied_is_told_between_the_nights(world):
    """R4, R6: the mark of the fresh reading lies behind what the plan did nothing about."""
    world.directory.add(entry("zoe"))
    run = world.services.runs.plan("corp", ME)
    world.directory.add(entry("p1", title="Head"))
    world.services.runs.apply(run, ME)
    assert kinds(changes(world)) == {"update": 1}
    assert changes(world) is None
