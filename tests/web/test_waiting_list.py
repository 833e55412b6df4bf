"""The waiting list as a page: changing the line, stale invitations, a lowered limit."""

from __future__ import annotations

from datetime import timedelta

from provisioning.storage.models.accounts import RoleName
from tests.kit.nights import ME
from tests.kit.site import ADMINISTRATOR, administrator, place
from tests.kit.sources import entry
from tests.kit.world import PASSWORD

PAGE = "/admin/waitlist"


def line(world):
    """Who is in the line, in order."""
    return [row.display_name for row in world.services.reports.waitlist() if row.position]


def waiting(world):
    """Three seats are taken; Dan, Eve and Fay wait."""
    world.directory.add(*map(entry, ("ann", "bob", "cyd")))
    world.sync()
    world.directory.add(*map(entry, ("dan", "eve", "fay")))
    world.sync()
    return {row.display_name: row.id for row in world.services.reports.waitlist()}


def test_somebody_is_moved_and_taken_out(admin, world):
    """L3: a place needs a number, taking out needs a reason."""
    ids = waiting(world)
    moved = admin.send(f"{PAGE}/{ids['Fay']}/move", page=PAGE, position="1")
    assert place(moved) == PAGE
    assert "Moved to place 1." in admin.get(PAGE).text
    assert line(world) == ["Fay", "Dan", "Eve"]
    admin.send(f"{PAGE}/{ids['Dan']}/move", page=PAGE, position="0")
    assert "Places begin at 1." in admin.get(PAGE).text
    admin.send(f"{PAGE}/{ids['Dan']}/remove", page=PAGE, comment="")
    assert "Say why." in admin.get(PAGE).text
    assert line(world) == ["Fay", "Dan", "Eve"]
    admin.send(f"{PAGE}/{ids['Dan']}/remove", page=PAGE, comment="not yet")
    assert line(world) == ["Fay", "Eve"]
    assert "taken out" in admin.get(PAGE).text
    assert "Invite again" in admin.get(f"/admin/people/{ids['Dan']}").text
    admin.send(f"{PAGE}/reset", page=PAGE)
    assert line(world) == ["Eve", "Fay"]


def test_the_list_is_a_file_too(admin, world):
    """E9: the same rows in the same order."""
    waiting(world)
    rows = admin.get(f"{PAGE}.json").get_json()["waitlist"]
    assert [row["display_name"] for row in rows] == ["Dan", "Eve", "Fay"]
    assert admin.get(f"{PAGE}.csv").text.splitlines()[1].startswith("1,4,Dan,")


def test_stale_invitations_are_removed_by_one_click(admin, world):
    """L5: shown by name when seats are short, here and on the overview."""
    waiting(world)
    world.services.delivery.deliver_due()
    assert 'id="stale"' not in admin.get(PAGE).text
    world.clock.advance(timedelta(days=11))
    admin.sign_in(ADMINISTRATOR, PASSWORD)
    page = admin.get(PAGE).text
    assert "3 invitations that nobody accepted for long hold seats" in page
    assert "3 invitations</a> that nobody accepted for long hold seats" in admin.get("/admin/").text
    admin.send(f"{PAGE}/stale", page=PAGE)
    assert "3 invitation(s) removed" in admin.get(PAGE).text
    assert line(world) == []
    states = world.states()
    assert {states[name] for name in ("Dan", "Eve", "Fay")} == {"invited"}


def test_without_the_role_nothing_is_changed(site, world):
    """A7: who only looks sees no buttons, and a form of theirs does nothing."""
    ids = waiting(world)
    viewer = administrator(site, world.services, RoleName.VIEWER)
    page = viewer.get(PAGE).text
    assert "Take out" not in page
    refused = viewer.send(f"{PAGE}/{ids['Fay']}/move", page="/admin/sign-in", position="1")
    assert refused.status_code in (403, 400)
    assert line(world) == ["Dan", "Eve", "Fay"]


def test_a_lowered_limit_is_shown(admin, world):
    """L6: on both pages, with what it means."""
    waiting(world)
    world.services.seats.set_limit(1, ME)
    assert "2 over the limit: nobody is dismissed for it" in admin.get("/admin/").text
    assert "2 more seats are taken than the limit allows" in admin.get(PAGE).text


def test_a_plan_says_what_more_seats_would_do(admin, world):
    """L8: on the page of the plan."""
    waiting(world)
    world.directory.add(entry("gus"))
    run = world.services.runs.plan("corp", ME)
    assert (
        "0 invited now, 1 wait; with 4 more seats: all 1." in admin.get(f"/admin/runs/{run}").text
    )


def test_the_overview_says_when_it_cannot_tell(admin, world):
    """L8: two weeks have to be known."""
    assert "0 of 14 days are known" in admin.get("/admin/").text
