"""OAuth 2 client credentials (RFC 6749 4.4): a real client, and everything that is refused."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from flask import Flask

from provisioning.scim.gate import Gate
from provisioning.scim.limits import FAILURES, ScimLimits
from provisioning.scim.oauth import create_oauth_blueprint
from provisioning.services.tokens import DEFAULT_SCOPES
from tests.kit.nights import ME
from tests.kit.oauth import Endpoint
from tests.kit.postgres import free_port
from tests.kit.scim_client import refusal, user
from tests.kit.usher import Usher


@pytest.fixture
def endpoint(world):
    return Endpoint(world, first_run="apply")


@pytest.fixture
def sqlite_endpoint(sqlite_world):
    """For what is decided before anything is stored."""
    return Endpoint(sqlite_world)


def test_an_access_token_opens_the_door_for_an_hour(endpoint, world):
    """RFC 6749 5.1: type, lifetime, scope; kept out of every cache."""
    answer = endpoint()
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 3600)
    assert set(answer.json["scope"].split()) == set(DEFAULT_SCOPES)
    assert answer.headers["Cache-Control"] == "no-store"
    idp = endpoint.scim(answer)
    ann = idp.create("ann")
    world.clock.advance(timedelta(hours=1) - timedelta(seconds=1))
    assert idp.get(ann["id"])["userName"] == "ann@corp.example"
    world.clock.advance(timedelta(seconds=1))
    refusal(idp("GET", f"/Users/{ann['id']}"), 401)
    assert endpoint.scim(endpoint()).get(ann["id"])["id"] == ann["id"]


def test_the_secret_may_come_in_the_form(endpoint):
    """RFC 6749 2.3.1: client_secret_post."""
    client = endpoint.client
    form = {
        "grant_type": "client_credentials",
        "client_id": client.id,
        "client_secret": client.secret,
    }
    assert endpoint.scim(endpoint.send(form)).list()["totalResults"] == 0


def test_less_may_be_asked_for_and_never_more(world):
    """RFC 6749 3.3: a narrower scope is given, another is invalid_scope."""
    endpoint = Endpoint(world, scopes=["users:read", "users:write"])
    narrow = endpoint(scope="users:read")
    assert narrow.json["scope"] == "users:read"
    reader = endpoint.scim(narrow)
    assert reader("GET", "/Users").status_code == 200
    assert "users:write" in refusal(reader("POST", "/Users", user("ann")), 403)
    refused = endpoint(scope="users:read groups:read")
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_scope")


def test_revoking_the_client_revokes_its_access_at_once(endpoint):
    """The next request is refused, and so is the next look for a token."""
    idp = endpoint.scim(endpoint())
    endpoint.services.tokens.revoke(endpoint.client.id, ME)
    refusal(idp("GET", "/Users"), 401)
    assert endpoint().json["error"] == "invalid_client"


@pytest.mark.parametrize("form", [True, False], ids=["form", "header"])
@pytest.mark.parametrize("wrong", ["id", "secret", "nothing", "token", "odd"])
def test_a_client_that_proves_nothing_gets_nothing(sqlite_endpoint, wrong, form):
    """RFC 6749 5.2: invalid_client, 401, the same words whoever it was."""
    endpoint = sqlite_endpoint
    client, token = endpoint.client, endpoint.services.tokens.create("idp", ME)
    id_, secret = {
        "id": ("00000000", client.secret),
        "secret": (client.id, client.secret + "x"),
        "nothing": ("", ""),
        "token": (token.id, token.secret),
        "odd": ("é' OR 1=1", "\x00é"),
    }[wrong]
    if form:
        answer = endpoint(basic=(), client_id=id_, client_secret=secret)
    else:
        answer = endpoint(basic=(id_, secret))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert "access_token" not in answer.text
    unknown = endpoint(basic=("ffffffff", "x"))
    assert unknown.json == answer.json


def test_headers_and_bodies_that_are_none_are_refused(sqlite_endpoint):
    """Never a page, never a traceback."""
    good = {"grant_type": "client_credentials"}
    for header in ("Basic", "Basic !", "Basic //79", f"Bearer {'x' * 40}", "é"):
        answer = sqlite_endpoint.send(good, {"Authorization": header})
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    large = sqlite_endpoint(pad="x" * (1 << 15))
    assert (large.status_code, large.json["error"]) == (413, "invalid_request")


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", 'é"x', ""])
def test_there_is_one_grant(sqlite_endpoint, grant):
    answer = sqlite_endpoint(grant_type=grant, username="ann", password="x", code="x")
    assert (answer.status_code, answer.json["error"]) == (400, "unsupported_grant_type")


def test_who_guesses_secrets_too_often_waits(sqlite_endpoint):
    """The same measure as for tokens; who knows the secret is not kept out by it."""
    endpoint, app = sqlite_endpoint, Flask(__name__)
    gate = Gate(endpoint.services.tokens, ScimLimits(), clock=lambda: 1_000)
    app.register_blueprint(create_oauth_blueprint(endpoint.services, gate))
    endpoint.http = app.test_client()
    for _ in range(FAILURES):
        assert endpoint(basic=("00000000", "x")).status_code == 401
    answer = endpoint(basic=("00000000", "x"))
    assert (answer.status_code, answer.json["error"]) == (429, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "60"
    assert endpoint().status_code == 200


def test_a_real_client_fetches_and_uses_access(tmp_path):
    """Over a socket: the OAuth client of a library, by both ways of authentication."""
    usher = Usher(tmp_path, {"DATABASE_URL": f"sqlite:///{tmp_path}/usher.db"})
    made = usher("token", "create", "okta", "--client", "--first-run", "apply", "--json").json
    port = free_port()
    with usher.serving(port, "--no-scheduler"):
        url = f"http://127.0.0.1:{port}"
        for method in ("client_secret_basic", "client_secret_post"):
            with OAuth2Client(
                made["id"], made["client_secret"], token_endpoint_auth_method=method
            ) as client:
                token = client.fetch_token(f"{url}/oauth/token", grant_type="client_credentials")
                assert token["expires_in"] == 3600
                answer = client.get(f"{url}/scim/v2/Users")
                assert (answer.status_code, answer.json()["totalResults"]) == (200, 0)
        with (
            OAuth2Client(made["id"], "wrong") as client,
            pytest.raises(OAuthError, match="invalid_client"),
        ):
            client.fetch_token(f"{url}/oauth/token", grant_type="client_credentials")
        usher("token", "revoke", made["id"])
        refused = httpx2.get(
            f"{url}/scim/v2/Users", headers={"Authorization": f"Bearer {token['access_token']}"}
        )
        assert refused.status_code == 401
