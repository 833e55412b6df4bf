"""What is held, on the page: seeing it, and deciding about it (D4, D6, S7)."""

from __future__ import annotations

import pytest

from provisioning.domain.brakes import Brake
from provisioning.storage.models.accounts import RoleName
from tests.kit.nights import ME
from tests.kit.scim_client import connect
from tests.kit.site import administrator, place


@pytest.fixture
def held(world, site):
    """Of five people dismissed at once, two are held."""
    world.services.seats.set_limit(None, ME)
    idp = connect(world.services, app=site)
    people = [idp.create(f"p{number}") for number in range(5)]
    world.services.delivery.deliver_due()
    for one in people:
        idp.activate(one["id"], False)
    return world.services.hold_reports.held()


def test_what_is_held_is_on_the_first_page(held, admin):
    """D6: a banner with the number leads to the list."""
    page = admin.get("/admin/").text
    assert "idp needs you" in page
    assert "2 effects are held" in page
    assert 'href="/admin/held#idp-breaker"' in page


def test_the_list_says_who_why_and_how_much_was_spent(held, admin):
    """D6, S4: each with its because, and the two limits."""
    page = admin.get("/admin/held").text
    assert "3 of at most 3 people were removed within a day" in page
    assert page.count("Held: too many people were dismissed over SCIM") == 2
    assert f'href="/admin/people/{held[0].employee}"' in page


def test_the_list_is_a_file_too(held, admin):
    """E9: the same rows."""
    (first, second) = admin.get("/admin/held.json").get_json()["held"]
    assert (first["display_name"], second["display_name"]) == ("P3", "P4")
    assert admin.get("/admin/held.csv").text.count("too many people") == 2


def test_a_person_shows_what_is_held_of_them(held, admin):
    """S4: with its because."""
    page = admin.get(f"/admin/people/{held[0].employee}").text
    assert "revoke, asked for by idp: active=false from idp (D1)" in page


def test_one_is_approved_and_one_is_rejected(held, admin, world):
    """D6: each needs its reason."""
    first, second = (f"/admin/held/{row.id}" for row in held)
    assert place(admin.send(first, page="/admin/held", approve="1")) == "/admin/held"
    assert "Say why." in admin.get("/admin/held").text
    assert len(world.services.hold_reports.held()) == 2
    admin.send(first, page="/admin/held", approve="1", comment="left")
    admin.send(second, page="/admin/held", reject="1", comment="is here")
    assert world.services.hold_reports.held() == []
    assert (world.states()["P3"], world.states()["P4"]) == ("dismissed", "invited")
    admin.send(second, page="/admin/sign-in", approve="1", comment="late")
    assert world.states()["P4"] == "invited"


@pytest.mark.parametrize("number", ["", "3", "two"])
def test_all_are_decided_only_by_whoever_saw_how_many(held, admin, world, number):
    """D6: the number is typed."""
    fields = {"source": "idp", "reason": "breaker", "comment": "closed", "number": number}
    admin.send("/admin/held/all", page="/admin/held", approve="1", **fields)
    assert len(world.services.hold_reports.held()) == 2


@pytest.mark.parametrize(("button", "state"), [("approve", "dismissed"), ("reject", "invited")])
def test_all_are_decided_at_once(held, admin, world, button, state):
    """D6: one click for the whole breaker, either way."""
    fields = {"source": "idp", "reason": "breaker", "comment": "closed", "number": "2"}
    answer = admin.send("/admin/held/all", page="/admin/held", **{button: "1"}, **fields)
    assert place(answer) == "/admin/held"
    assert world.services.hold_reports.held() == []
    assert (world.states()["P3"], world.states()["P4"]) == (state, state)
    assert "2 decided." in admin.get("/admin/held").text
    assert "needs you" not in admin.get("/admin/").text


def test_an_operator_looks_and_does_not_decide(held, site, world):
    """A7: approving is for approvers."""
    operator = administrator(site, world.services, RoleName.OPERATOR)
    answer = operator.send(
        f"/admin/held/{held[0].id}", page="/admin/held", approve="1", comment="left"
    )
    assert answer.status_code == 403
    assert len(world.services.hold_reports.held()) == 2


def test_what_a_brake_holds_says_what_comes_of_it(world, site, admin):
    """D6: nobody has to approve it, and nobody can while the brake is on."""
    world.services.seats.set_limit(None, ME)
    idp = connect(world.services, app=site)
    ann = idp.create("ann")
    world.services.switches.pull(Brake.NO_DISMISSALS, ME, "a test")
    idp.activate(ann["id"], False)
    page = admin.get("/admin/held").text
    assert "They are decided by themselves when the brake is off" in page
    fields = {"source": "idp", "reason": "brake", "number": "1", "comment": "now"}
    admin.send("/admin/held/all", page="/admin/held", approve="1", **fields)
    assert "stays held" in admin.get("/admin/held").text
