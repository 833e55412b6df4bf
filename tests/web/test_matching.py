"""The matching queue as a page: both sides, the evidence, and three buttons (P3, P5)."""

from __future__ import annotations

import csv
import io
import re

import pytest

from provisioning.storage.models.accounts import RoleName
from tests.kit.matching import SAME, decide, doubtful
from tests.kit.scim_client import connect
from tests.kit.site import administrator, place
from tests.kit.sources import entry


@pytest.fixture
def row(world):
    """Zoe of corp, who may be the Zoe a provider brought."""
    connect(world.services).create("zoe")
    world.accept("Zoe")
    return doubtful(world, cn="Zoe Weber", departmentNumber="Sales")


def decision(admin, row, words, **fields):
    """Press a button on the page of a question."""
    path = f"/admin/matching/{row.id}"
    return admin.send(f"{path}/decide", path, decision=words, **fields)


def test_the_page_shows_both_sides_and_the_evidence(admin, world, row):
    """P3: whom the source describes, who it may be and by which key; the count leads there."""
    page = admin.get("/admin/matching").text
    assert "corp, as zoe" in page
    assert "same mail" in page
    employee_id = row.candidates[0].employee
    assert f'href="/admin/matching/{row.id}?same={employee_id}">Same person' in page
    for other in ("/admin/", "/admin/people"):
        assert "may be somebody who is here already" in admin.get(other).text
    assert re.search(r'href="/admin/matching">Matching <span[^>]*>1<', admin.get("/admin/").text)


def test_the_same_person_is_asked_for_once_more_and_then_linked(admin, world, row):
    """P5: looking changes nothing; the confirmation says what happens to whom."""
    employee_id = row.candidates[0].employee
    page = admin.get(f"/admin/matching/{row.id}?same={employee_id}").text
    assert "Zoe Weber of corp is Zoe?" in page
    assert "login and their contact e-mail stay" in page
    assert world.services.matches.open_questions() == 1
    answer = decision(admin, row, "same_person", employee=employee_id)
    assert place(answer) == "/admin/matching"
    assert "Zoe Weber of corp is linked to Zoe, who is active" in admin.get("/admin/matching").text
    person = admin.get(f"/admin/people/{employee_id}").text
    assert "is Zoe: admin@localhost decided (P5)" in person
    assert "may be somebody" not in admin.get("/admin/").text


def test_anybody_can_be_named_by_number_address_or_name(admin, world, row):
    """P5: who shares no key, too; a word that means nobody is told."""
    page = admin.get(f"/admin/matching/{row.id}?same=ann@corp.example").text
    assert "Zoe Weber of corp is Ann?" in page
    assert "There is no employee" in admin.get(f"/admin/matching/{row.id}?same=nobody").text
    assert "Ann" not in admin.get(f"/admin/matching/{row.id}").text


def test_a_new_person_and_an_ignored_one(admin, world, row):
    """P5: at once, and taken back where nothing was done."""
    decision(admin, row, "ignore")
    assert "Everybody is placed." in admin.get("/admin/matching").text
    decided = admin.get("/admin/matching?decided=1").text
    assert "Zoe Weber" in decided
    assert "Ask again" in decided
    admin.send(f"/admin/matching/{row.id}/reopen", f"/admin/matching/{row.id}")
    assert world.services.matches.open_questions() == 1
    decision(admin, row, "new_person")
    assert world.states()["Zoe Weber"] == "invited"
    assert "cannot be taken back" in admin.get(f"/admin/matching/{row.id}").text


def test_who_comes_second_is_told_who_was_first(admin, world, row):
    """P5: two administrators, one page each; nothing is done twice."""
    token = admin.form_token(f"/admin/matching/{row.id}")
    decide(world, row, SAME, "Zoe")
    sent = admin.client.post(
        f"/admin/matching/{row.id}/decide",
        base_url=admin.base_url,
        data={"csrf_token": token, "decision": "new_person"},
    )
    assert place(sent) == f"/admin/matching/{row.id}"
    assert "anna decided about Zoe Weber of corp before" in admin.get(place(sent)).text
    assert "Zoe Weber" in world.states()
    assert len(world.states()) == 2


def test_a_question_that_is_gone_is_told(admin, world, row):
    """E5: the person left while the page was open."""
    token = admin.form_token(f"/admin/matching/{row.id}")
    world.directory.remove("zoe")
    world.sync()
    sent = admin.client.post(
        f"/admin/matching/{row.id}/decide",
        base_url=admin.base_url,
        data={"csrf_token": token, "decision": "new_person"},
    )
    assert place(sent) == "/admin/matching"
    assert "settled meanwhile, or the person left" in admin.get("/admin/matching").text
    assert admin.get(f"/admin/matching/{row.id}").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"decision": "same_person"},
        {"decision": "new_person", "employee": "00000000-0000-0000-0000-000000000001"},
        {"decision": "same_person", "employee": "zoe"},
        {"decision": "perhaps"},
    ],
)
def test_half_a_decision_is_none(admin, world, row, fields):
    """P5: nothing is done by a form that does not say who or what."""
    path = f"/admin/matching/{row.id}"
    assert place(admin.send(f"{path}/decide", path, **fields)) == path
    assert "Nothing was changed" in admin.get(path).text
    assert world.services.matches.one(row.id).decision is None


@pytest.mark.parametrize("role", [RoleName.VIEWER, RoleName.OPERATOR])
def test_deciding_needs_the_role_of_an_approver(site, world, row, role):
    """A7: a link gives a source the say about somebody."""
    visitor = administrator(site, world.services, role)
    assert visitor.get("/admin/matching").status_code == 200
    path = f"/admin/matching/{row.id}"
    for what in ("decide", "reopen"):
        answer = visitor.send(f"{path}/{what}", path, decision="new_person")
        assert answer.status_code == 403
    assert world.services.matches.one(row.id).decision is None


def test_the_files_hold_exactly_the_list(admin, world, row):
    """E9: one list, three shapes, open and decided; no cell is a formula."""
    world.directory.add(
        entry("x1", cn="=1+1", mail="x@corp.example"), entry("x2", mail="x@corp.example")
    )
    world.sync()
    text = admin.get("/admin/matching.csv").text.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    document = admin.get("/admin/matching.json").json["matches"]
    assert [one["name"] for one in rows] == ["Zoe Weber", "'=1+1", "X2"]
    assert [one["name"] for one in document] == ["Zoe Weber", "=1+1", "X2"]
    assert rows[0]["may be"] == "Zoe (active): mail"
    decide(world, row, SAME, "Zoe")
    text = admin.get("/admin/matching.csv?decided=1").text.removeprefix("\ufeff")
    (decided,) = csv.DictReader(io.StringIO(text))
    assert (decided["decision"], decided["decided by"]) == ("same person: Zoe Weber", "anna")
    assert len(admin.get("/admin/matching.json?decided=1").json["matches"]) == 1


def test_a_long_queue_comes_in_parts(admin, world):
    """Nobody is shown twice or left out."""
    pairs = ((f"a{n:02}", f"b{n:02}", f"m{n}@corp.example") for n in range(40))
    for one, other, mail in pairs:
        world.directory.add(entry(one, mail=mail), entry(other, mail=mail))
    world.sync()
    seen, path = [], "/admin/matching"
    while path:
        page = admin.get(path).text
        seen += re.findall(r"/admin/matching/(\d+)/decide", page)[::2]
        following = re.search(r'href="([^"]+)" rel="next"', page)
        path = following.group(1).replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) == 80
