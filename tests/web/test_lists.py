"""Lists: the page, the files, and that they are of the same rows."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.kit.nights import ME
from tests.kit.sources import entry


@pytest.fixture
def company(world):
    """Three invited, two waiting, one of them with a mailbox that differs."""
    world.directory.add(
        entry("ann", mailbox="anne@corp.example"),
        entry("bob"),
        entry("cyd"),
        entry("dan"),
        entry("eve"),
    )
    world.sync()
    return world


def names(page):
    return re.findall(r'href="/admin/people/[0-9a-f-]{36}">([^<]+)</a>', page.text)


def test_tabs_show_their_state_and_how_many(admin, company):
    """Every count is a link to its list."""
    assert len(names(admin.get("/admin/people"))) == 5
    assert names(admin.get("/admin/people?state=waiting")) == ["Dan", "Eve"]
    assert names(admin.get("/admin/people?attention=1")) == ["Ann"]
    page = admin.get("/admin/people").text
    assert re.search(r'state=invited">Invited <span[^>]*>3<', page)
    assert re.search(r'attention=1">Needs attention <span[^>]*>1<', page)


def test_a_page_leads_to_the_manager_and_to_everybody_they_manage(admin, company):
    """Every count is a link to its list; a manager who is not here is named as the source does."""
    place = "uid=ann,ou=People,dc=corp,dc=example"
    company.directory.add(
        entry("bob", manager=place), entry("cyd", manager=place), entry("dan", manager="uid=x")
    )
    company.sync()
    ann, bob, dan = (
        f"/admin/people/{company.services.reports.find(n)}" for n in ("Ann", "Bob", "Dan")
    )
    assert f'<a href="{ann}">Ann</a>' in admin.get(bob).text
    assert re.search(r'Manages <a href="/admin/people\?manager=1">2</a>', admin.get(ann).text)
    assert re.search("uid=x .*not here yet", admin.get(dan).text)
    assert names(admin.get("/admin/people?manager=1")) == ["Bob", "Cyd"]
    assert "Bob" in admin.get("/admin/people.csv?manager=1").text
    assert "Dan" not in admin.get("/admin/people.csv?manager=1").text


def test_search_finds_by_name_address_and_user_name(admin, company):
    assert names(admin.get("/admin/people?q=BOB")) == ["Bob"]
    assert names(admin.get("/admin/people?q=cyd@corp")) == ["Cyd"]
    assert names(admin.get("/admin/people?q=id-dan")) == ["Dan"]
    assert "Nobody matches" in admin.get("/admin/people?q=100%25").text


def test_a_long_list_comes_in_parts(admin, world):
    """The next part begins where this one ends; nobody is shown twice or left out."""
    world.services.seats.set_limit(None, ME)
    world.directory.add(*(entry(f"p{number:03}") for number in range(120)))
    world.sync()
    seen, path = [], "/admin/people"
    while path:
        page = admin.get(path)
        seen += names(page)
        following = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = following.group(1).replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) == 120


def test_the_files_hold_exactly_the_list(admin, company):
    """E9: CSV and JSON have the rows of the page, whatever was chosen."""
    for query, expected in (("", 5), ("?state=waiting", 2), ("?q=bob", 1), ("?attention=1", 1)):
        text = admin.get(f"/admin/people.csv{query}").text.removeprefix("\ufeff")
        rows = list(csv.DictReader(io.StringIO(text)))
        document = admin.get(f"/admin/people.json{query}").json
        shown = names(admin.get(f"/admin/people{query}"))
        assert [row["name"] for row in rows] == shown
        assert [person["display_name"] for person in document["people"]] == shown
        assert len(shown) == expected


def test_mismatches_are_the_same_on_the_page_and_in_the_files(admin, company):
    """E9: one report, three shapes."""
    page = admin.get("/admin/mismatches")
    assert "mailbox differs" in page.text
    assert "anne@corp.example" in page.text
    text = admin.get("/admin/mismatches.csv").text.removeprefix("\ufeff")
    row, *others = csv.DictReader(io.StringIO(text))
    assert not others
    assert (row["kind"], row["person"]) == ("mailbox_differs", "Ann")
    document = admin.get("/admin/mismatches.json").json
    assert [finding["kind"] for finding in document["mismatches"]] == ["mailbox_differs"]
    other = admin.get("/admin/mismatches.csv?kind=orphan").text
    assert len(other.splitlines()) == 1


def test_no_cell_of_a_file_is_a_formula(admin, world):
    """E9: what begins with = + - @ comes with an apostrophe before it."""
    world.directory.add(
        entry("ann", cn="=cmd|' /C calc'!A0", mailbox="other@corp.example"),
        entry("bob", cn="@SUM(1)", departmentNumber="+1"),
    )
    world.sync()
    for path in ("/admin/people.csv", "/admin/mismatches.csv"):
        text = admin.get(path).text.removeprefix("\ufeff")
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))], path
        assert any("cmd|" in cell for cell in cells)


@pytest.mark.parametrize(
    "path",
    [
        "/admin/people?state=gone",
        "/admin/people?after=x",
        "/admin/people?after=99999999999999999999",
        "/admin/mismatches?kind=x",
        "/admin/mismatches?after=-x",
        "/admin/outbox?state=x",
        "/admin/outbox?before=1e9",
    ],
)
def test_a_wrong_address_is_told(admin, path):
    answer = admin.get(path)
    assert answer.status_code == 400
    assert "has to be" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/admin/runs/999",
        "/admin/runs/99999999999999999999999",
        "/admin/people/00000000-0000-0000-0000-000000000001",
        "/admin/people/x",
        "/admin/outbox/999",
        "/admin/nowhere",
    ],
)
def test_what_is_not_there_is_told(admin, path):
    answer = admin.get(path)
    assert answer.status_code == 404
    assert "Overview" in answer.text


def test_the_outbox_shows_what_is_kept_and_the_letter(admin, company):
    company.services.delivery.deliver_due()
    page = admin.get("/admin/outbox")
    assert "Letters are kept here" in page.text
    assert "ann@corp.example" in page.text
    message = company.services.outbox.messages()[-1].id
    letter = admin.get(f"/admin/outbox/{message}")
    assert "You are invited to Corp" in letter.text
    assert "https://intranet.example/join/" in letter.text
