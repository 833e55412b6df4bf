"""A provider whose people are in the matching queue is answered like any other (P3, P5)."""

from __future__ import annotations

import pytest

from tests.kit.matching import IGNORE, NEW, SAME, decide, findings, only_question
from tests.kit.nights import ME
from tests.kit.scim_client import connect, employee_of, operation, outcome, user
from tests.kit.sources import entry


@pytest.fixture
def zoe(world, idp):
    """A resource whose address somebody has who is here already."""
    world.directory.add(entry("zoe"), entry("ann"))
    world.sync()
    world.accept("Zoe")
    return idp.create("zoe")


def test_while_the_queue_decides_every_request_is_answered(world, idp, zoe):
    """P3: 201, 200, found by filters; the extension says that nobody is invited yet."""
    assert outcome(zoe)["state"] == "none"
    changed = idp.patch(zoe["id"], operation("replace", "title", "Head"))
    assert (changed["title"], outcome(changed)["state"]) == ("Head", "none")
    assert outcome(idp.put(zoe["id"], user("zoe", title="Chief")))["state"] == "none"
    assert len(idp.find('userName eq "zoe@corp.example"')) == 1
    assert world.services.matches.open_questions() == 1
    assert findings(world) == ["duplicate_person"]
    assert world.states() == {"Zoe": "active", "Ann": "invited"}


def test_after_same_person_the_resource_is_the_employee(world, idp, zoe):
    """P5: with what was pushed last, and from then on by the link (P1)."""
    idp.put(zoe["id"], user("zoe", title="Chief"))
    decide(world, only_question(world), SAME, "Zoe")
    after = idp.get(zoe["id"])
    assert outcome(after)["state"] == "active"
    assert outcome(after)["contactEmail"] == "zoe@corp.example"
    assert employee_of(world.services, zoe) == world.services.reports.find("Zoe")
    assert world.services.person(world.services.reports.find("Zoe")).title == "Chief"
    changed = idp.patch(zoe["id"], operation("replace", "displayName", "Zoe Z"))
    assert outcome(changed)["state"] == "active"
    assert sorted(world.states()) == ["Ann", "Zoe Z"]


def test_after_new_person_the_resource_is_invited(world, idp, zoe):
    """P5, I1: an employee of their own."""
    idp.patch(zoe["id"], operation("replace", "displayName", "Zoe Two"))
    decide(world, only_question(world), NEW)
    assert outcome(idp.get(zoe["id"]))["state"] == "invited"
    assert world.states()["Zoe Two"] == "invited"


def test_after_ignore_pushes_change_nothing(world, idp, zoe):
    """P5, E5: answered, and neither invited nor reported; asked again, it is what it is now."""
    row = only_question(world)
    decide(world, row, IGNORE)
    again = idp.put(zoe["id"], user("zoe", title="Chief", displayName="Zoe Now"))
    assert outcome(again)["state"] == "none"
    assert idp.activate(zoe["id"], active=False)["active"] is False
    idp.activate(zoe["id"], active=True)
    assert (findings(world), world.services.matches.rows()) == ([], [])
    world.services.matching.reopen(row.id, ME)
    assert only_question(world).name == "Zoe Now"


@pytest.mark.parametrize("leaves", ["deactivated", "deleted"])
def test_a_question_ends_when_the_provider_takes_the_person_away(world, idp, zoe, leaves):
    """E5: there is nobody to place any more."""
    if leaves == "deleted":
        idp.delete(zoe["id"])
    else:
        idp.activate(zoe["id"], active=False)
    assert (findings(world), world.services.matches.rows()) == ([], [])
    assert world.states() == {"Zoe": "active", "Ann": "invited"}
    if leaves == "deactivated":
        idp.activate(zoe["id"], active=True)
        assert only_question(world).directory_id == zoe["id"]


def test_a_deleted_resource_that_was_ignored_is_forgotten(world, idp, zoe):
    """P5: its id never comes back; somebody new of the same name is a new question."""
    decide(world, only_question(world), IGNORE)
    idp.delete(zoe["id"])
    assert list(world.services.matches.everything(decided=True)) == []
    again = idp.create("zoe")
    assert only_question(world).directory_id == again["id"]


def test_a_question_ends_when_the_provider_corrects_the_person(world, idp, zoe):
    """E5, P7: another address, nobody alike: invited with that very request."""
    other = user("zoe", userName="zoe.two@corp.example", emails=[{"value": "zoe.two@corp.example"}])
    assert outcome(idp.put(zoe["id"], other))["state"] == "invited"
    assert (findings(world), world.services.matches.rows()) == ([], [])


def test_who_somebody_else_dismissed_is_linked_and_stays_out(world, idp, zoe):
    """P5, S7: whose word brings them back is another question, and it is reported."""
    world.directory.remove("zoe")
    world.night()
    assert world.states()["Zoe"] == "dismissed"
    decide(world, only_question(world), SAME, "Zoe")
    assert outcome(idp.get(zoe["id"]))["state"] == "dismissed"
    assert "return_held" in findings(world)
    assert "duplicate_person" not in findings(world)


def test_another_source_is_told_nothing_of_the_queue(world, idp, zoe):
    """P3: a token sees its own resources, whoever they may be."""
    other = connect(world.services, "other", app=idp.app)
    assert other.list()["totalResults"] == 0
    assert other("GET", f"/Users/{zoe['id']}").status_code == 404
