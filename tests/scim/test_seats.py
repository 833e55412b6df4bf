"""Seats: every door has the same gate, and who waits is invited by itself (L2, L3)."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from provisioning.domain.policy import Policy, WhenFull
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import ME, count
from tests.kit.scim_client import CORE, OURS, employee_of, operation, outcome, refusal, taken, user

REJECT = Policy(missing_grace_nights=0, when_full=WhenFull.REJECT)


def test_without_a_seat_the_newcomer_waits_and_is_told_why(make_idp):
    """L3: 201 and active as the client set it; our extension says unasked what came of it."""
    world, idp = make_idp(seats=1)
    assert OURS not in idp.create("ann")
    bob = taken(idp("POST", "/Users", user("bob")), 201)
    assert bob["active"] is True
    assert bob["schemas"] == [CORE, OURS]
    told = bob[OURS]
    assert (told["state"], told["reason"], told["waitingPosition"]) == ("waiting", "no_seat", 1)
    assert "no seat is left of 1" in told["because"]
    assert told.keys() == {"state", "reason", "because", "waitingPosition"}
    assert idp.get(bob["id"])[OURS] == idp.list()["Resources"][1][OURS] == told
    assert OURS not in taken(idp("GET", f"/Users/{bob['id']}?excludedAttributes={OURS}"), 200)
    assert world.services.reports.seats().taken == 1
    assert world.services.delivery.deliver_due() == 1


@pytest.mark.parametrize("leave", ["dismiss", "delete"])
def test_a_freed_seat_goes_to_whoever_waits_longest(make_idp, leave):
    """L3: at once, in order, without anybody asking again."""
    world, idp = make_idp(seats=1)
    ann, bob, cid = (idp.create(name) for name in ("ann", "bob", "cid"))
    if leave == "dismiss":
        idp.activate(ann["id"], False)
    else:
        idp.delete(ann["id"])
    assert outcome(idp.get(bob["id"]))["state"] == "invited"
    assert outcome(idp.get(cid["id"]))["state"] == "waiting"
    assert world.services.reports.seats().taken == 1


def test_hiring_back_passes_the_same_gate(make_idp):
    """S6, L3: the way back waits for a seat as well, and is active as soon as there is one."""
    world, idp = make_idp(seats=1)
    ann = idp.create("ann")
    world.accept("Ann")
    idp.activate(ann["id"], False)
    bob = idp.create("bob")
    back = idp.activate(ann["id"], True)
    assert back["active"] is True
    assert (outcome(back)["state"], outcome(back)["reason"]) == ("waiting", "hired_back")
    assert "no seat is left" in outcome(back)["because"]
    idp.activate(bob["id"], False)
    assert outcome(idp.get(ann["id"]))["state"] == "active"
    assert employee_of(world.services, ann) == employee_of(world.services, back)


def test_when_full_may_mean_no(make_idp):
    """L3: seats.when_full = "reject" answers 403 with a sentence, and nothing is kept."""
    world, idp = make_idp(seats=1, policy=REJECT)
    ann = idp.create("ann")
    detail = refusal(idp("POST", "/Users", user("bob")), 403)
    assert "all 1 seats are taken" in detail
    assert idp.list()["Resources"] == [ann]
    assert count(world, EmployeeRecord) == 1


def test_when_full_means_no_for_the_way_back_too(make_idp):
    """L3, S6: the resource stays as it was."""
    world, idp = make_idp(seats=1, policy=REJECT)
    ann = idp.create("ann")
    world.accept("Ann")
    gone = idp.activate(ann["id"], False)
    idp.create("bob")
    refusal(idp.try_patch(ann["id"], operation("replace", "active", True)), 403)
    assert idp.get(ann["id"]) == gone
    assert world.states()["Ann"] == "dismissed"


def test_a_seat_taken_meanwhile_means_no_as_well(make_idp, monkeypatch):
    """L1, L3: the plan counted on a seat that somebody else got first."""
    world, idp = make_idp(seats=1, policy=REJECT)
    monkeypatch.setattr("provisioning.services.provision.take_seat", lambda *_: False)
    refusal(idp("POST", "/Users", user("ann")), 403)
    assert idp.list()["totalResults"] == 0
    assert count(world, EmployeeRecord) == 0


def test_whoever_waits_may_still_be_described_anew(make_idp):
    """L3: a policy that became strict refuses newcomers, not news of those who wait."""
    world, idp = make_idp(seats=1)
    idp.create("ann")
    bob = idp.create("bob")
    strict = make_idp(seats=1, policy=REJECT)[1]
    assert strict.patch(bob["id"], operation("replace", "title", "Chief"))["title"] == "Chief"
    world.services.seats.set_limit(2, ME)
    assert world.services.waiting.serve() == 1


def test_a_departure_succeeds_even_if_the_seat_cannot_be_passed_on(make_idp, monkeypatch):
    """D1: a departure never fails; the waiting list is served by its job."""
    world, idp = make_idp(seats=1)
    ann, bob = idp.create("ann"), idp.create("bob")

    def no_database(_self):
        raise OperationalError("SELECT", {}, Exception("gone"))

    with monkeypatch.context() as broken:
        broken.setattr("provisioning.services.waiting.WaitingService.serve", no_database)
        idp.delete(ann["id"])
    assert outcome(idp.get(bob["id"]))["state"] == "waiting"
    assert world.services.waiting.serve() == 1
    assert outcome(idp.get(bob["id"]))["state"] == "invited"
