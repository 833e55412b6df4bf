"""What is not taken: always a SCIM error with a sentence, never a redirect or a traceback."""

from __future__ import annotations

import json
import secrets

import pytest

from provisioning.scim.documents import LONGEST_KEY
from provisioning.scim.limits import MAX_BYTES, MAX_DEPTH, MAX_FILTER, MAX_OPERATIONS
from tests.kit.scim_client import (
    ENTERPRISE,
    GROUP,
    PATCH,
    connect,
    operation,
    outcome,
    refusal,
    user,
)
from tests.kit.site import make_site

ANN = json.dumps(user("ann")).encode()


def nested(depth):
    """A value of so many lists in each other."""
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize(
    ("raw", "status", "scim_type"),
    [
        (b"", 400, "invalidSyntax"),
        (b"{", 400, "invalidSyntax"),
        (b"null", 400, "invalidSyntax"),
        (b"[]", 400, "invalidSyntax"),
        (b'"ann"', 400, "invalidSyntax"),
        (b"userName=ann", 400, "invalidSyntax"),
        (b"<user/>", 400, "invalidSyntax"),
        (b"\xff\xfe{}", 400, "invalidSyntax"),
        (b'{"userName": "\xc3\x28"}', 400, "invalidSyntax"),
        (b'{"userName": "\\ud800"}', 400, "invalidSyntax"),
        (b'{"userName": NaN}', 400, "invalidSyntax"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "invalidSyntax"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, 400, "invalidSyntax"),
        (json.dumps({"x": nested(MAX_DEPTH)}).encode(), 400, "invalidSyntax"),
        (b" " * (MAX_BYTES + 1), 413, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_body_that_is_none_is_refused(protocol, raw, status, scim_type):
    """Safety 18: for every method with a body, before anything is looked up."""
    ann = "/Users/00000000-0000-4000-8000-000000000000"
    for method, path in (("POST", "/Users"), ("PUT", ann), ("PATCH", ann)):
        refusal(protocol(method, path, raw=raw), status, scim_type)
    assert protocol.list()["totalResults"] == 0


def test_a_body_as_large_as_the_limit_is_taken(protocol):
    """Safety 18: one byte more is refused, and the sentence names the limit."""
    assert f"{MAX_BYTES:,}" in refusal(
        protocol("POST", "/Users", raw=ANN.ljust(MAX_BYTES + 1)), 413
    )
    answer = protocol("POST", "/Users", raw=ANN.ljust(MAX_BYTES))
    assert answer.status_code == 201
    protocol.delete(answer.get_json(force=True)["id"])


@pytest.mark.parametrize("limit", [1 << 20, 3 << 20])
def test_a_group_may_be_as_large_as_is_set(sqlite_world, limit):
    """Safety 18: for the sake of its members; pages have a limit of their own."""
    services = sqlite_world.services
    idp = connect(services, app=make_site(services, USHER_SCIM__BODY_BYTES=f"{limit}"))
    group = json.dumps({"schemas": [GROUP], "displayName": "Sales"}).encode()
    for path in ("/Groups", "/Bulk"):
        assert f"{limit:,}" in refusal(idp("POST", path, raw=group.ljust(limit + 1)), 413)
    assert idp("POST", "/Groups", raw=group.ljust(limit)).status_code == 201
    config = idp("GET", "/ServiceProviderConfig").get_json(force=True)
    assert config["bulk"]["maxPayloadSize"] == limit


def test_every_limit_is_named_by_whoever_keeps_it(protocol):
    """Safety 18: an administrator reads what was too much, and how much is allowed."""
    ann = protocol.create("ann")
    path = f"/Users/{ann['id']}"
    many = [operation("replace", "title", "x")] * (MAX_OPERATIONS + 1)
    body = {"schemas": [PATCH], "Operations": many}
    assert f"limit is {MAX_OPERATIONS:,}" in refusal(protocol("PATCH", path, body), 413)
    deep = json.dumps({"x": nested(MAX_DEPTH)}).encode()
    assert f"{MAX_DEPTH}" in refusal(protocol("PUT", path, raw=deep), 400, "invalidSyntax")
    filter = f'userName eq "{"x" * MAX_FILTER}"'
    long = refusal(protocol.try_list(filter=filter), 400, "invalidFilter")
    assert f"limit is {MAX_FILTER:,}" in long
    protocol.delete(ann["id"])


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/xml", "application/x-www-form-urlencoded", "json"],
)
def test_another_type_is_refused(protocol, content_type):
    """415 names what to send."""
    detail = refusal(protocol("POST", "/Users", raw=ANN, Content_Type=content_type), 415)
    assert "application/scim+json" in detail


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/scim+json; charset=utf-8", "APPLICATION/JSON"],
)
def test_both_types_are_taken(protocol, content_type):
    answer = protocol("POST", "/Users", raw=ANN, Content_Type=content_type)
    assert answer.status_code == 201
    protocol.delete(answer.get_json(force=True)["id"])


@pytest.mark.parametrize("name", ["Operations", "operations", "OPERATIONS"])
def test_too_many_operations_are_refused(protocol, name):
    """Safety 18: as many as the limit are done, one more is 413; the name in any case."""
    ann = protocol.create("ann")
    operations = [operation("replace", "title", f"{n}") for n in range(MAX_OPERATIONS + 1)]
    path = f"/Users/{ann['id']}"
    refusal(protocol("PATCH", path, {"schemas": [PATCH], name: operations}), 413)
    assert protocol.get(ann["id"]) == ann
    done = protocol("PATCH", path, {"schemas": [PATCH], name: operations[1:]})
    assert done.get_json(force=True)["title"] == f"{MAX_OPERATIONS}"
    protocol.delete(ann["id"])


def test_what_is_nested_as_deep_as_allowed_is_taken(protocol):
    """The limit is a limit, and not less."""
    ann = protocol.create("ann", unknown=nested(MAX_DEPTH - 2))
    protocol.delete(ann["id"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"userName": None},
        {"userName": ""},
        {"userName": "   "},
        {"userName": 5},
        {"userName": ["ann"]},
        {"externalId": 5},
        {"active": "perhaps"},
        {"active": []},
        {"emails": "ann@corp.example"},
        {"emails": [{"value": f"{who}@b.example", "primary": True} for who in "ab"]},
        {"name": "Ann"},
        {"schemas": "x"},
        {ENTERPRISE: []},
    ],
    ids=str,
)
def test_a_user_that_is_none_is_refused(protocol, wrong):
    """400 invalidValue, in one line; posting and putting say the same."""
    ann = protocol.create("bob")
    body = user("ann") | wrong
    for method, path in (("POST", "/Users"), ("PUT", f"/Users/{ann['id']}")):
        assert "\n" not in refusal(protocol(method, path, body), 400, "invalidValue")
    assert protocol.list()["Resources"] == [ann]
    protocol.delete(ann["id"])


