"""Who asked for access is in the inbound log, and on a token why it was turned away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from provisioning.scim.gate import Gate
from provisioning.scim.limits import FAILURES, WINDOW, ScimLimits
from provisioning.scim.oauth import create_oauth_blueprint
from provisioning.scim.provider import create_scim_blueprint, make_users
from provisioning.storage.models.inbound import InboundRequestRecord
from provisioning.storage.models.runs import TokenRecord
from tests.kit.nights import ME
from tests.kit.oauth import Endpoint
from tests.kit.scim_client import ScimClient, connect, user
from tests.kit.services import PUBLIC_URL

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@pytest.fixture
def world(sqlite_world):
    """How rows are stored is for tests/services; here it is what is noted."""
    return sqlite_world


@pytest.fixture
def endpoint(world):
    return Endpoint(world, first_run="apply", scopes=["users:read"])


def limited(services, clock=lambda: 1_000):
    """An application whose gate never opens again once it is full."""
    app, gate = (
        Flask(__name__),
        Gate(services.tokens, ScimLimits(requests_per_second=1), clock=clock),
    )
    users = make_users(services, public_url=PUBLIC_URL)
    app.register_blueprint(
        create_scim_blueprint(services, gate, ScimLimits(), users, public_url=PUBLIC_URL)
    )
    app.register_blueprint(create_oauth_blueprint(services, gate))
    return app


def test_access_that_was_given_is_noted(endpoint, logged):
    """By its client, for its source; the row is about nobody and has no body."""
    assert endpoint().status_code == 200
    (row,) = logged()
    assert (row.method, row.path, row.status) == ("POST", "/oauth/token", 200)
    assert (row.outcome, row.failed, row.source) == ("access given", False, "idp")
    assert (row.token, row.remote_address) == (endpoint.client.id, "127.0.0.1")
    assert (row.body, row.query, row.person, row.quirks) == (None, None, None, ())
    assert row.duration_ms > 0


@pytest.mark.parametrize(
    ("form", "basic", "status", "error", "outcome", "source"),
    [
        ({}, "wrong", 401, "invalid_client", "no good client", None),
        ({"scope": "users:write"}, None, 400, "invalid_scope", "not understood", "idp"),
        ({"grant_type": "password"}, None, 400, "unsupported_grant_type", "not understood", None),
        ({"pad": "x" * (1 << 15)}, None, 413, "invalid_request", "too large", None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_access_that_was_refused_is_noted_with_its_reason(
    endpoint, logged, form, basic, status, error, outcome, source
):
    """RFC 6749 5.2: the code and the sentence the client was told, and who it said it is."""
    answer = endpoint(basic=basic and (endpoint.client.id, basic), **form)
    assert (answer.status_code, answer.json["error"]) == (status, error)
    (row,) = logged(failed=True)
    assert (row.status, row.outcome, row.source) == (status, outcome, source)
    assert (row.scim_type, row.detail) == (error, answer.json["error_description"])
    assert row.token == endpoint.client.id


def test_no_row_has_a_secret_wherever_it_was_put(world, endpoint, logged):
    """Safety 9: in the header, the form, the query, or in the field of something else."""
    secret, id_ = endpoint.client.secret, endpoint.client.id
    given = endpoint().json["access_token"]
    endpoint(basic=(secret, id_))
    endpoint(basic=(), client_id=given, client_secret=secret)
    endpoint(basic=(), client_id=id_, client_secret=secret, grant_type=secret)
    endpoint.http.post(
        f"/oauth/token?client_id={id_}&client_secret={secret}&assertion={secret}",
        base_url=PUBLIC_URL,
        data={"grant_type": "client_credentials"},
    )
    assert len(logged()) == 5
    with world.services.context.database.read() as session:
        for row in session.query(InboundRequestRecord):
            cells = " ".join(str(getattr(row, one.name)) for one in row.__table__.columns)
            assert secret not in cells
            assert given[15:] not in cells


def test_a_wrong_address_for_access_is_told_apart(endpoint, logged):
    """Below the SCIM address there is none: the log must not say that access was asked for."""
    endpoint.http.post("/scim/v2/oauth/token", base_url=PUBLIC_URL, data={})
    endpoint.http.options("/oauth/token", base_url=PUBLIC_URL)
    (row,) = logged()
    assert (row.path, row.outcome) == ("/scim/v2/oauth/token", "no good token")


def kept(world, id_):
    """When, whence and why a token was last turned away."""
    with world.services.context.database.read() as session:
        row = session.get_one(TokenRecord, id_)
        return row.last_rejected_at, row.last_rejected_from, row.last_rejected


@pytest.mark.parametrize("door", ["alone", "bulk", "fast lane", "access token"])
def test_a_token_without_the_scope_shows_it(world, endpoint, door):
    """Not only that a token expired: a 403 is told on the token, after the answer."""
    services = world.services
    scope = "users:read" if door == "fast lane" else "users:write"
    poor = "groups:read" if door == "fast lane" else "users:read"
    made = services.tokens.create("idp", ME, scopes=[poor])
    idp, id_ = ScimClient(endpoint.app, services, made.secret), made.id
    if door == "access token":
        idp, id_ = endpoint.scim(endpoint()), endpoint.client.id
    if door == "bulk":
        operation = {"method": "POST", "path": "/Users", "bulkId": "a", "data": user("ann")}
        idp("POST", "/Bulk", {"schemas": [BULK], "Operations": [operation]})
    elif door == "fast lane":
        assert idp("GET", "/Users?filter=userName%20eq%20%22ann%22").status_code == 403
    else:
        assert idp("POST", "/Users", user("ann")).status_code == 403
    assert kept(world, id_) == (None, None, None), "no request waits for the note"
    assert services.inbound.flush()
    assert kept(world, id_) == (world.clock.now(), "127.0.0.1", f"lacks the scope {scope}")


def test_a_client_that_asks_for_more_than_it_has_shows_it(world, endpoint):
    """invalid_scope: the provider's form is wrong, and it will never get in."""
    endpoint(scope="users:read groups:write")
    assert world.services.inbound.flush()
    assert kept(world, endpoint.client.id)[2] == "asks for a scope it lacks"


