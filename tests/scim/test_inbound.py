"""Every request of an identity provider is in the log, whatever came of it, without its secrets."""

from __future__ import annotations

import json

import pytest

from provisioning.storage.models.inbound import InboundRequestRecord
from tests.kit.scim_client import (
    PATCH,
    connect,
    employee_of,
    operation,
    user,
)

NOBODY = "/Users/00000000-0000-4000-8000-000000000000"
HIDDEN = "hunter2-Xq"


@pytest.fixture
def world(sqlite_world):
    """How rows are stored is for tests/services; here it is what is noted."""
    return sqlite_world


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "words"),
    [
        ("GET", "/Users", {}, 200, "answered"),
        ("GET", "/ServiceProviderConfig", {}, 200, "answered"),
        ("POST", "/Users", {"raw": json.dumps(user("bob")).encode()}, 201, "created"),
        ("POST", "/Users", {"raw": json.dumps(user("ann")).encode()}, 409, "taken already"),
        ("POST", "/Users", {"raw": b"{"}, 400, "not understood"),
        ("POST", "/Users", {"raw": b"x" * (1 << 20) + b"x"}, 413, "too large"),
        ("POST", "/Users", {"raw": b"{}", "Content_Type": "text/plain"}, 415, "not JSON"),
        ("GET", "/Users?filter=x", {}, 400, "not understood"),
        ("GET", "/Users", {"Authorization": "Bearer no"}, 401, "no good token"),
        ("PROPFIND", "/Users", {"Authorization": None}, 401, "no good token"),
        ("GET", NOBODY, {}, 404, "not there"),
        ("GET", "/nothing", {}, 404, "not there"),
        ("DELETE", "/Users", {}, 405, "not possible"),
        ("PROPFIND", "/Users", {}, 405, "not possible"),
        ("DELETE", NOBODY, {"If_Match": 'W/"x"'}, 412, "out of date"),
        ("GET", "/Me", {}, 501, "not offered"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_every_outcome_is_noted(idp, logged, method, path, sent, status, words):
    """Refused at the door, unrouted or done: one row, with the words and the error."""
    idp.create("ann")
    answer = idp(method, path, **sent)
    assert answer.status_code == status
    row, before = logged()
    assert before.outcome == "created"
    assert (row.method, row.status, row.outcome) == (method, status, words)
    assert row.path == path.partition("?")[0]
    assert row.failed == (status >= 400)
    assert row.source == (None if status == 401 else "idp")
    assert row.remote_address == "127.0.0.1"
    assert row.duration_ms > 0
    if status >= 400:
        told = answer.get_json(force=True)
        assert (row.detail, row.scim_type) == (told["detail"], told.get("scimType"))


def test_a_failure_of_ours_is_noted(idp, logged, monkeypatch):
    """500: the request that broke something is the one that is looked for."""
    monkeypatch.setattr("provisioning.scim.users.parse_user", lambda *_args, **_more: 1 / 0)
    assert idp("POST", "/Users", user("ann")).status_code == 500
    (row,) = logged(failed=True)
    assert (row.status, row.outcome) == (500, "failed here")
    assert json.loads(row.body)["userName"] == "ann@corp.example"


def test_a_token_without_the_scope_is_told_apart(world, idp, logged):
    """403: whose token it is, is known."""
    with world.services.context.database.write() as session:
        session.connection().exec_driver_sql("UPDATE token SET scopes = 'users:read'")
    assert idp("POST", "/Users", user("ann")).status_code == 403
    (row,) = logged()
    assert (row.source, row.outcome) == ("idp", "refused")
    assert row.body.startswith("(not kept: ")


def test_a_revoked_token_tells_by_its_public_part(world, idp, logged):
    """The rest of it is nobody's to read, also where it is spelled wrong."""
    token = idp.token
    idp.token = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert idp("GET", f"/Users?access_token={token}").status_code == 401
    (row,) = logged()
    assert (row.source, row.token) == (None, token.split("_")[1])
    assert row.query == "access_token=(secret)"


def test_pages_are_not_requests_of_providers(idp, logged):
    """Only what is below /scim/v2."""
    for path in ("/admin/", "/healthz", "/scim/v2x"):
        idp.client.get(path, base_url="https://intranet.example")
    assert logged() == []


def test_whom_a_request_is_about_is_known(world, idp, logged):
    """Created, found, read, changed, refused and deleted: the resource and the person."""
    ann = idp.create("ann")
    employee = employee_of(world.services, ann)
    world.accept("Ann")
    idp.find('userName eq "ann@corp.example"')
    idp.get(ann["id"])
    idp.patch(ann["id"], operation("replace", "title", "Chief"))
    assert idp("PATCH", f"/Users/{ann['id']}", {}).status_code == 400
    idp.delete(ann["id"])
    rows = logged()
    assert len(rows) == 6
    assert {(str(row.scim_user_id), row.employee, row.person) for row in rows} == {
        (ann["id"], employee, "Ann")
    }
    idp.find('userName eq "nobody"')
    assert logged(person=employee) == rows


@pytest.mark.parametrize(
    "body",
    [
        user("ann", password=HIDDEN),
        user("ann", PassWord=HIDDEN),
        user("ann", password={"x": HIDDEN}),
        user("ann", **{"urn:corp:User": {"clientSecret": HIDDEN}}),
        user("ann", x509Certificates=[{"value": HIDDEN}], photos=[{"value": HIDDEN}]),
        {"schemas": [PATCH], "Operations": [operation("Replace", "password", HIDDEN)]},
        {"schemas": [PATCH], "Operations": [operation("add", None, {"Password": HIDDEN})]},
        {"schemas": [PATCH], "Operations": [operation("add", f'x[password eq "{HIDDEN}"].y', "z")]},
        {"schemas": [PATCH], "Operations": [operation("add", "password", [HIDDEN])]},
        {"Operations": [{"method": "POST", "path": "/Users", "data": {"password": HIDDEN}}]},
    ],
    ids=lambda body: str(body)[-60:],
)
def test_no_row_has_a_secret_whatever_came_of_it(world, idp, logged, body):
    """Safety 9: in no column, taken or refused, also not in the error that was answered."""
    ann = idp.create("bob")
    for method, path in (
        ("POST", "/Users"),
        ("PUT", f"/Users/{ann['id']}"),
        ("PATCH", f"/Users/{ann['id']}"),
        ("POST", "/Bulk"),
        ("POST", f"/Users/.search?password={HIDDEN}"),
        ("GET", f"/Users?filter=password%20eq%20%22{HIDDEN}%22"),
    ):
        idp(method, path, body)
        idp(method, path, body, Authorization=f"Bearer {HIDDEN}")
    assert len(logged()) == 13
    with world.services.context.database.read() as session:
        for row in session.query(InboundRequestRecord):
            cells = [str(getattr(row, column.name)) for column in row.__table__.columns]
            assert not [cell for cell in cells if HIDDEN in cell]
            assert not [cell for cell in cells if idp.token[15:] in cell]


def test_a_database_that_is_away_is_in_the_log_afterwards(world, idp, logged, monkeypatch):
    """Safety 20: requests are answered as ever; what happened meanwhile is told later."""
    from sqlalchemy.exc import OperationalError

    def lost(*_args, **_more):
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(world.services.context.database, "write", lost)
        patch.setattr(world.services.context.database, "read", lost)
        assert idp("GET", "/Users").status_code == 503
        assert not world.services.inbound.flush()
    (row,) = logged()
    assert (row.status, row.outcome) == (503, "asked to come again")


def test_two_providers_are_told_apart(world, idp, logged):
    """Each row belongs to the source of its token."""
    other = connect(world.services, "other", app=idp.app)
    idp.list()
    other.list()
    assert [row.source for row in logged()] == ["other", "idp"]
    assert [row.source for row in logged(source="idp")] == ["idp"]
