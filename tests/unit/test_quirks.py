"""What vendors send, in the RFC's own form (each as it is written down somewhere)."""

from __future__ import annotations

import pytest

from provisioning.scim.custom import MAX_SCHEMAS, declared_data, patched_data
from provisioning.scim.quirks import normalise_patch, normalise_user, with_quotes
from provisioning.scim.urns import CORE, ENTERPRISE, EXTENSION, PATCH

OTHER = "urn:ietf:params:scim:schemas:extension:corp:2.0:User"
MANAGER = f"{ENTERPRISE}:manager"


def normal(*operations):
    """The operations of a PATCH in the RFC's form."""
    body = normalise_patch({"schemas": [PATCH], "Operations": list(operations)})
    assert body["schemas"] == [PATCH]
    return body["Operations"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, [CORE]),
        ([], [CORE]),
        ([CORE, ENTERPRISE], [CORE, ENTERPRISE]),
        ([CORE.upper()], [CORE.upper()]),
        (["urn:scim:schemas:core:2.0"], [CORE, "urn:scim:schemas:core:2.0"]),
        (["urn:ietf:params:scim:schemas:core:2.0:Group"],) * 2,
        ("text", "text"),
    ],
    ids=str,
)
def test_a_user_is_a_user_whatever_its_schemas_say(sent, kept):
    """OneLogin's template names schemas that never were; another type's is left to validation."""
    payload = {"userName": "ann"} | ({} if sent is None else {"schemas": sent})
    assert normalise_user(payload)["schemas"] == kept


def test_names_are_names_in_any_case():
    """RFC 7643 2.1: the extension, the manager and its value."""
    payload = {ENTERPRISE.upper(): {"Department": "IT", "Manager": {"Value": "7"}}}
    (enterprise,) = (value for key, value in normalise_user(payload).items() if key != "schemas")
    assert enterprise == {
        "Department": "IT",
        "Manager": {"value": "7", "$ref": "../Users/7"},
    }
    body = {"operations": [{"OP": "Replace", "Path": "title", "Value": "Chief"}], "id": "x"}
    assert normalise_patch(body) == {
        "schemas": [PATCH],
        "Operations": [{"op": "Replace", "path": "title", "value": "Chief"}],
    }


@pytest.mark.parametrize("path", ["manager", "Manager.value", MANAGER, f"{MANAGER}.value"])
def test_the_manager_has_one_path(path):
    """Entra's documented example leaves the schema away."""
    value = {"value": "7", "$ref": "../Users/7"}
    assert normal({"op": "Add", "path": path, "value": [{"$ref": "x", "value": "7"}]}) == [
        {"op": "Add", "path": MANAGER, "value": {**value, "$ref": "x"}}
    ]
    assert normal({"op": "Add", "value": {path: "7"}}) == [{"op": "Add", "value": {MANAGER: value}}]
    assert normal({"op": "Add", "path": path, "value": ""}) == [{"op": "remove", "path": MANAGER}]


@pytest.mark.parametrize(
    "path",
    [
        "schemas",
        "Schemas",
        "emails[type eq work].value",
        "emails[type eq work and primary eq true]",
        "members[value eq 7f4bc1a3-285e-48ae-8202-5accb43efb0e]",
        "members[value eq 12a]",
    ],
)
def test_what_lacks_its_quotes_is_ignored_and_so_are_schemas(path):
    """Which schemas a resource has follows from its attributes: none is lost by a list."""
    title = {"op": "replace", "path": "title", "value": "Chief"}
    assert normal({"op": "replace", "path": path, "value": "x"}, title) == [title]
    assert normal({"op": "replace", "value": {path: "x", "title": "Chief"}}) == [
        {"op": "replace", "value": {"title": "Chief"}}
    ]
    assert len(normal({"op": "remove", "path": path})) == 1, "an empty PATCH would be refused"


