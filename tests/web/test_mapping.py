"""The page of a mapping: real people, the effect over everyone, versions, roll-back (R8)."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from provisioning.domain.errors import SourceUnavailableError
from provisioning.storage.models.accounts import RoleGrantRecord, RoleName
from tests.kit.nights import ME
from tests.kit.site import administrator, make_site, place, words
from tests.kit.sources import entry
from tests.kit.world import make_world

PAGE = "/admin/connections/corp/mapping"
TOWNS = {
    "kind-department": "expression",
    "rule-department": 'joinNonEmpty([first("departmentNumber"), first("l")], ", ")',
}


@pytest.fixture
def people(world):
    """Ann in Berlin and Bob, both in Sales."""
    world.directory.add(
        entry("ann", departmentNumber="Sales", l="<Berlin>"), entry("bob", departmentNumber="Sales")
    )
    world.sync()
    return world


def look(admin, **rules):
    return admin.send(PAGE, **rules, look="1")


def test_rules_are_looked_at_then_saved_then_planned(admin, people):
    """R8: five real people field by field, the effect over everyone, and only then a version."""
    shown = words(admin.get(PAGE).text)
    assert "In force: the configuration" in shown
    assert "preset: departmentNumber" in shown
    looked = look(admin, **TOWNS).text
    assert "<Berlin>" not in looked
    said = words(looked)
    for part in ("1 of 2 people would change", "department 1 0 Ann: Sales → Sales, <Berlin>",
                 "2 real people", "departmentNumber: Sales l: <Berlin>"):  # fmt: skip
        assert part in said
    assert people.services.mappings.versions.in_force("corp").number == 0
    done = admin.send(PAGE, **TOWNS, comment="towns", save="1")
    assert place(done) == PAGE
    shown = words(admin.get(PAGE).text)
    assert "Version 1 maps corp from now on. The next run is only planned" in shown
    assert "It stands before what the configuration says" in shown
    assert "1 in force" in shown
    assert "1 of 2 towns" in shown
    plan = people.sync()
    assert (plan.state, plan.counts["update"]) == ("ready", 1)
    assert "mapped by version 1" in words(admin.get(f"/admin/runs/{plan.run}").text)


def test_only_what_was_shown_is_saved(admin, people):
    """R8: other rules, a foreign or missing memory: the effect is shown instead."""
    other = {"kind-department": "attribute", "rule-department": "l"}
    assert "people would change" in admin.send(PAGE, **TOWNS, save="1").text
    answer = admin.send(PAGE, **other, save="1").text
    assert "These rules are others than those that were counted" in answer
    assert "2 of 2 people would change" in words(answer)
    assert people.services.mappings.versions.in_force("corp").number == 0
    assert "These rules are in force already" in look(admin).text


def test_mistakes_stand_beside_their_field(admin, people):
    """R8: the place in the expression; nothing is read, counted or saved."""
    for kind, rule, sentence in (
        ("expression", "frist('l')", "line 1, column 6: undeclared reference to 'frist'"),
        ("expression", "", "write the expression, or choose another kind"),
        ("attribute", " ", "write the attribute, or choose another kind"),
        ("preset", "l", "choose what this is: an attribute or an expression"),
        ("nothing", "l", "choose what this is: an attribute or an expression"),
    ):
        answer = look(admin, **{"kind-title": kind, "rule-title": rule})
        assert answer.status_code == 422
        assert sentence in words(answer.text)
        assert "would change" not in answer.text
    people.directory.cut_after = 0
    failed = look(admin, **TOWNS)
    assert (failed.status_code, "sizeLimitExceeded" in failed.text) == (422, True)
    assert "joinNonEmpty" in failed.text


def test_a_version_is_had_back_by_its_rules(admin, people):
    """R8: they are put into the form, looked at and saved like any other; then the file's again."""
    for rules in (TOWNS, {"kind-department": "nothing"}):
        look(admin, **rules)
        admin.send(PAGE, **rules, save="1")
    back = admin.get(f"{PAGE}?version=1").text
    assert "version 1 again" in back
    assert "joinNonEmpty([first(&#34;departmentNumber&#34;)" in back
    for rules in (TOWNS, {}):
        look(admin, **rules)
        admin.send(PAGE, **rules, save="1")
    versions = people.services.mappings.versions
    assert [one.number for one in versions.listed("corp")] == [4, 3, 2, 1, 0]
    assert versions.in_force("corp").from_configuration
    assert admin.get(f"{PAGE}?version=9").status_code == 404


def test_it_takes_an_admin_and_a_source_that_is_read(admin, people):
    """A7: the page shows people's raw data and decides who everybody is."""
    people.services.add_identity_provider("entra", "entra", ME)
    assert "sends its people by itself" in admin.get("/admin/connections/entra/mapping").text
    assert f'href="{PAGE}"' in admin.get("/admin/connections/corp").text
    with people.services.context.database.write() as session:
        session.execute(update(RoleGrantRecord).values(role=RoleName.APPROVER))
    assert admin.get(PAGE).status_code == 403
    assert look(admin, **TOWNS).status_code == 403
    assert PAGE not in admin.get("/admin/connections/corp").text


def test_the_page_works_while_the_directory_is_away(sqlite_url):
    """R8: rules can be read and changed; what has to be asked says why it cannot be."""

    def away(own, *_):
        raise SourceUnavailableError("dc1:636 cannot be reached")

    world = make_world(sqlite_url, corp={"make": away})
    try:
        admin = administrator(make_site(world.services), world.services)
        shown = admin.get(PAGE)
        assert (shown.status_code, "dc1:636 cannot be reached" in shown.text) == (200, True)
        assert "cannot be reached" in look(admin, **TOWNS).text
    finally:
        world.services.context.database.close()
