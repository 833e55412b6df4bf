"""What a good token may do, and how often."""

from __future__ import annotations

from base64 import b64encode

import pytest
from flask import Flask

from provisioning.scim.errors import ScimError
from provisioning.scim.gate import Gate
from provisioning.scim.limits import FAILURES, WINDOW, ScimLimits
from provisioning.scim.provider import create_scim_blueprint, make_users
from provisioning.services.tokens import SCOPES
from tests.kit.nights import ME
from tests.kit.scim_client import GROUP, ScimClient, refusal, user
from tests.kit.services import PUBLIC_URL
from tests.kit.site import make_site

SOMEBODY = "/Users/00000000-0000-4000-8000-000000000000"
NEEDS = [
    ("GET", "/Users", "users:read"),
    ("HEAD", SOMEBODY, "users:read"),
    ("POST", "/Users/.search", "users:read"),
    ("POST", "/Users", "users:write"),
    ("PUT", SOMEBODY, "users:write"),
    ("PATCH", SOMEBODY, "users:write"),
    ("DELETE", SOMEBODY, "users:write"),
    ("GET", "/Groups", "groups:read"),
    ("GET", "/Groups/1", "groups:read"),
    ("POST", "/Groups/.search", "groups:read"),
    ("POST", "/Groups", "groups:write"),
    ("PATCH", "/Groups/1", "groups:write"),
    ("DELETE", "/Groups/1", "groups:write"),
    ("POST", "/.search", "users:read"),
    ("POST", "/.search", "groups:read"),
]


@pytest.fixture
def make_client(sqlite_world):
    """Return a maker of clients whose token has the scopes given, on one application."""
    services = sqlite_world.services
    app = make_site(services)

    def making(*scopes):
        made = services.tokens.create("idp", ME, scopes=scopes, first_run="apply")
        return ScimClient(app, services, made.secret)

    return making


@pytest.mark.parametrize(("method", "path", "scope"), NEEDS)
def test_every_route_needs_its_scope_and_names_it(make_client, method, path, scope):
    """403, whether the route exists yet or not, with every other scope there is."""
    poor = make_client(*(other for other in SCOPES if other != scope))
    answer = poor(method, path, user("ann"))
    assert answer.status_code == 403
    assert f'scope="{scope}"' in answer.headers["WWW-Authenticate"]
    if method != "HEAD":
        assert f"lacks the scope {scope}" in refusal(answer, 403)
    rich = make_client(*SCOPES)
    assert rich(method, path, user("ann")).status_code != 403


def test_what_describes_the_provider_is_for_every_token(make_client):
    """A token that may only write has to find out how."""
    writer = make_client("users:write")
    for path in ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas"):
        assert writer("GET", path).status_code == 200
    refusal(writer("DELETE", "/Schemas"), 405)
    refusal(writer("GET", "/nowhere"), 404)


def test_each_operation_of_a_bulk_needs_its_scope(make_client):
    """Every good token may send one; what it may not do in it is 403 there, and not done."""
    client = make_client("users:write")
    answer = client(
        "POST",
        "/Bulk",
        {
            "Operations": [
                {"method": "POST", "path": "/Users", "bulkId": "a", "data": user("ann")},
                {
                    "method": "POST",
                    "path": "/Groups",
                    "bulkId": "b",
                    "data": {"schemas": [GROUP], "displayName": "Sales"},
                },
                {"method": "DELETE", "path": "/Groups/1"},
            ]
        },
    )
    results = answer.get_json(force=True)["Operations"]
    assert [result["status"] for result in results] == ["201", "403", "403"]
    assert "groups:write" in results[1]["response"]["detail"]
    reader = make_client("groups:read")
    assert reader("GET", "/Groups").get_json(force=True)["totalResults"] == 0


def test_who_asks_too_often_waits(sqlite_world):
    """429 says how long and why; another token of the same source goes on."""
    services, limits = sqlite_world.services, ScimLimits(requests_per_second=2)
    gate, app = Gate(services.tokens, limits, clock=lambda: 1_000), Flask(__name__)
    users = make_users(services, public_url=PUBLIC_URL)
    scim = create_scim_blueprint(services, gate, limits, users, public_url=PUBLIC_URL)
    app.register_blueprint(scim)
    busy, calm = (
        ScimClient(app, services, services.tokens.create("idp", ME).secret) for _ in range(2)
    )
    answers = [busy("GET", "/Schemas") for _ in range(2 * WINDOW + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert "scim.requests_per_second" in refusal(answers[-1], 429)
    assert answers[-1].headers["Retry-After"] == f"{WINDOW}"
    assert calm("GET", "/Users").status_code == 200


def test_who_guesses_too_often_waits_but_a_good_token_never_does(sqlite_world):
    """Behind a proxy everybody has one address: a stranger must not lock the provider out."""
    services = sqlite_world.services
    token = services.tokens.create("idp", ME).secret
    gate = Gate(services.tokens, ScimLimits(), clock=lambda: 1_000)

    def guess(address):
        with pytest.raises(ScimError) as refused:
            gate.admit("Bearer usher_00000000_x", address, "GET", "Users")
        return refused.value

    assert {guess("192.0.2.1").status for _ in range(FAILURES)} == {401}
    refused = guess("192.0.2.1")
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert guess("192.0.2.2").status == 401
    assert gate.admit(f"Bearer {token}", "192.0.2.1", "GET", "Users").source == "idp"


@pytest.mark.parametrize("header", ["Basic {basic}", "Basic {token}", "Digest {token}"])
def test_no_other_scheme_opens_the_door(make_client, header):
    """A token is a bearer token; user names and passwords are nobody's here."""
    client = make_client(*SCOPES)
    id_ = client.token.split("_")[1]
    basic = b64encode(f"{id_}:{client.token}".encode()).decode()
    sent = header.format(basic=basic, token=client.token)
    refusal(client("GET", "/Users", Authorization=sent), 401)
