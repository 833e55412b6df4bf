"""The inbound log as a page and as files: the same rows, narrowed by the address."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from tests.kit.nights import ME
from tests.kit.scim_client import connect, employee_of, user
from tests.kit.services import PUBLIC_URL


@pytest.fixture
def idp(world, site):
    """A provider that made Ann, lost its token once, and asked for what there is not."""
    world.services.seats.set_limit(None, ME)
    idp = connect(world.services, app=site)
    idp.ann = idp.create("ann", password="hunter2-Xq", active="True", favouriteColour="red")
    idp("GET", "/Users", Authorization="Bearer no")
    world.clock.advance(timedelta(hours=3))
    idp("POST", "/Users", user("ann", title="<b>Chief</b>"))
    idp.find('userName eq "ann@corp.example"')
    assert world.services.inbound.flush()
    return idp


def requests(page):
    """The requests a page lists, in its order."""
    return [line.replace("&#34;", '"') for line in re.findall(r"<code>([^<]+)</code>", page.text)]


FOUND = 'GET /Users?filter=userName eq "ann@corp.example"'


def test_the_page_lists_what_was_asked_and_what_came_of_it(admin, idp):
    """Newest first, with the words, the error, the person and the quirks."""
    page = admin.get("/admin/inbound")
    assert requests(page) == [FOUND, "POST /Users", "GET /Users", "POST /Users"]
    for words in ("401 no good token", "409 taken already", "201 created", "string boolean"):
        assert words in page.text
    assert f'/admin/people/{employee_of(idp.services, idp.ann)}">Ann</a>' in page.text
    assert "hunter2" not in page.text


def test_the_address_narrows_the_page_and_its_files_alike(admin, idp):
    """By outcome, time, source and person; a wrong question is 400 or 404, not everything."""
    employee = employee_of(idp.services, idp.ann)
    for query, expected in (
        ("", 4),
        ("?failed=1", 2),
        ("?since=1h", 2),
        ("?source=idp", 3),
        (f"?person={employee}", 2),
        ("?failed=1&since=1h", 1),
    ):
        shown = requests(admin.get(f"/admin/inbound{query}"))
        text = admin.get(f"/admin/inbound.csv{query}").text.removeprefix("\ufeff")
        document = admin.get(f"/admin/inbound.json{query}").json["inbound"]
        assert [row["request"] for row in csv.DictReader(io.StringIO(text))] == shown
        assert [row["path"] for row in document] == [line.split()[1][:6] for line in shown]
        assert len(shown) == expected, query
    for query, status in (("since=x", 400), ("person=x", 400), ("before=x", 400)):
        assert admin.get(f"/admin/inbound?{query}").status_code == status
    assert admin.get("/admin/inbound?source=nobody").status_code == 404


def test_a_request_shows_its_body_without_secrets(admin, idp):
    """Body, error, quirks and what was ignored; markup in it stays text."""
    newest, *_, first = [row["id"] for row in admin.get("/admin/inbound.json").json["inbound"]]
    made = admin.get(f"/admin/inbound/{first}").text
    for words in ("(secret)", "favouriteColour", "string boolean", "ann@corp.example"):
        assert words in made
    assert "hunter2" not in made
    refused = admin.get(f"/admin/inbound/{newest - 1}").text
    assert "uniqueness" in refused
    assert "<b>Chief" not in refused
    assert admin.get("/admin/inbound/999").status_code == 404


def test_a_request_for_access_shows_who_asked(admin, idp):
    """Its client and its outcome, on the page and in the files; nothing it sent."""
    client = idp.services.tokens.create("idp", ME, client=True)
    for secret in (client.secret, "wrong-secret"):
        form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": secret}
        idp.client.post("/oauth/token", base_url=PUBLIC_URL, data=form)
    assert idp.services.inbound.flush()
    refused, given, *_ = admin.get("/admin/inbound.json").json["inbound"]
    assert (given["token"], given["outcome"]) == (client.id, "access given")
    page = admin.get("/admin/inbound").text
    assert page.count("POST /oauth/token") == 2
    assert "401 no good client" in page
    shown = admin.get(f"/admin/inbound/{refused['id']}").text
    for words in ("Client</dt>", client.id, "invalid_client", "not proven"):
        assert words in shown
    assert "wrong-secret" not in shown


def test_a_persons_page_leads_to_the_requests_about_them(admin, idp):
    """And the log says whom it is narrowed to."""
    employee = employee_of(idp.services, idp.ann)
    assert f"/admin/inbound?person={employee}" in admin.get(f"/admin/people/{employee}").text
    page = admin.get(f"/admin/inbound?person={employee}").text
    assert f'Only about <a href="/admin/people/{employee}">Ann</a>' in page


def test_a_long_log_comes_in_parts(admin, idp):
    """The next part begins where this one ends, and keeps what was chosen."""
    for number in range(120):
        idp("GET", f"/nothing/{number}")
    idp.services.inbound.flush()
    seen, path = [], "/admin/inbound?failed=1"
    while path:
        page = admin.get(path)
        seen += requests(page)
        following = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = following.group(1).replace("&amp;", "&") if following else None
    assert len(seen) == 122
    assert len(set(seen)) == 122


def test_what_could_not_be_noted_is_said(admin, world, idp):
    """Never silently."""
    world.services.inbound._dropped = 7
    idp.list()
    world.services.inbound.flush()
    page = admin.get("/admin/inbound").text
    assert "7 requests could not be noted" in page