@pytest.mark.parametrize(
    "path",
    [
        'emails[type eq "work"].value',
        'emails[type eq "a b" and primary eq true].value',
        "emails[primary eq true].value",
        "emails[primary eq False]",
        "x[y eq null]",
        "x[y gt 12.5]",
        'emails[type co "eq work"]',
        'emails[type eq "work"',
        "emails[",
        "title",
    ],
)
def test_whatever_has_its_quotes_is_left_to_the_library(path):
    """RFC 7644 3.5.2: it is carried out, or refused with the keyword."""
    operation = {"op": "replace", "path": path, "value": "x"}
    assert normal(operation) == [operation]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("externalId eq jyoung", 'externalId eq "jyoung"'),
        ("userName EQ bob@corp.example", 'userName EQ "bob@corp.example"'),
        (f"{CORE}:userName sw Jürgen", f'{CORE}:userName sw "Jürgen"'),
        (
            "id eq 54D382A4-2050-4C03 and manager eq 2819c223-7f76",
            'id eq "54D382A4-2050-4C03" and manager eq "2819c223-7f76"',
        ),
        ("active eq true and userName eq andy", 'active eq true and userName eq "andy"'),
    ],
)
def test_a_compared_word_needs_no_quotes(sent, read):
    """Microsoft's documented look-ups have none, and authentik 2025.8 sent none."""
    assert with_quotes(sent) == read


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "userName",
        "userName pr",
        "active eq true",
        "title eq NULL",
        "employeeNumber eq 12",
        "employeeNumber eq -1.5",
        'title eq "x eq y"',
        'userName eq bob and title eq "Chief"',
        "userName eq bob and title pr",
        "userName eq bob or userName eq ann",
        "not (userName eq bob)",
        "emails[type eq work]",
        "userName eq Bob Smith",
        "userName eq 'bob'",
        "userName eq O'Brien",
        "userName eq bob\\",
        "userName eq and",
        "userName eq not",
        "userName eq\tbob",
        "meta.created gt 2026-11-23T08:00:00Z",
    ],
)
def test_what_has_a_quote_or_is_unclear_is_left_to_the_grammar(sent):
    """RFC 7644 3.4.2.2: it is read as it stands, or refused."""
    assert with_quotes(sent) == sent


def test_data_of_another_schema_is_kept_if_it_is_declared():
    """RFC 7643 3.3: by the resource itself; ours are none of it, and neither is what is null."""
    document = {
        "schemas": [CORE, OTHER.lower(), ENTERPRISE, EXTENSION, "urn:x:text", "urn:x:empty"],
        OTHER: {"a": 1, "b": None},
        "urn:x:not:declared": {"a": 1},
        "urn:x:text": "text",
        "urn:x:empty": {"a": None},
        ENTERPRISE: {"department": "IT"},
        EXTENSION: {"state": "active"},
    }
    assert declared_data(document) == {OTHER: {"a": 1}}
    assert declared_data({"schemas": None}) == {}


def test_a_schema_has_a_name_that_can_be_kept():
    """Safety 18: a stored document is spliced as text, and does not grow without end."""
    for urn in ("urn:x]y", 'urn:x"y', "urn:x y", f"urn:{'x' * 300}", "http://x.example"):
        assert declared_data({"schemas": [urn], urn: {"a": 1}}) == {}
    many = {f"urn:x:{number}": {"a": 1} for number in range(MAX_SCHEMAS + 1)}
    assert len(declared_data({"schemas": list(many), **many})) == MAX_SCHEMAS


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ({"op": "replace", "path": f"{OTHER}:a", "value": 2}, {"a": 2, "b": [1]}),
        ({"op": "add", "path": f"{OTHER.upper()}:c", "value": "x"}, {"a": 1, "b": [1], "c": "x"}),
        ({"op": "Remove", "path": f"{OTHER}:b"}, {"a": 1}),
        ({"op": "replace", "path": OTHER, "value": {"a": 2}}, {"a": 2, "b": [1]}),
        ({"op": "replace", "value": {OTHER: {"a": None}}}, {"b": [1]}),
        ({"op": "add", "value": {f"{OTHER}:a": 3, "title": "Chief"}}, {"a": 3, "b": [1]}),
        ({"op": "remove", "path": OTHER}, None),
        ({"op": "replace", "path": OTHER, "value": "text"}, {"a": 1, "b": [1]}),
        ({"op": "replace", "path": "title", "value": "Chief"}, {"a": 1, "b": [1]}),
        ({"op": "add", "path": "urn:x:other:a", "value": 1}, {"a": 1, "b": [1]}),
    ],
    ids=str,
)
def test_a_patch_changes_data_of_another_schema(operation, left):
    """RFC 7644 3.5.2, for whole attributes; what was there before is not touched."""
    before = {OTHER: {"a": 1, "b": [1]}}
    assert patched_data(before, [operation]) == ({OTHER: left} if left else {})
    assert before == {OTHER: {"a": 1, "b": [1]}}
