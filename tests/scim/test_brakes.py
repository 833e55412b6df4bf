"""Brakes over SCIM: refused with a time to come back, or held; nothing is lost."""

from __future__ import annotations

import pytest

from provisioning.domain.actions import HoldReason
from provisioning.domain.brakes import Brake
from tests.kit.nights import ME
from tests.kit.scim_client import GROUP, operation, outcome, user

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@pytest.fixture
def staff(world, idp):
    """The resources of five people who were written to; three may leave at once."""
    people = [idp.create(f"p{number}") for number in range(5)]
    world.services.delivery.deliver_due()
    return people


def pull(world, brake):
    world.services.switches.pull(brake, ME, "a test")


def held(world):
    return [(row.display_name, row.reason) for row in world.services.hold_reports.held()]


def test_read_only_answers_every_write_with_503_and_when_to_come_back(world, idp, staff):
    """S3, safety 20: acknowledged is durable, so nothing is acknowledged; reading goes on."""
    group = idp("POST", "/Groups", {"schemas": [GROUP], "displayName": "Sales"}).get_json()
    pull(world, Brake.READ_ONLY)
    one, before = f"/Users/{staff[0]['id']}", idp.get(staff[0]["id"])
    gone = {"schemas": [BULK], "Operations": [{"method": "DELETE", "path": one}]}
    for method, path, body in (
        ("POST", "/Users", user("new")),
        ("PUT", one, user("p0", title="Head")),
        ("PATCH", one, idp_patch(operation("replace", "active", False))),
        ("DELETE", one, None),
        ("POST", "/Groups", {"schemas": [GROUP], "displayName": "Staff"}),
        ("PATCH", f"/Groups/{group['id']}", idp_patch(operation("replace", "displayName", "X"))),
        ("DELETE", f"/Groups/{group['id']}", None),
    ):
        answer = idp(method, path, body)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "300"), path
        assert "brake read-only" in answer.get_json()["detail"]
        assert "a test" not in answer.text
    (refused,) = idp("POST", "/Bulk", gone).get_json()["Operations"]
    assert refused["status"] == "503"
    assert idp.get(staff[0]["id"]) == before
    world.services.let_go(Brake.READ_ONLY, ME)
    assert outcome(idp.activate(staff[0]["id"], False))["state"] == "dismissed"


def idp_patch(*operations):
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": list(operations),
    }


def test_a_dismissal_is_held_and_the_breaker_decides_when_the_brake_is_off(world, idp, staff):
    """D6, D1: answered as set; nobody has to send anything again, and no mass goes through."""
    pull(world, Brake.NO_DISMISSALS)
    for one in staff[:4]:
        assert outcome(idp.activate(one["id"], False))["state"] == "invited"
    assert idp("DELETE", f"/Users/{staff[4]['id']}").status_code == 204
    assert held(world) == [(f"P{number}", "brake") for number in range(5)]
    world.services.let_go(Brake.NO_DISMISSALS, ME)
    assert held(world) == [("P3", "breaker"), ("P4", "breaker")]
    assert sorted(world.states().values()) == ["dismissed"] * 3 + ["invited"] * 2


def test_whoever_is_sent_as_active_again_is_not_dismissed(world, idp, staff):
    """D6: the client took it back."""
    pull(world, Brake.NO_DISMISSALS)
    idp.activate(staff[0]["id"], False)
    idp.activate(staff[0]["id"], True)
    assert held(world) == []
    world.services.let_go(Brake.NO_DISMISSALS, ME)
    assert set(world.states().values()) == {"invited"}


def test_what_a_killed_process_left_held_is_taken_up_by_a_job(world, idp, staff):
    """R5: the brake went off, and the process with it."""
    pull(world, Brake.NO_DISMISSALS)
    idp.activate(staff[0]["id"], False)
    assert world.services.holds.take_up_braked() == 0
    world.services.switches.let_go(Brake.NO_DISMISSALS, ME)
    assert world.services.holds.take_up_braked() == 1
    assert outcome(idp.get(staff[0]["id"]))["state"] == "dismissed"


def test_an_administrator_may_decide_about_what_a_brake_held(world, idp, staff):
    """D6: rejected, the resource goes back to active."""
    pull(world, Brake.NO_DISMISSALS)
    idp.activate(staff[0]["id"], False)
    world.services.holds.reject_all("idp", HoldReason.BRAKE, 1, ME, "stays")
    assert idp.get(staff[0]["id"])["active"] is True
