"""What does not happen by itself: incomplete, held, approved, rejected (R2, R4, D5, I10)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.domain.errors import (
    DigestMismatchError,
    HeldError,
    RunStateError,
    SourceError,
)
from provisioning.storage.models.effects import OutboxRecord
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.runs import RunPersonRecord
from tests.kit.nights import ME, count, kinds
from tests.kit.sources import entry


def test_a_truncated_reading_changes_nothing(world):
    """R2: incomplete, 0 changes, and the run says why."""
    world.directory.add(*(entry(f"p{n}") for n in range(20)))
    world.sync()
    world.directory.cut_after = 5
    with pytest.raises(SourceError, match="sizeLimitExceeded"):
        world.night()
    latest = world.services.run_reports.runs(limit=1)[0]
    assert (latest.state, latest.counts) == ("incomplete", {})
    assert set(world.states().values()) == {"invited"}
    assert count(world, RunPersonRecord) == 0


def test_an_empty_reading_changes_nothing(world):
    """R2: zero people is never "they all left", at any company size."""
    world.directory.add(entry("ann"))
    world.sync()
    world.directory.remove("ann")
    with pytest.raises(SourceError, match=r"returned 0 people\. The last good run saw 1"):
        world.night()
    assert world.states() == {"Ann": "invited"}


def test_too_many_at_once_are_held_and_additions_go_on(world):
    """D5: 4 of 20 is more than max(3, 5 %); the newcomer is invited all the same."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    world.directory.add(entry("new"))
    plan = world.night()
    assert plan.state == "held"
    assert [a.held for a in plan.actions] == ["mass_removal"] * 4 + [None]
    assert world.states()["New"] == "invited"
    assert sorted(set(world.states().values())) == ["invited"]


def test_a_held_reading_is_not_what_the_next_is_compared_with(world):
    """D5, R2: twenty people were seen last, whatever the doubtful reading returned."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove(*(f"p{n:02}" for n in range(10)))
    for plan in (world.night(), world.sync()):
        assert "The last good run saw 20 people" in plan.limit_sentence


def test_who_would_leave_is_called_by_name(world):
    """R4: whoever approves sees people, not ids; the entry is gone, the registry is not."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("Ann")
    world.directory.remove("ann")
    report = world.services.run_reports.plan(world.services.runs.plan("corp", ME))
    (leaving,) = report.actions
    assert (leaving.display_name, leaving.mail) == ("Ann", "ann@corp.example")


def test_approving_the_held_plan_by_its_digest_does_exactly_that(world):
    """R4: planned afresh, applied where both agree."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    plan = world.night()
    state = world.services.runs.approve(plan.run, ME, digest=plan.digest, comment="closed")
    assert state == "applied"
    assert len(world.states()) == 16
    assert kinds(world.sync()) == {}


def test_a_wrong_digest_approves_nothing(world):
    """R4: approval is of one plan."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    plan = world.night()
    with pytest.raises(DigestMismatchError):
        world.services.runs.approve(plan.run, ME, digest="0" * 64)
    assert world.services.run_reports.plan(plan.run).state == "held"


def test_an_approval_expires_after_a_day(world):
    """R4: what was true yesterday is planned again."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    plan = world.night()
    world.clock.advance(timedelta(hours=25))
    with pytest.raises(RunStateError, match="24 hours"):
        world.services.runs.approve(plan.run, ME)


def test_who_came_back_before_the_approval_has_drifted(world):
    """R4: what is gone is reported, what is new is a plan of its own."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    back = world.directory.people["id-p00"]
    world.directory.remove("p00", "p01", "p02", "p03", "p04")
    plan = world.night()
    world.directory.add(back)
    world.directory.add(entry("new"))
    world.services.runs.approve(plan.run, ME)
    after = world.services.run_reports.plan(plan.run)
    assert sorted(a.status for a in after.actions) == ["done"] * 4 + ["drifted"]
    assert world.states()["P00"] == "invited"
    assert "New" not in world.states()
    newest = world.services.run_reports.runs(limit=1)[0]
    assert (newest.state, newest.counts["invite"]) == ("ready", 1)


def test_a_rejected_plan_is_never_applied(world):
    """R4: and the people stay."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    plan = world.night()
    world.services.runs.reject(plan.run, ME, "a mistake")
    with pytest.raises(RunStateError):
        world.services.runs.approve(plan.run, ME)
    assert len(world.states()) == 20


def test_a_first_run_only_plans_until_it_is_released(make_world):
    """I10: apply is refused with the command that helps; after the release it works."""
    world = make_world(first_run="plan")
    world.directory.add(entry("ann"))
    plan = world.sync()
    assert (plan.state, world.states()) == ("ready", {})
    with pytest.raises(HeldError, match="usher release corp"):
        world.services.runs.apply(plan.run, ME)
    world.services.invitations.release("corp", ME)
    assert world.services.runs.apply(plan.run, ME) == "applied"
    assert world.states() == {"Ann": "invited"}


def test_applying_twice_is_applying_once(world):
    """R5: the second time there is nothing to do."""
    world.directory.add(entry("ann"))
    run = world.services.runs.plan("corp", ME)
    assert world.services.runs.apply(run, ME) == "applied"
    assert world.services.runs.apply(run, ME) == "applied"
    assert count(world, EmployeeRecord) == 1
    assert count(world, OutboxRecord) == 1


def test_the_attributes_that_hold_a_run_are_named_and_no_others(world):
    """R1, promise 8: whoever decides reads what vanished, of how many, and what it was."""
    people = [entry(f"p{n:02}", title="Lead") for n in range(40)]
    world.directory.add(*people)
    world.sync()
    world.directory.add(*(entry(f"p{n:02}", mail=None, title="Lead") for n in range(1, 40)))
    world.directory.add(entry("p00", title="Chief"))
    plan = world.night()
    assert plan.state == "held"
    assert {action.held for action in plan.actions} == {"attributes"}
    assert "at once: mail for 39 (e.g. p01@corp.example, and now nothing). " in plan.limit_sentence


def test_what_is_new_when_a_plan_is_applied_is_not_lost(world):
    """R4: neither a departure nor a change that only the fresh reading knew is taken as done."""
    world.directory.add(*(entry(uid) for uid in ("ann", "bob", "cid", "dan")))
    world.sync()
    world.directory.add(entry("zoe"))
    run = world.services.runs.plan("corp", ME)
    world.directory.add(entry("bob", disabled="yes"), entry("cid", title="Head"))
    world.services.runs.apply(run, ME)
    assert (world.states()["Bob"], world.states()["Zoe"]) == ("invited", "invited")
    assert kinds(world.night()) == {"revoke": 1, "update": 1}
    assert set(world.states()) == {"Ann", "Cid", "Dan", "Zoe"}


def test_what_other_rules_would_do_is_shown_although_an_older_plan_was_applied(world):
    """R8: whoever applied the plan of the old rules has not seen what the new ones do."""
    world.directory.add(entry("ann", grade="A"), entry("bob", grade="B"))
    world.sync()
    world.directory.add(entry("zoe"))
    run = world.services.runs.plan("corp", ME)
    mappings, rules = world.services.mappings, {"title": "grade"}
    mappings.save("corp", rules, mappings.effect("corp", rules).seen, ME)
    world.services.runs.apply(run, ME)
    plan = world.night()
    assert (plan.state, kinds(plan)) == ("ready", {"update": 2})
