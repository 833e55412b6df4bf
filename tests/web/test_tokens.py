"""Tokens on the pages: shown once, replaced and revoked by administrators who say it is them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from provisioning.storage.models.accounts import RoleName
from provisioning.storage.models.runs import TokenKind
from tests.kit.nights import ME
from tests.kit.site import administrator
from tests.kit.world import PASSWORD

NEW = "/admin/tokens/new"


def shown(page, id_):
    """The value of a field that is there to be copied."""
    found = re.search(rf'id="{id_}" value="([^"]+)"', page.text)
    return found and found[1]


def make(admin, **fields):
    choices = {"source": "okta", "scopes": ["users:read", "users:write"], "days": "90"}
    return admin.send(NEW, **choices | {"password": PASSWORD} | fields)


@pytest.fixture
def tokens(world):
    return world.services.tokens


def test_a_new_token_is_shown_once_with_its_address(admin, tokens):
    """The SCIM address and the token, each to be copied; the list shows neither again."""
    page = make(admin, note="the new tenant")
    assert page.status_code == 200
    secret = shown(page, "secret")
    assert shown(page, "scim-url") == "https://intranet.example/scim/v2"
    assert tokens.check(secret, "192.0.2.1").scopes == {"users:read", "users:write"}
    assert page.headers["Cache-Control"] == "no-store"
    tokens.check(secret + "x", "198.51.100.7")
    listed = admin.get("/admin/tokens").text
    assert secret not in listed
    for words in ("okta", "the new tenant", "192.0.2.1", "wrong secret", "198.51.100.7"):
        assert words in listed


def test_an_oauth_client_is_shown_with_its_token_address(admin, world):
    page = make(admin, client="y")
    assert shown(page, "token-url") == "https://intranet.example/oauth/token"
    found = world.services.access_tokens.client(shown(page, "client-id"), shown(page, "secret"), "")
    assert found.source == "okta"


def test_what_makes_no_sense_is_said_beside_its_field(admin, tokens, world):
    """Nothing is made, and what was typed stays."""
    for wrong in ({"source": "Not A Name"}, {"source": "corp"}, {"days": "0"}, {"days": "x"}):
        page = make(admin, **wrong)
        assert page.status_code == 422
    assert make(admin, scopes=[]).status_code == 422
    assert tokens.list() == []


def test_the_old_one_goes_on_while_the_new_one_is_handed_over(admin, tokens, world):
    old = tokens.create("okta", ME)
    page = admin.send(f"/admin/tokens/{old.id}/rotate", hours="2", password=PASSWORD)
    assert "goes on until" in page.text
    new = shown(page, "secret")
    assert tokens.check(old.secret, "") is not None
    assert tokens.check(new, "") is not None
    world.clock.advance(timedelta(hours=2))
    assert tokens.check(old.secret, "") is None
    assert "replaced by" in admin.get("/admin/tokens").text
    again = admin.send(f"/admin/tokens/{old.id}/rotate", page=NEW, hours="2", password=PASSWORD)
    assert again.status_code in (303, 409)
    assert len(tokens.list()) == 2


def test_a_revoked_token_is_worthless_at_once(admin, tokens):
    token = tokens.create("okta", ME)
    path = f"/admin/tokens/{token.id}/revoke"
    assert "never used" in admin.get(path).text
    assert admin.send(path, password=PASSWORD).status_code == 303
    assert tokens.check(token.secret, "") is None
    assert admin.get("/admin/tokens/00000000/revoke").status_code == 404


def test_without_the_password_nothing_is_made_or_ended(admin, tokens):
    """Whoever finds an administrator's screen open opens no door with it; guesses are counted."""
    token = tokens.create("okta", ME)
    for path in (NEW, f"/admin/tokens/{token.id}/rotate", f"/admin/tokens/{token.id}/revoke"):
        for password in ("", "wrong horse battery"):
            page = admin.send(
                path, source="x", scopes=["users:read"], days="9", hours="1", password=password
            )
            assert page.status_code == 422
    assert [kept.id for kept, _ in tokens.list()] == [token.id]
    assert tokens.check(token.secret, "") is not None
    for _ in range(2):
        make(admin, password="wrong horse battery")
    assert make(admin).status_code == 422


@pytest.mark.parametrize("role", [RoleName.VIEWER, RoleName.OPERATOR, RoleName.APPROVER])
def test_only_administrators_make_and_end_tokens(site, world, tokens, role):
    """A7: others see when a token was used, and no button."""
    token = tokens.create("okta", ME)
    visitor = administrator(site, world.services, role)
    listed = visitor.get("/admin/tokens")
    assert token.id in listed.text
    assert "/rotate" not in listed.text
    assert NEW not in listed.text
    for path in (NEW, f"/admin/tokens/{token.id}/rotate", f"/admin/tokens/{token.id}/revoke"):
        assert visitor.get(path).status_code == 403
    assert [kept.kind for kept, _ in tokens.list()] == [TokenKind.TOKEN]