def test_a_token_that_asks_too_often_shows_it(world):
    """429 is told on the token, that of a client on the client."""
    app = limited(world.services)
    idp = connect(world.services, app=app)
    for _ in range(WINDOW):
        assert idp("GET", "/Users").status_code == 200
    assert idp("GET", "/Users").status_code == 429
    endpoint = Endpoint(world)
    endpoint.http = app.test_client()
    while endpoint().status_code == 200:
        pass
    assert world.services.inbound.flush()
    for id_ in (idp.token.split("_")[1], endpoint.client.id):
        assert kept(world, id_)[2] == "asks too often"


def test_a_token_is_noted_once_a_minute(world, endpoint, monkeypatch):
    """However often it is turned away; what was noted is not asked of the database again."""
    services, log = world.services, world.services.inbound
    made = services.tokens.create("idp", ME, scopes=["groups:read"])
    idp = ScimClient(endpoint.app, services, made.secret)

    def refused():
        assert idp("GET", "/Users").status_code == 403
        assert log.flush()
        return kept(world, made.id)[0]

    start = world.clock.now()
    assert refused() == start
    world.clock.advance(timedelta(seconds=59))
    with monkeypatch.context() as patch:
        patch.setattr("provisioning.services.token_rejections.note_rejection", None)
        assert refused() == start
    world.clock.advance(timedelta(seconds=1))
    assert refused() == world.clock.now()


def test_who_has_no_good_token_turns_nobody_away(world):
    """Too many guesses are a 429 of an address, not of the token they name."""
    app = limited(world.services)
    idp = connect(world.services, app=app)
    id_ = idp.token.split("_")[1]
    for _ in range(FAILURES + 1):
        last = idp("GET", "/Users", Authorization=f"Bearer usher_{id_}_guess")
    assert last.status_code == 429
    assert world.services.inbound.flush()
    assert kept(world, id_)[2] == "wrong secret"


def test_a_database_that_is_away_loses_no_request_for_it(world, endpoint, monkeypatch):
    """The rows are written; the note on the token comes with the next refusal."""
    from sqlalchemy.exc import OperationalError

    def away(*_args, **_more):
        raise OperationalError("UPDATE", {}, Exception("server closed the connection"))

    services = world.services
    made = services.tokens.create("idp", ME, scopes=["groups:read"])
    idp = ScimClient(endpoint.app, services, made.secret)
    with monkeypatch.context() as patch:
        patch.setattr("provisioning.services.token_rejections.note_rejection", away)
        idp("GET", "/Users")
        assert services.inbound.flush()
    assert kept(world, made.id)[0] is None
    idp("GET", "/Users")
    assert services.inbound.flush()
    assert kept(world, made.id)[2] == "lacks the scope users:read"
    assert len(services.inbound_reports.requests()) == 2
