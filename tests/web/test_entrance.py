"""Nobody passes without a session and a role."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from provisioning.storage.models.accounts import RoleGrantRecord, RoleName, SessionRecord
from tests.kit.site import ADMINISTRATOR, Visitor, administrator, place
from tests.kit.sources import entry
from tests.kit.world import PASSWORD

OPEN = {"admin.sign_in", "admin.static"}


def rules(site):
    """Every address of the pages with a method, filled in."""
    adapter = site.url_map.bind("intranet.example")
    for rule in site.url_map.iter_rules():
        if not rule.endpoint.startswith("admin.") or rule.endpoint in OPEN:
            continue
        values = {
            "run": 1,
            "match": 1,
            "number": 1,
            "id_": 1,
            "message": 1,
            "employee_id": UUID(int=1),
            "source": "x",
            "token_id": "x",
            "job": "nightly",
            "brake": "read-only",
        }
        known = {name: values[name] for name in rule.arguments}
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            yield adapter.build(rule.endpoint, known), method


def test_every_page_leads_a_stranger_to_the_entrance(site):
    """A7: no page, no file and no button answers without a session."""
    stranger = Visitor(site)
    found = list(rules(site))
    assert len(found) > 15
    for path, method in found:
        token = stranger.form_token("/admin/sign-in")
        answer = stranger.client.open(
            path, method=method, base_url=stranger.base_url, data={"csrf_token": token}
        )
        assert place(answer) == "/admin/sign-in", (method, path, answer.status)


def test_an_account_without_a_role_sees_nothing(site, world):
    """A7: an employee's account opens no administrators' page."""
    world.directory.add(entry("ann"))
    world.sync()
    world.accept("Ann")
    ann = Visitor(site)
    ann.sign_in("ann@corp.example", PASSWORD)
    answer = ann.get("/admin/people")
    assert answer.status_code == 403
    assert "no role" in answer.text
    assert place(ann.get("/admin/people")) == "/admin/sign-in"


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (RoleName.VIEWER, set()),
        (RoleName.OPERATOR, {"apply"}),
        (RoleName.APPROVER, {"apply", "decide", "release"}),
        (RoleName.ADMIN, {"apply", "decide", "release"}),
    ],
)
def test_a_role_opens_its_buttons_and_no_more(site, world, role, allowed):
    """A7: viewers look, operators apply, approvers decide."""
    world.directory.add(entry("ann"))
    run = world.sync().run
    visitor = administrator(site, world.services, role)
    assert visitor.get(f"/admin/runs/{run}").status_code == 200
    for button in ("apply", "decide", "release"):
        answer = visitor.send(f"/admin/runs/{run}/{button}", page="/admin/", comment="x")
        assert (answer.status_code != 403) == (button in allowed), (button, answer.status)


def test_a_one_time_password_opens_only_the_page_where_it_is_replaced(site, world):
    """A6: the first administrator chooses a password before anything else."""
    one_time = world.services.accounts.create_administrator(ADMINISTRATOR)
    visitor = Visitor(site)
    visitor.sign_in(ADMINISTRATOR, one_time)
    assert place(visitor.get("/admin/people")) == "/admin/password"
    short = visitor.send("/admin/password", password="short", repeat="short")
    assert short.status_code == 422
    different = visitor.send("/admin/password", password=PASSWORD, repeat=PASSWORD + "x")
    assert "differ" in different.text
    visitor.send("/admin/password", password=PASSWORD, repeat=PASSWORD)
    assert visitor.get("/admin/people").status_code == 200
    assert Visitor(site).sign_in(ADMINISTRATOR, one_time).status_code == 422


def test_a_wrong_password_and_an_unknown_address_are_told_alike(site, admin):
    """A6: nobody learns from the entrance who has an account."""
    wrong = Visitor(site).sign_in(ADMINISTRATOR, "wrong horse battery")
    unknown = Visitor(site).sign_in("nobody@corp.example", "wrong horse battery")
    assert wrong.status_code == unknown.status_code == 422
    swap = wrong.text.replace(ADMINISTRATOR, "nobody@corp.example")
    assert _without_token(swap) == _without_token(unknown.text)


def _without_token(page):
    return [line for line in page.splitlines() if "csrf_token" not in line]


def test_signing_out_ends_the_session_on_the_server(admin, world):
    """A copy of the cookie is worth nothing afterwards."""
    kept = admin.client.get_cookie("usher", domain="intranet.example")
    admin.send("/admin/sign-out", page="/admin/")
    admin.client.set_cookie("usher", kept.value, domain="intranet.example")
    assert place(admin.get("/admin/")) == "/admin/sign-in"


def test_a_session_ends_by_itself(admin, world):
    assert admin.get("/admin/").status_code == 200
    world.clock.advance(timedelta(hours=13))
    assert place(admin.get("/admin/")) == "/admin/sign-in"


def test_a_role_that_was_taken_away_is_gone_at_the_next_click(admin, world):
    """A7: roles are looked up on every request."""
    with world.services.context.database.write() as session:
        session.execute(delete(RoleGrantRecord))
    assert admin.get("/admin/people").status_code == 403


def test_a_forged_cookie_opens_nothing(site, admin, world):
    forger = Visitor(site)
    forger.client.set_cookie("usher", "eyJfdXNlcl9pZCI6IngifQ.x.x", domain="intranet.example")
    assert place(forger.get("/admin/")) == "/admin/sign-in"
    with world.services.context.database.read() as session:
        assert session.scalar(select(func.count()).select_from(SessionRecord)) == 1


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/admin", "/\\evil.example", "/admin\\@evil", "x"],
)
def test_signing_in_leads_nowhere_else(site, world, elsewhere):
    one_time = world.services.accounts.create_administrator(ADMINISTRATOR)
    visitor = Visitor(site)
    token = visitor.form_token("/admin/sign-in")
    answer = visitor.client.post(
        "/admin/sign-in",
        base_url=visitor.base_url,
        query_string={"next": elsewhere},
        data={"csrf_token": token, "address": ADMINISTRATOR, "password": one_time},
    )
    assert answer.headers["Location"] == "/admin/"


def test_signing_in_leads_to_the_page_that_was_asked_for(site, world):
    one_time = world.services.accounts.create_administrator(ADMINISTRATOR)
    visitor = Visitor(site)
    wanted = visitor.get("/admin/people?state=active").headers["Location"]
    answer = visitor.send(wanted, address=ADMINISTRATOR, password=one_time)
    assert answer.headers["Location"] == "/admin/people?state=active"
