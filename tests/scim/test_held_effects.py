"""Protected people and returns by another authority: held until somebody decides (D4, S7)."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from provisioning.domain.actions import HoldReason
from provisioning.domain.errors import DecidedError, HeldError, NotFoundError, SeatLimitError
from provisioning.domain.findings import FindingKind
from provisioning.domain.policy import Policy, WhenFull
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import ME
from tests.kit.scim_client import ENTERPRISE, outcome, user
from tests.kit.sources import entry

PROTECTED = Policy(missing_grace_nights=0, protected=frozenset({"ann@corp.example"}))
NUMBER = {ENTERPRISE: {"employeeNumber": "7"}}


def kinds(world):
    return [found.kind for found in world.services.reports.mismatches()]


def only(world):
    (row,) = world.services.hold_reports.held()
    return row


@pytest.fixture
def protected(make_idp):
    """A world in which Ann is protected, and her resource inactive."""
    world, idp = make_idp(policy=PROTECTED)
    ann = idp.create("ann")
    world.services.delivery.deliver_due()
    return world, idp, idp.activate(ann["id"], False)


@pytest.fixture
def returning(make_idp):
    """Return a maker: Ann, dismissed by the directory, and sent by a provider."""

    def making(**choices):
        world, idp = make_idp(**choices)
        world.directory.add(entry("ann", employeeNumber="7"), entry("bob"))
        world.sync()
        world.accept("Ann")
        world.directory.remove("ann")
        world.night()
        return world, idp, idp.create("ann", **NUMBER)

    return making


def test_a_protected_person_is_dismissed_when_somebody_says_so(protected):
    """D4: by an administrator who approves, with the source as the authority."""
    world, idp, ann = protected
    assert (only(world).reason, only(world).action) == ("protected", "revoke")
    with pytest.raises(HeldError, match="one by one"):
        world.services.holds.approve_all("idp", HoldReason.PROTECTED, 1, ME)
    world.services.holds.approve(only(world).id, ME)
    assert world.states() == {"Ann": "dismissed"}
    assert kinds(world) == []
    assert outcome(idp.activate(ann["id"], True))["state"] == "invited"


def test_a_protected_person_stays_when_somebody_says_so(protected):
    """D4: the resource says active again."""
    world, idp, ann = protected
    world.services.holds.reject(only(world).id, ME, "break glass")
    shown = idp.get(ann["id"])
    assert (shown["active"], outcome(shown)["state"]) == (True, "invited")
    assert kinds(world) == ["departed_still_active"]
    assert world.services.hold_reports.held() == []


def test_whoever_is_protected_meanwhile_needs_another_look(world, idp):
    """D4, D6: approving what the breaker held does not approve what protection holds."""
    people = [idp.create(f"p{number}") for number in range(4)]
    world.services.delivery.deliver_due()
    for one in people:
        idp.activate(one["id"], False)
    with world.services.context.database.write() as session:
        session.execute(update(EmployeeRecord).values(protected=True))
    with pytest.raises(HeldError, match="now because this person is protected"):
        world.services.holds.approve(only(world).id, ME)
    assert only(world).reason == "protected"
    assert world.states()["P3"] == "invited"
    assert kinds(world) == ["departed_still_active"], "nothing is left of the breaker"


def test_a_held_return_is_approved_through_the_seat_gate(returning):
    """S7, S6: an administrator's word brings them back, with their account."""
    world, idp, ann = returning()
    row = only(world)
    assert (row.reason, row.action, row.state) == ("authority", "hire_back", "dismissed")
    world.services.holds.approve(row.id, ME)
    assert outcome(idp.get(ann["id"]))["state"] == "active"
    assert world.services.reports.seats().taken == 2
    assert (kinds(world), world.services.hold_reports.held()) == ([], [])


def test_a_held_return_waits_for_a_seat_like_any_other(returning):
    """S7, L3: approval makes no seats."""
    world, idp, ann = returning(seats=2)
    idp.create("zoe")
    world.services.holds.approve(only(world).id, ME)
    shown = outcome(idp.get(ann["id"]))
    assert (shown["state"], shown["reason"]) == ("waiting", "hired_back")
    assert world.services.reports.seats().taken == 2


def test_a_held_return_without_a_seat_may_be_refused(returning):
    """L3: seats.when_full = "reject" says no here, too, and it stays held."""
    strict = Policy(missing_grace_nights=0, when_full=WhenFull.REJECT)
    world, idp, _ann = returning(seats=2, policy=strict)
    idp.create("zoe")
    with pytest.raises(SeatLimitError):
        world.services.holds.approve(only(world).id, ME)
    decided = world.services.holds.approve_all("idp", HoldReason.AUTHORITY, 1, ME)
    assert (decided.done, decided.left) == (0, ("all 2 seats are taken (2 in use)",))
    assert only(world).reason == "authority"
    assert world.states()["Ann"] == "dismissed"


def test_a_rejected_return_says_inactive_again(returning):
    """S7: the resource shows what is in effect."""
    world, idp, ann = returning()
    world.services.holds.reject(only(world).id, ME, "she left")
    shown = idp.get(ann["id"])
    assert (shown["active"], outcome(shown)["state"]) == (False, "dismissed")
    assert shown["meta"]["version"] != ann["meta"]["version"]
    assert kinds(world) == []


def test_a_return_that_came_about_by_itself_is_not_held_any_more(returning):
    """S7: whoever dismissed them brought them back."""
    world, _idp, _ann = returning()
    row = only(world)
    world.directory.add(entry("ann", employeeNumber="7"))
    world.night()
    assert world.states()["Ann"] == "active"
    assert world.services.hold_reports.held() == []
    with pytest.raises(DecidedError, match="overtaken"):
        world.services.holds.approve(row.id, ME)


def test_a_dismissal_that_came_about_by_itself_is_not_held_any_more(world, idp):
    """D6: the directory dismissed whom the breaker held."""
    world.directory.add(entry("ann", employeeNumber="7"), entry("bob"))
    world.sync()
    ann = idp.create("ann", **NUMBER)
    others = [idp.create(f"p{number}") for number in range(3)]
    world.services.delivery.deliver_due()
    for one in (*others, ann):
        idp.activate(one["id"], False)
    assert only(world).display_name == "Ann"
    assert world.services.person(only(world).employee).held[0].reason == "breaker"
    world.directory.remove("ann")
    assert world.night().state == "applied", "the others are none of the directory's people"
    assert world.states()["Ann"] == "dismissed"
    assert world.services.hold_reports.held() == []
    assert FindingKind.REMOVALS_HELD.value not in kinds(world)


def test_another_intranets_hold_is_nobodys(protected):
    """Nothing to decide about where nothing is held."""
    world, _idp, _ann = protected
    with pytest.raises(NotFoundError, match="held effect"):
        world.services.holds.reject(only(world).id + 1, ME, "no")
    assert user("ann")["userName"] == only(world).person
