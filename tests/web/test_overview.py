"""Overview and one person: every number leads to its list, every state has its because."""

from __future__ import annotations

import re

from sqlalchemy.exc import OperationalError

from provisioning.web.overview import gauge
from tests.kit.nights import ME
from tests.kit.sources import entry


def figures(page):
    """The figures of the overview by name."""
    found = re.findall(r"<dt>(?:<i[^>]*></i>)?(\w+)</dt><dd>(?:<a[^>]*>)?([\d,–]+)", page.text)
    return dict(found)


def test_the_overview_counts_seats_and_those_who_wait(admin, world):
    """L1, L3: active and invited take seats; who waits is told who comes next."""
    world.directory.add(*map(entry, ("ann", "bob", "cyd", "dan")))
    world.sync()
    world.accept("Ann")
    page = admin.get("/admin/")
    assert figures(page) == {
        "Active": "1",
        "Invited": "2",
        "Waiting": "1",
        "Free": "0",
        "Dismissed": "0",
        "Mismatches": "0",
    }
    assert "1 person waits for a seat" in page.text
    assert "of 3 taken" in page.text
    assert "Dan" in admin.get("/admin/waitlist").text


def test_the_gauge_fills_up_to_the_limit_and_never_beyond(world):
    world.directory.add(*map(entry, ("ann", "bob", "cyd", "dan")))
    world.sync()
    world.accept("Ann")
    parts = gauge(world.services.reports.seats())
    assert round(sum(part.width for part in parts)) == 1000
    world.services.seats.set_limit(1, ME)
    parts = gauge(world.services.reports.seats())
    assert round(sum(part.width for part in parts)) == 1000


def test_every_source_shows_its_last_sign_of_life(admin, world):
    token = world.services.tokens.create("okta", ME)
    assert "waiting for the first request" in admin.get("/admin/").text
    world.services.tokens.check(token.secret, "127.0.0.1")
    world.services.tokens.check(token.secret[:-1] + "x", "127.0.0.1")
    page = admin.get("/admin/").text
    assert "request 0" in page or "request 1" in page or "request 2" in page
    assert "waiting for the first request" not in page


def test_one_person_shows_why_addresses_and_timeline(admin, world):
    """S4, E1, E4: the sentence, every address beside the directory's, every fact in order."""
    world.directory.add(entry("ann", mailbox="anne@corp.example"))
    world.sync()
    world.accept("Ann")
    page = admin.get(f"/admin/people/{world.services.reports.find('Ann')}").text
    assert "Ann is active because accepted the invitation" in page
    assert "ann@corp.example" in page
    assert "differs: typo" in page
    assert (
        page.index("accepted</td>")
        < page.index("invitation kept</td>")
        < page.index("invited</td>")
    )


def test_health_is_asked_for_by_any_name(site):
    """Load balancers and Kubernetes ask an address; pages stay where they are."""
    client = site.test_client()
    assert client.get("/healthz", base_url="http://10.2.3.4:8080").status_code == 200
    assert client.get("/readyz", base_url="http://10.2.3.4:8080").status_code == 200
    assert client.get("/admin/", base_url="http://10.2.3.4:8080").status_code == 400


def test_health_tells_life_from_readiness(site, world, monkeypatch):
    client = site.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ok"}

    def gone():
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(type(world.services.context.database), "read", lambda _self: gone())
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "the database does not answer"}