def test_another_schema_is_no_user(protocol):
    body = user("ann", schemas=["urn:ietf:params:scim:schemas:core:2.0:Group"])
    refusal(protocol("POST", "/Users", body), 400, "invalidSyntax")


def test_what_a_database_cannot_keep_is_refused_and_not_retried(idp):
    """Safety 18: PostgreSQL has no NUL and no endless index keys; that is 400, not 500 or 503."""
    ann = idp.create("ann")
    long = secrets.token_hex(LONGEST_KEY)
    for wrong in (
        {"userName": long},
        {"externalId": long},
        {"displayName": long},
        {ENTERPRISE: {"employeeNumber": long}},
        {"userName": "a\0b"},
        {"title": "a\0b"},
        {"nickName": "\\\0"},
    ):
        refusal(idp("POST", "/Users", user("bob") | wrong), 400, "invalidValue")
        refusal(idp("PUT", f"/Users/{ann['id']}", user("ann") | wrong), 400, "invalidValue")
    for name, value in (("userName", long), ("displayName", "a\0b")):
        refusal(idp.try_patch(ann["id"], operation("replace", name, value)), 400, "invalidValue")
    assert idp.list()["Resources"] == [ann]


def test_what_only_looks_like_nul_is_taken(idp):
    r"""The six characters \u0000 are a text like any other; so is a key of 1,000 bytes."""
    ann = idp.create("ann", title="\\u0000", nickName="\\\\u0000", displayName="ä" * 500)
    assert (ann["title"], ann["nickName"]) == ("\\u0000", "\\\\u0000")
    assert outcome(idp.get(ann["id"]))["state"] == "invited"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "", 404),
        ("POST", "", 404),
        ("GET", "/", 404),
        ("GET", "//Users", 404),
        ("GET", "/users", 404),
        ("GET", "/Users/a/b", 404),
        ("GET", "/Schemas/urn:nothing", 404),
        ("GET", "/ResourceTypes/Printer", 404),
        ("GET", "/Users/no-uuid", 404),
        ("DELETE", "/Users/no-uuid", 404),
        ("GET", "/Users/%00", 404),
        ("GET", "/Users/" + "9" * 5_000, 404),
        ("GET", "/Users/00000000-0000-4000-8000-000000000000", 404),
        ("DELETE", "/Users/00000000-0000-4000-8000-000000000000", 404),
        ("DELETE", "/Users", 405),
        ("PATCH", "/Users", 405),
        ("POST", "/Users/00000000-0000-4000-8000-000000000000", 405),
        ("TRACE", "/Users", 405),
        ("PROPFIND", "/Users/x", 405),
        ("POST", "/Schemas", 405),
        ("DELETE", "/ResourceTypes/User", 405),
        ("PUT", "/ServiceProviderConfig", 405),
        ("GET", "/Bulk", 405),
        ("GET", "/.search", 405),
        ("PUT", "/Groups", 405),
        ("GET", "/Me", 501),
        ("DELETE", "/Me", 501),
    ],
)
def test_what_is_not_there_is_said_in_scim(protocol, method, path, status):
    """404, 405 or 501 as a SCIM error; nowhere a redirect that would take the token along."""
    answer = protocol(method, path, user("ann") if method in ("POST", "PUT", "PATCH") else None)
    assert len(refusal(answer, status)) < 300
    assert "Location" not in answer.headers


def test_a_host_that_is_not_ours_is_refused_in_scim(protocol):
    """Safety 28: also for whoever has a token."""
    refusal(protocol("GET", "/Users", Host="evil.example"), 400)


def test_our_own_failure_is_a_sentence(protocol, monkeypatch):
    """500 without the reason: that is in the log."""

    def broken(*_args, **_kwargs):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("provisioning.services.scim_users.ScimUserService.create", broken)
    answer = protocol("POST", "/Users", user("ann"))
    assert "log says more" in refusal(answer, 500)
    assert "secret" not in answer.text
