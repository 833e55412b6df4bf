"""The page of one person alone: every step, then a button that does what was shown (R9)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from provisioning.storage.models.accounts import RoleGrantRecord, RoleName
from tests.kit.nights import ME
from tests.kit.site import place, words
from tests.kit.sources import entry

PAGE = "/admin/connections/corp/person?who=id-ann"


@pytest.fixture
def ann(world):
    """Ann is invited, and her department has changed in the directory since."""
    world.directory.add(entry("ann", departmentNumber="Sales"))
    world.sync()
    world.directory.add(entry("ann", departmentNumber="<Ops>"))
    return world.services.reports.find("ann")


def button(page):
    """The digest the button would send."""
    return re.search(r'name="digest"[^>]*value="([^"]+)"', page)[1]


def test_the_page_of_a_person_leads_to_a_run_for_them_only(ann, admin, world):
    """R9: the trace is shown, nothing is changed by looking, and the button does it."""
    assert f'href="{PAGE}"' in admin.get(f"/admin/people/{ann}").text
    shown = admin.get(PAGE).text
    assert "<Ops>" not in shown
    said = words(shown)
    for part in ("Read uid=ann,ou=People", "Scope in scope in memory", "departmentNumber",
                 "linked Ann, who is invited", "Update because corp changed department (P1)",
                 "department: Sales → <Ops>", "Do it for Ann only"):  # fmt: skip
        assert part in said
    assert world.services.person(ann).department == "Sales"
    done = admin.send(PAGE, who="id-ann", digest=button(shown))
    assert place(done) == f"/admin/people/{ann}"
    assert "corp was run for Ann only: update." in admin.get(f"/admin/people/{ann}").text
    assert world.services.person(ann).department == "<Ops>"


def test_something_else_than_what_was_shown_is_not_done(ann, admin, world):
    """R4: the directory changed between the page and the button."""
    digest = button(admin.get(PAGE).text)
    world.directory.add(entry("ann", departmentNumber="Law"))
    answer = admin.send(PAGE, who="id-ann", digest=digest)
    assert answer.headers["Location"] == PAGE
    assert "Look again" in admin.get(PAGE).text
    assert world.services.person(ann).department == "Sales"
    assert admin.send(PAGE).status_code == 422


def test_somebody_who_is_not_found_has_not_left(ann, admin, world):
    """R2: the page says so and has no button."""
    world.directory.remove("ann")
    shown = admin.get(PAGE).text
    assert "only a complete reading says that somebody left" in shown
    assert "Do it for" not in shown


def test_whoever_leaves_no_trace_is_gone_from_the_page_too(ann, admin, world):
    """D1: disabled before a letter left: the row is removed."""
    world.directory.add(entry("ann", disabled="yes"))
    digest = button(admin.get(PAGE).text)
    assert place(admin.send(PAGE, who="id-ann", digest=digest)) == "/admin/people"
    assert admin.get(f"/admin/people/{ann}").status_code == 404


def test_a_newcomer_is_searched_for_by_name(admin, world):
    """R9: whoever is not here yet has no page; the source's page asks for a name."""
    page = "/admin/connections/corp/person"
    world.directory.add(entry("bob"), entry("bo", mail="bob@corp.example"))
    assert "Do it for" not in admin.get(PAGE).text
    several = admin.get(f"{page}?who=bob@corp.example").text
    assert 'aria-current="page" href="/admin/connections"' in several
    assert "2 entries are called so" in several
    assert f'href="{page}?who=id-bob"' in several
    world.directory.remove("bo")
    shown = admin.get(f"{page}?who=id-bob").text
    done = admin.send(f"{page}?who=id-bob", who="id-bob", digest=button(shown))
    assert "Bob is invited" in admin.get(done.headers["Location"]).text
    assert "nobody" in admin.get(f"{page}?who=<nobody>").text


def test_it_takes_an_operator_and_a_source_that_is_read(ann, admin, world):
    """A7: a viewer has no button and no page; a provider that pushes has none either."""
    world.services.add_identity_provider("entra", "entra", ME)
    assert "sends its people by itself" in admin.get("/admin/connections/entra/person").text
    assert admin.get("/admin/connections/other/person").status_code == 404
    with world.services.context.database.write() as session:
        session.execute(update(RoleGrantRecord).values(role=RoleName.VIEWER))
    assert admin.get(PAGE).status_code == 403
    assert PAGE not in admin.get(f"/admin/people/{ann}").text
