"""Stale invitations: proposed for removal before anybody new is invited (L5), and the outlook."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.domain.errors import InvitationError
from provisioning.domain.outlook import OutlookKind
from provisioning.domain.policy import Policy, StaleInvitations
from provisioning.services.context import InvitationTimes
from provisioning.storage.models.intranets import SeatDayRecord
from tests.kit.nights import ME, count
from tests.kit.sources import entry
from tests.kit.world import PASSWORD, join_token

TIMES = InvitationTimes(grace=timedelta(0), lifetime=timedelta(days=60), stale=timedelta(days=10))


def full(make_world, *, seats=3, **policy):
    """Three seats: Ann accepted, Bob's and Cid's letters are eleven days old; Dan waits."""
    policy = Policy(missing_grace_nights=0, **policy)
    world = make_world(seats=seats, times=TIMES, policy=policy)
    world.directory.add(*map(entry, ("ann", "bob", "cid")))
    world.sync()
    world.accept("Ann")
    world.clock.advance(timedelta(days=11))
    world.directory.add(entry("dan"))
    world.sync()
    return world


def find(world, name):
    return world.services.reports.find(name)


def test_stale_invitations_are_proposed_with_a_remedy(make_world):
    """L5: findings and a list; nobody is removed by itself."""
    world = full(make_world)
    world.services.findings.refresh_all()
    assert [row.display_name for row in world.services.reports.stale()] == ["Bob", "Cid"]
    found = world.services.reports.mismatches()
    assert {row.kind for row in found} == {"invitation_stale"}
    assert "usher seats stale --remove" in found[0].remedy
    world.services.waiting.serve()
    assert world.states() == {
        "Ann": "active",
        "Bob": "invited",
        "Cid": "invited",
        "Dan": "waiting",
    }


def test_a_young_invitation_is_not_stale(make_world):
    """L5: counted from the letter that is open; a new letter begins anew."""
    world = full(make_world)
    world.services.invite_again(find(world, "Bob"), ME)
    world.services.delivery.deliver_due()
    assert [row.display_name for row in world.services.reports.stale()] == ["Cid"]


def test_removing_them_serves_the_line(make_world):
    """L5, I4, R3: links open nothing, seats move on, and the next night changes nothing."""
    world = full(make_world)
    world.services.findings.refresh_all()
    token = join_token(world.services, find(world, "Bob"))
    assert world.services.remove_stale_invitations(ME) == 2
    assert world.states() == {
        "Ann": "active",
        "Bob": "waiting",
        "Cid": "waiting",
        "Dan": "invited",
    }
    assert world.services.reports.mismatches() == []
    assert (world.services.reports.seats().taken, world.services.seats.recount()) == (2, 0)
    event = world.services.person(find(world, "Bob")).timeline[0]
    assert (event.kind, event.actor) == ("invitation_stale", "anna")
    with pytest.raises(InvitationError, match="withdrawn"):
        world.services.accounts.accept(token, "bob@corp.example", PASSWORD)
    assert world.night().actions == []
    assert world.services.remove_stale_invitations(ME) == 0


def test_who_accepts_before_the_click_stays(make_world):
    """L5: only who never accepted is removed."""
    world = full(make_world)
    world.accept("Bob")
    assert world.services.remove_stale_invitations(ME) == 1
    assert world.states()["Bob"] == "active"


def test_the_policy_removes_as_many_as_are_waited_for(make_world):
    """L5: the oldest first, one for each who waits, and nobody when nobody waits."""
    world = full(make_world, stale_invitations=StaleInvitations.REMOVE)
    assert world.states() == {
        "Ann": "active",
        "Bob": "waiting",
        "Cid": "invited",
        "Dan": "invited",
    }
    assert world.services.waiting.serve() == 0
    assert world.states()["Cid"] == "invited"


def test_a_lowered_limit_has_to_fit_first(make_world):
    """L5, L6: two over the limit and one who waits; nobody new is invited, nobody dismissed."""
    world = full(make_world)
    world.services.seats.set_limit(1, ME)
    assert world.services.reports.seats().over == 2
    assert world.services.remove_stale_invitations(ME) == 2
    assert (world.states()["Ann"], world.states()["Dan"]) == ("active", "waiting")
    assert world.services.reports.seats().over == 0


def test_a_plan_says_what_removing_them_would_do(make_world):
    """L8: as long as it can be applied; applied, there is nothing to say."""
    world = full(make_world)
    world.directory.add(entry("eve"), entry("fay"), entry("gus"))
    run = world.services.runs.plan("corp", ME)
    said = (
        "0 invited now, 3 wait; removing 2 stale invitations: 1 invited; with 4 more seats: all 3."
    )
    assert world.services.run_reports.plan(run).seats_sentence == said
    world.services.runs.apply(run, ME)
    assert world.services.run_reports.plan(run).seats_sentence == ""


def test_a_stale_invitation_the_plan_revokes_is_not_counted_twice(make_world):
    """L8, L4: Bob leaves; his seat is freed by the plan, Cid's by the removal."""
    world = full(make_world)
    world.directory.remove("bob")
    world.directory.add(entry("eve"), entry("fay"))
    run = world.services.runs.plan("corp", ME)
    said = (
        "0 invited now, 2 wait; removing 1 stale invitation: 1 invited; with 2 more seats: all 2."
    )
    assert world.services.run_reports.plan(run).seats_sentence == said


def test_the_recount_remembers_each_day(make_world):
    """L8: the last count of a date; a pace of two a week fills six seats in three weeks."""
    world = make_world(seats=16)
    for week in range(3):
        for day in range(7):
            if day < 2:
                world.directory.add(entry(f"p{week}{day}"))
                world.sync()
            world.services.seats.recount()
            world.services.seats.recount()
            world.clock.advance(timedelta(days=1))
    assert count(world, SeatDayRecord) == 21
    outlook = world.services.reports.outlook()
    assert (outlook.kind, outlook.growth, outlook.days) == (OutlookKind.RUNS_OUT, 5, 21)
    assert outlook.day == world.services.context.today() + timedelta(days=42)
