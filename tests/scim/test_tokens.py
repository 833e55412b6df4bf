"""Who is asking: nothing is looked up, let alone changed, for whoever has no good token."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update

from provisioning.services.tokens import LIFETIME
from provisioning.storage.models.runs import TokenRecord
from tests.kit.nights import ME
from tests.kit.scim_client import ScimClient, connect, operation, refusal, user
from tests.kit.services import PUBLIC_URL, make_services

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
ROUTES = [
    "/Users",
    "/Users/",
    "/Users/{id}",
    "/Users/00000000-0000-4000-8000-000000000000",
    "/Users/.search",
    "/Groups",
    "/Bulk",
    "/Me",
    "/Schemas",
    "/ResourceTypes/User",
    "/ServiceProviderConfig",
    "/nowhere",
    "",
    "/",
]
ENCODINGS = [
    "/%73cim/v2/Users/{id}",
    "/scim/%76%32/Users/{id}",
    "/scim/v2/%55sers/{id}",
    "/scim/v2/Users%2F{id}",
    "/scim/v2/./Users/{id}",
    "/scim/v2/x/../Users/{id}",
    "/scim/v2/%2e/Users/{id}",
    "/scim//v2/Users/{id}",
    "//scim/v2/Users/{id}",
    "/SCIM/v2/Users/{id}",
    "/scim/v2/users/{id}",
    "/scim/v2/Users/{id}/",
    "/scim/v2/Users/{id}%00",
    "/scim/v2/Users/{id};a=b",
    "/healthz/../scim/v2/Users/{id}",
]


@pytest.fixture
def ann(protocol):
    """Somebody whom nobody may see."""
    created = protocol.create("ann")
    yield created
    protocol.delete(created["id"])


def wrong_tokens(good):
    """Everything that is no good token, by what is wrong with it."""
    prefix, id_, secret = good.split("_", 2)
    return {
        "none": None,
        "empty": "",
        "bare scheme": "Bearer",
        "bare scheme and blank": "Bearer ",
        "another scheme": f"Basic {good}",
        "another scheme in disguise": f"Bearer Basic {good}",
        "two schemes": f"Bearer Bearer {good}",
        "two tokens": f"Bearer {good} {good}",
        "comma": f"Bearer {good}, Bearer {good}",
        "cut": f"Bearer {good[:-1]}",
        "longer": f"Bearer {good}x",
        "upper case": f"Bearer {good.upper()}",
        "no secret": f"Bearer {prefix}_{id_}_",
        "only its id": f"Bearer {id_}",
        "unknown id": f"Bearer {prefix}_00000000_{secret}",
        "another prefix": f"Bearer user_{id_}_{secret}",
        "non-ASCII": f"Bearer {good}é",
        "non-ASCII id": f"Bearer {prefix}_é_{secret}",
        "control characters": f"Bearer {prefix}_{id_}\t_{secret}",
        "SQL": f"Bearer {prefix}_' OR '1'='1_{secret}",
        "long": f"Bearer {prefix}_{'9' * 50_000}_{secret}",
    }


@pytest.mark.parametrize("wrong", wrong_tokens("usher_a_b"))
def test_without_a_good_token_nothing_is_said(protocol, ann, wrong):
    """Safety 9: the same 401 for whoever is there and whoever is not, on every route."""
    header = wrong_tokens(protocol.token)[wrong]
    sentences = set()
    for route in ("/Users", f"/Users/{ann['id']}", f"/Users/{uuid4()}", "/Schemas", "/nowhere"):
        answer = protocol("GET", route, Authorization=header)
        sentences.add(refusal(answer, 401))
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert len(sentences) == 1
    for method in ("PUT", "PATCH", "DELETE"):
        refusal(protocol(method, f"/Users/{ann['id']}", user("eve"), Authorization=header), 401)
    refusal(protocol("POST", "/Users", user("eve"), Authorization=header), 401)
    assert protocol.list()["Resources"] == [ann]


@pytest.mark.parametrize("method", METHODS)
def test_every_route_asks_for_the_token_first(protocol, ann, method):
    """Safety 9: also those nobody knows, by every method."""
    for route in ROUTES:
        answer = protocol(method, route.format(id=ann["id"]), user("eve"), Authorization=None)
        assert answer.status_code == 401, route
        assert "Location" not in answer.headers
    assert protocol.list()["Resources"] == [ann]


@pytest.mark.parametrize("path", ENCODINGS)
def test_no_spelling_of_an_address_gets_around_the_token(protocol, ann, path):
    """Safety 9: what is matched decides, not how it was written."""
    for method in METHODS:
        answer = protocol.client.open(
            path.format(id=ann["id"]), method=method, base_url=PUBLIC_URL, json=user("eve")
        )
        assert answer.status_code in (401, 404, 405), method
        assert ann["userName"] not in answer.text
        assert "Location" not in answer.headers
    assert protocol.get(ann["id"]) == ann


def test_the_body_is_not_read_before_the_token(protocol):
    """401, not 413 or 400: strangers cannot make us parse anything."""
    for raw in (b"{" * 2_000, b"x" * (2 << 20)):
        refusal(protocol("POST", "/Users", raw=raw, Authorization="Bearer usher_x_y"), 401)


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER   {}", "{}", "  {}  "])
def test_the_token_may_come_with_its_scheme_or_bare(protocol, header):
    """Some providers have a field for a whole header, and put the token there alone."""
    answer = protocol("GET", "/Users", Authorization=header.format(protocol.token))
    assert answer.status_code == 200


def test_a_revoked_token_is_worthless_from_the_next_request_on(world, idp):
    """And the other token of the same source goes on: that is how they are exchanged."""
    other = connect(world.services, app=idp.app)
    ann = idp.create("ann")
    assert other.get(ann["id"]) == ann
    token_id = idp.token.split("_")[1]
    world.services.tokens.revoke(token_id, ME)
    refusal(idp("GET", f"/Users/{ann['id']}"), 401)
    refusal(idp.try_patch(ann["id"], operation("replace", "active", False)), 401)
    assert other.get(ann["id"]) == ann
    rejected = {token.id: token.last_rejected for token, _ in world.services.tokens.list()}
    assert rejected[token_id] == "revoked"


def test_a_token_expires(world, idp):
    """The second it says; the reason stays with the token."""
    world.clock.advance(LIFETIME - timedelta(seconds=1))
    assert idp("GET", "/Users").status_code == 200
    world.clock.advance(timedelta(seconds=1))
    refusal(idp("GET", "/Users"), 401)
    assert [token.last_rejected for token, _ in world.services.tokens.list()] == ["expired"]


def test_a_token_of_another_intranet_opens_nothing(world, idp, database_url):
    """Safety 9: one database may hold many intranets."""
    other = make_services(database_url, clock=world.clock, slug="other")
    foreign = connect(other)
    try:
        stranger = ScimClient(idp.app, idp.services, foreign.token)
        refusal(stranger("GET", "/Users"), 401)
        refusal(stranger("POST", "/Users", user("ann")), 401)
        assert foreign.create("ann")["userName"] == "ann@corp.example"
        assert idp.list()["totalResults"] == 0
    finally:
        other.context.database.close()


SCOPES = {
    "users:read users:write": {"GET", "POST", "PUT", "PATCH", "DELETE"},
    "users:read": {"GET"},
    "users:write": {"POST", "PUT", "PATCH", "DELETE"},
    "groups:read groups:write": set(),
    "": set(),
}


def test_a_scope_is_needed(world, idp):
    """403, and nothing is done; the scope is named."""
    ann = idp.create("ann")
    for number, (scopes, allowed) in enumerate(SCOPES.items()):
        bob = connect(world.services, app=idp.app).create(f"bob{number}")
        with world.services.context.database.write() as session:
            session.execute(update(TokenRecord).values(scopes=scopes))
        patch = {"Operations": [operation("replace", "title", f"{number}")]}
        answers = {
            "GET": idp("GET", f"/Users/{ann['id']}"),
            "POST": idp("POST", "/Users", user(f"cid{number}")),
            "PUT": idp("PUT", f"/Users/{ann['id']}", user("ann")),
            "PATCH": idp("PATCH", f"/Users/{ann['id']}", patch),
            "DELETE": idp("DELETE", f"/Users/{bob['id']}"),
        }
        assert {method for method, answer in answers.items() if answer.status_code < 300} == allowed
        for method in answers.keys() - allowed:
            assert "users:" in refusal(answers[method], 403)
        assert (f"Cid{number}" in world.states()) is ("POST" in allowed)
        assert (f"Bob{number}" in world.states()) is ("DELETE" not in allowed)


def test_the_last_use_is_shown(world, idp):
    """To a minute: reading does not mean writing."""
    idp.list()
    first = world.clock.now()
    world.clock.advance(timedelta(seconds=59))
    idp.list()
    assert [token.last_used_at for token, _ in world.services.tokens.list()] == [first]
    world.clock.advance(timedelta(seconds=1))
    idp.list()
    assert [token.last_used_at for token, _ in world.services.tokens.list()] == [world.clock.now()]
