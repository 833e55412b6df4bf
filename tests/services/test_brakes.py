"""Brakes: obeyed at every door, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.domain.brakes import Brake
from provisioning.domain.errors import BrakeError
from provisioning.services.delivery import DeliveryService
from provisioning.storage.models.effects import EventRecord
from tests.kit.nights import ME, count
from tests.kit.postbox import Postbox, deliver
from tests.kit.sources import entry
from tests.kit.world import PASSWORD, join_token

READ_ONLY, NO_INVITATIONS, NO_DISMISSALS = Brake


def pull(world, brake):
    assert world.services.switches.pull(brake, ME, "a test")


def let_go(world, brake):
    assert world.services.let_go(brake, ME)


@pytest.fixture
def staff(world):
    """Four people who were written to."""
    world.directory.add(*map(entry, ("ann", "bob", "cid", "dan")))
    world.sync()
    deliver(world)
    return world


def test_who_pulled_a_brake_and_why_is_told(world):
    """S4: on the audit, too; the second to pull changes nothing."""
    pull(world, READ_ONLY)
    assert not world.services.switches.pull(READ_ONLY, ME, "again")
    (state, *others) = world.services.switches.brakes()
    assert (state.name, state.on.by, state.on.comment) == (READ_ONLY, ME.name, "a test")
    assert [other.on for other in others] == [None, None]
    let_go(world, READ_ONLY)
    assert not world.services.let_go(READ_ONLY, ME)
    assert [state.on for state in world.services.switches.brakes()] == [None] * 3
    assert count(world, EventRecord) == 2


def test_without_invitations_people_are_seated_and_their_letters_wait(world):
    """I9: their time begins when the letter leaves."""
    pull(world, NO_INVITATIONS)
    world.directory.add(entry("ann"))
    world.sync()
    assert (world.states(), deliver(world)) == ({"Ann": "invited"}, [])
    world.clock.advance(timedelta(days=30))
    let_go(world, NO_INVITATIONS)
    (letter,) = deliver(world)
    assert "ann@corp.example" in letter["To"]
    assert world.services.invitations.expire_due() == 0


def test_nobody_is_reminded_without_invitations(staff):
    """I4: the reminder waits, too."""
    staff.clock.advance(timedelta(days=6))
    assert staff.services.invitations.remind_due() == 4
    pull(staff, NO_INVITATIONS)
    assert deliver(staff) == []
    let_go(staff, NO_INVITATIONS)
    assert len(deliver(staff)) == 4


@pytest.mark.parametrize("brake", [READ_ONLY, NO_INVITATIONS])
def test_a_brake_stops_letters_that_are_claimed_already(world, brake):
    """R5: the next one stays, and leaves when the brake is off."""
    world.directory.add(*map(entry, ("ann", "bob", "cid")))
    world.sync()
    box = Postbox()
    send = box.send
    box.send = lambda letter: (send(letter), world.services.switches.pull(brake, ME, "stop"))
    assert DeliveryService(world.services.context, box).deliver_due() == 1
    let_go(world, brake)
    assert len(deliver(world)) == 2


def test_without_dismissals_a_run_holds_removals_and_does_the_rest(staff):
    """D5: additions go on; the night after the brake they are done by themselves."""
    pull(staff, NO_DISMISSALS)
    staff.directory.remove("ann")
    staff.directory.add(entry("eve"))
    plan = staff.sync()
    assert plan.state == "held"
    assert "the brake no-dismissals" in plan.limit_sentence
    assert staff.states() == dict.fromkeys(("Ann", "Bob", "Cid", "Dan", "Eve"), "invited")
    tried = []
    staff.services.runs.approve(plan.run, ME, progress=lambda *done: tried.append(done))
    assert staff.states()["Ann"] == "invited"
    assert tried == [], "an approval chooses nobody whom the brake holds"
    let_go(staff, NO_DISMISSALS)
    staff.night()
    assert staff.states()["Ann"] == "dismissed"


def test_a_brake_pulled_during_a_run_holds_what_is_left_of_it(staff):
    """D5: who is out is out; the others wait for the next night."""
    staff.directory.remove("ann", "bob")
    run = staff.services.runs.sync("corp", ME, lambda done, _: done == 1 and pull_once(staff))
    assert staff.services.run_reports.plan(run).state == "held"
    assert sorted(staff.states().values()) == ["dismissed", "invited", "invited", "invited"]
    let_go(staff, NO_DISMISSALS)
    staff.night()
    assert sorted(staff.states().values()) == ["dismissed", "dismissed", "invited", "invited"]


def pull_once(world, brake=NO_DISMISSALS):
    world.services.switches.pull(brake, ME, "stop")


def test_read_only_refuses_a_run_before_anything_is_read(staff):
    """R1: a plan is still possible, it changes nobody."""
    staff.directory.remove("ann")
    pull(staff, READ_ONLY)
    staff.directory.while_read = lambda: pytest.fail("the directory was read")
    with pytest.raises(BrakeError, match='pulled the brake read-only: "a test"'):
        staff.services.runs.sync("corp", ME)
    with pytest.raises(BrakeError):
        staff.services.runs.sync_changes("corp", ME)
    staff.directory.while_read = lambda: None
    run = staff.services.runs.plan("corp", ME)
    with pytest.raises(BrakeError):
        staff.services.runs.apply(run, ME)
    let_go(staff, READ_ONLY)
    assert staff.services.runs.apply(run, ME) == "applied"
    assert staff.states()["Ann"] == "dismissed"


def test_read_only_stops_a_run_in_the_middle_and_it_is_resumed(staff):
    """R5: nothing is lost and nothing twice."""
    staff.directory.remove("ann", "bob")
    with pytest.raises(BrakeError):
        staff.services.runs.sync("corp", ME, lambda *_: pull_once(staff, READ_ONLY))
    assert sorted(staff.states().values()) == ["dismissed", "invited", "invited", "invited"]
    let_go(staff, READ_ONLY)
    assert staff.services.runs.resume("corp", ME)
    assert sorted(staff.states().values()) == ["dismissed", "dismissed", "invited", "invited"]


def test_read_only_refuses_an_acceptance_and_the_link_stays_good(staff):
    """I3: whoever follows it later joins."""
    ann = staff.services.reports.find("ann")
    link = join_token(staff.services, ann)
    pull(staff, READ_ONLY)
    with pytest.raises(BrakeError):
        staff.services.accounts.accept(link, "ann@corp.example", PASSWORD)
    assert staff.states()["Ann"] == "invited"
    let_go(staff, READ_ONLY)
    staff.services.accounts.accept(link, "ann@corp.example", PASSWORD)
    assert staff.states()["Ann"] == "active"


def test_read_only_leaves_the_waiting_list_as_it_is(make_world):
    """L3: the seat is given when the brake is off."""
    world = make_world(seats=1)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    pull(world, READ_ONLY)
    world.services.seats.set_limit(2, ME)
    assert world.services.waiting.serve() == 0
    assert world.states() == {"Ann": "invited", "Bob": "waiting"}
    let_go(world, READ_ONLY)
    assert world.services.waiting.serve() == 1


def test_read_only_refuses_what_administrators_ask_for(staff):
    """S3: a page and a command are doors like any other."""
    ann = staff.services.reports.find("ann")
    staff.clock.advance(timedelta(days=1))
    pull(staff, READ_ONLY)
    with pytest.raises(BrakeError):
        staff.services.invite_again(ann, ME)
    with pytest.raises(BrakeError):
        staff.services.on_demand.run("corp", "ann", ME)
    with pytest.raises(BrakeError):
        staff.services.invitations.release("corp", ME)
    assert deliver(staff) == []
