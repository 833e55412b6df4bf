"""What stands still is on the first page, and a letter's link leads to what it speaks of."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import update

from provisioning.domain.errors import SourceError
from provisioning.storage.models.accounts import IdentityRecord
from tests.kit.nights import ME
from tests.kit.site import ADMINISTRATOR, Visitor, words
from tests.kit.sources import entry
from tests.kit.world import PASSWORD

PEOPLE = [f"p{number:02}" for number in range(20)]


@pytest.fixture
def held(world, admin):
    """A plan that would dismiss ten of twenty people, and an administrator letters reach."""
    with world.services.context.database.write() as session:
        session.execute(update(IdentityRecord).values(address="boss@corp.example"))
    world.services.seats.set_limit(None, ME)
    world.directory.add(*map(entry, PEOPLE))
    world.sync()
    world.directory.remove(*PEOPLE[:10])
    return world.night().run


def link(world):
    """Where the newest letter leads."""
    world.services.alarms.look()
    row = world.services.outbox.messages(limit=1)[0]
    assert row.topic == "letter.run_held"
    text = world.services.delivery.letter(row.id).get_body(("plain",)).get_content()
    (found,) = [line for line in text.split() if line.startswith("https://")]
    return found.removeprefix("https://intranet.example")


def fail(world, times):
    world.directory.cut_after = 1
    for _ in range(times):
        with pytest.raises(SourceError):
            world.sync()
        world.clock.advance(timedelta(minutes=40))


def test_a_letters_link_leads_to_its_plan_after_signing_in(site, world, held):
    """R4: through the entrance, with the digest, to the form that decides."""
    there = link(world)
    visitor = Visitor(site)
    entrance = visitor.get(there)
    assert entrance.status_code == 302
    token = visitor.form_token(entrance.location)
    answer = visitor.client.post(
        entrance.location,
        base_url=visitor.base_url,
        data={"csrf_token": token, "address": ADMINISTRATOR, "password": PASSWORD},
    )
    assert answer.status_code == 302
    assert answer.location == there
    page = visitor.get(answer.location).text
    assert f"Plan {held}" in page
    assert "Approve and apply" in page


def test_another_plan_than_the_letters_is_not_approved_by_mistake(world, held, admin):
    """R4: the page says that a newer plan took its place, and offers no button."""
    there = link(world)
    world.directory.remove(*PEOPLE[10:12])
    newer = world.night().run
    admin.sign_in(ADMINISTRATOR, PASSWORD)
    page = admin.get(there).text
    assert "Approve and apply" not in page
    assert f'href="/admin/runs/{newer}"' in page
    assert "a newer one took its place" in words(page)
    assert "Approve and apply" in admin.get(f"/admin/runs/{newer}").text


def test_a_digest_that_is_not_the_plans_offers_no_button(held, admin):
    """R4: a link that was changed, or speaks of what the plan was before."""
    admin.sign_in(ADMINISTRATOR, PASSWORD)
    page = admin.get(f"/admin/runs/{held}?digest=0123").text
    assert "Approve and apply" not in page
    assert "as it is" in page


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/admin",
        "//evil.example/admin",
        "/\\evil.example/admin",
        "/admin\\@evil.example",
        "\\\\evil.example",
        "/admin\n//evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "http:///evil.example",
        "///evil.example/admin",
        "/elsewhere",
        "",
    ],
)
def test_after_signing_in_nobody_is_led_elsewhere(site, admin, wanted):
    """R4: whatever a link says, one stays on the pages of Usher."""
    visitor, page = Visitor(site), f"/admin/sign-in?next={quote(wanted)}"
    answer = visitor.client.post(
        page,
        base_url=visitor.base_url,
        data={
            "csrf_token": visitor.form_token(page),
            "address": ADMINISTRATOR,
            "password": PASSWORD,
        },
    )
    assert answer.status_code == 302
    assert answer.location == "/admin/"


def test_what_fails_and_what_is_in_quarantine_is_on_the_first_page(world, admin):
    """R7: on Overview, on Connections and on the source's own page, until it is over."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    fail(world, 2)
    world.services.alarms.look()
    assert "Runs of corp fail" in words(admin.get("/admin/").text)
    fail(world, 1)
    world.services.alarms.look()
    overview = words(admin.get("/admin/").text)
    assert "corp is in quarantine" in overview
    assert "Runs of corp fail" not in overview
    assert "in quarantine until" in words(admin.get("/admin/connections").text)
    assert "comes back by itself" in words(admin.get("/admin/connections/corp").text)
    world.directory.cut_after = None
    world.sync()
    world.services.alarms.look()
    assert "quarantine" not in words(admin.get("/admin/").text)
