"""What every page is sent with and every request held to."""

from __future__ import annotations

import pytest

from provisioning.web.security import MAX_BODY
from tests.kit.site import Visitor
from tests.kit.sources import entry

PAGES = ["/admin/sign-in", "/healthz", "/join/x", "/nowhere"]


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_headers(site, path):
    headers = Visitor(site).get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "max-age" in headers["Strict-Transport-Security"]


def test_the_session_cookie_is_for_this_site_and_no_script(site):
    cookie = Visitor(site).get("/admin/sign-in").headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Lax"))


@pytest.mark.parametrize("host", ["evil.example", "intranet.example.evil.example", "[::2]"])
def test_a_foreign_host_name_is_refused(site, host):
    """Safety 28: links never come from a request, and a poisoned Host gets no page."""
    answer = site.test_client().get("/admin/sign-in", headers={"Host": host})
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["intranet.example", "127.0.0.1:8080", "localhost"])
def test_our_own_names_are_served(site, host):
    assert site.test_client().get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/admin/sign-in", "/admin/sign-out", "/admin/runs/1/decide", "/admin/runs/1/apply"),
        *("/admin/connections", "/admin/connections/x/vendor", "/admin/connections/x/release"),
    ],
)
def test_a_form_without_its_token_does_nothing(site, admin, path):
    """CSRF: another site's form is refused, whoever is signed in."""
    answer = admin.client.post(path, base_url=admin.base_url, data={"comment": "x"})
    assert answer.status_code == 400
    assert admin.get("/admin/").status_code == 200


def test_a_body_that_is_too_large_is_refused(site):
    visitor = Visitor(site)
    token = visitor.form_token("/admin/sign-in")
    answer = visitor.client.post(
        "/admin/sign-in",
        base_url=visitor.base_url,
        data={"csrf_token": token, "address": "a" * MAX_BODY},
    )
    assert answer.status_code == 413


def test_names_from_a_directory_are_shown_and_not_run(world, admin):
    """Safety 17: HTML in a name, a department and an address stays text."""
    bomb = "<script>alert(1)</script>"
    world.directory.add(entry("ann", cn=bomb, departmentNumber=f"{bomb}{{{{ 1337*7331 }}}}"))
    run = world.sync().run
    world.services.delivery.deliver_due()
    person = world.services.reports.find(bomb)
    message = world.services.outbox.messages()[0].id
    for path in (
        "/admin/people",
        f"/admin/people/{person}",
        f"/admin/runs/{run}",
        "/admin/outbox",
        f"/admin/outbox/{message}",
        f"/admin/outbox/{message}/letter.html",
        f"/admin/people?q={bomb}",
    ):
        page = admin.get(path)
        assert page.status_code == 200, path
        assert bomb not in page.text, path
        assert "alert(1)" in page.text, path
        assert "9801547" not in page.text, path


def test_a_letter_is_framed_without_scripts(world, admin):
    world.directory.add(entry("ann"))
    world.sync()
    message = world.services.outbox.messages()[0].id
    headers = admin.get(f"/admin/outbox/{message}/letter.html").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "sandbox" in headers["Content-Security-Policy"]


def test_pages_stay_out_of_caches(admin):
    assert admin.get("/admin/people").headers["Cache-Control"] == "no-store"


def test_a_bug_shows_a_sentence_and_no_traceback(site, admin, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("provisioning.services.reports.Reports.people", broken)
    answer = admin.get("/admin/people")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "log says more" in answer.text
