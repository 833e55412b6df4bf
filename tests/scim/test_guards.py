"""What is answered as the client set it, and does not happen: held, and told to administrators."""

from __future__ import annotations

from datetime import timedelta

from provisioning.domain.findings import FindingKind
from provisioning.domain.policy import Policy
from provisioning.services.context import InvitationTimes
from provisioning.storage.models.accounts import RoleGrantRecord
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import ME, count
from tests.kit.scim_client import ENTERPRISE, employee_of, operation, outcome
from tests.kit.sources import entry

GRACE = InvitationTimes(grace=timedelta(minutes=10))
PROTECTED = Policy(missing_grace_nights=0, protected=frozenset({"ann@corp.example"}))


def held(world):
    """Whom administrators are told about."""
    found = world.services.reports.mismatches(kind=FindingKind.DEPARTED_STILL_ACTIVE)
    return [finding.person for finding in found]


def test_a_protected_person_is_not_dismissed(make_idp):
    """D4: the answer shows what the client set; the effect is held and told."""
    world, idp = make_idp(policy=PROTECTED)
    ann = idp.create("ann")
    world.accept("Ann")
    gone = idp.activate(ann["id"], False)
    assert (gone["active"], outcome(gone)["state"]) == (False, "active")
    assert world.services.reports.seats().taken == 1
    assert held(world) == ["ann@corp.example"]


def test_a_protected_person_outlives_the_resource(make_idp):
    """D4: 204 and hidden, and the employee stays; sent again, they are found again (P2)."""
    world, idp = make_idp(policy=PROTECTED)
    ann = idp.create("ann")
    world.accept("Ann")
    idp.delete(ann["id"])
    assert idp.list()["totalResults"] == 0
    assert world.states() == {"Ann": "active"}
    assert held(world) == ["ann@corp.example"]
    assert outcome(idp.create("ann"))["state"] == "active"
    assert count(world, EmployeeRecord) == 1


def test_another_sources_dismissal_is_not_undone(world, idp):
    """S7: answered normally, and the revival is held."""
    world.directory.add(entry("ann", employeeNumber="7"), entry("bob"))
    world.sync()
    world.accept("Ann")
    world.directory.remove("ann")
    world.night()
    ann = idp.create("ann", **{ENTERPRISE: {"employeeNumber": "7"}})
    assert (ann["active"], outcome(ann)["state"]) == (True, "dismissed")
    for active in (False, True):
        changed = idp.activate(ann["id"], active)
        assert (changed["active"], outcome(changed)["state"]) == (active, "dismissed")
        found = [row.kind for row in world.services.reports.mismatches()]
        assert ("return_held" in found) == active, "an administrator sees whom it is about"
    assert idp.patch(ann["id"], operation("replace", "title", "Chief"))["title"] == "Chief"
    assert world.states() == {"Ann": "dismissed", "Bob": "invited"}
    assert world.services.reports.seats().taken == 1


def test_created_and_deleted_within_the_grace_nobody_was_written_to(make_idp):
    """I9: what identity providers do to test a connection leaves no letter, seat or employee."""
    world, idp = make_idp(times=GRACE)
    ann, bob = idp.create("ann"), idp.create("bob")
    assert world.services.reports.seats().taken == 2
    idp.delete(ann["id"])
    assert world.services.reports.seats().taken == 1
    assert world.services.delivery.deliver_due() == 0
    world.clock.advance(timedelta(hours=1))
    assert world.services.delivery.deliver_due() == 1
    assert world.states() == {"Bob": "invited"}
    assert [found["id"] for found in idp.list()["Resources"]] == [bob["id"]]


def test_a_first_push_is_answered_and_its_letters_wait_for_the_release(make_idp):
    """I10: 201, invited, the seat reserved; letters leave when an administrator says so."""
    world, idp = make_idp(release="plan")
    ann = idp.create("ann")
    assert outcome(ann)["state"] == "invited"
    assert world.services.reports.seats().taken == 1
    world.clock.advance(timedelta(days=20))
    assert world.services.delivery.deliver_due() == 0
    assert world.services.invitations.release("idp", ME) == 1
    assert world.services.delivery.deliver_due() == 1
    idp.create("bob")
    assert world.services.delivery.deliver_due() == 1


def test_whoever_leaves_before_the_release_never_gets_a_letter(make_idp):
    """I10, D1: nobody was written to, so nothing of them stays."""
    world, idp = make_idp(release="plan")
    idp.delete(idp.create("ann")["id"])
    assert world.services.invitations.release("idp", ME) == 0
    assert world.services.delivery.deliver_due() == 0
    assert (world.states(), world.services.reports.seats().taken) == ({}, 0)


def test_roles_are_not_a_sources_to_give(world, idp):
    """A7: what a provider calls a role is kept with the person and gives no rights."""
    ann = idp.create("ann", roles=[{"value": "admin"}], entitlements=[{"value": "admin"}])
    assert ann["roles"] == [{"value": "admin"}]
    world.accept("Ann")
    assert count(world, RoleGrantRecord) == 0


def test_every_change_is_on_the_timeline_with_its_door(world, idp):
    """S3, S4: a rename over SCIM is an update like any other, told by whom."""
    ann = idp.create("ann")
    employee = employee_of(world.services, ann)
    for name in ("userName", "displayName", "title"):
        idp.patch(ann["id"], operation("replace", name, "Anna"))
        latest = world.services.person(employee).timeline[0]
        assert (latest.kind, latest.door) == ("updated", "scim")
        assert "P1" in latest.because
        assert "idp" in latest.actor
