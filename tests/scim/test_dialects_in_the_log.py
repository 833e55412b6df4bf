"""What was understood although no RFC says so is in the log by its name, and what was ignored."""

from __future__ import annotations

import json

import pytest

from provisioning.services.ignored_report import ignored_attributes
from tests.kit.scim_client import (
    CORE,
    ENTERPRISE,
    GROUP,
    PATCH,
    operation,
    taken,
    user,
)

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
MANAGER = f"{ENTERPRISE}:manager"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def world(sqlite_world):
    """Words are understood before anything is stored."""
    return sqlite_world


QUIRKS = [
    (None, {"active": "True"}, "string_boolean"),
    (None, {"active": ""}, "empty_active"),
    (None, {"schemas": None}, "no_schemas"),
    (None, {ENTERPRISE: {"manager": "7"}}, "manager_as_string"),
    (None, {ENTERPRISE: {"manager": [{"value": "7", "$ref": "x"}]}}, "manager_as_list"),
    (None, {ENTERPRISE: {"manager": {"value": "7"}}}, "manager_without_reference"),
    (None, {"favouriteColour": "red"}, "unknown_attribute"),
    (operation("Replace", "title", "x"), {}, "op_case"),
    ({"op": "replace", "Path": "title", "value": "x"}, {}, "member_case"),
    (operation("replace", "title", "x"), {"id": "7"}, "patch_extras"),
    (operation("replace", "title", "x"), {"schemas": None}, "no_schemas"),
    (operation("replace", None, {"name.familyName": "x"}), {}, "dotted_path"),
    (operation("replace", None, {f"{ENTERPRISE}:department": "x"}), {}, "urn_path"),
    (operation("replace", None, {'emails[type eq "work"].value': "a@b.c"}), {}, "filter_path"),
    (operation("replace", "title", ""), {}, "replace_with_nothing_removes"),
    (operation("replace", None, {"title": None}), {}, "replace_with_nothing_removes"),
    (operation("add", "title", ""), {}, "add_of_nothing"),
    (operation("remove", "emails", [{"value": "x"}]), {}, "remove_with_value"),
    (operation("replace", "active", "False"), {}, "string_boolean"),
    (operation("replace", None, {"active": "False"}), {}, "string_boolean"),
    (operation("replace", f"{CORE}:active", ""), {},
     "empty_active replace_with_nothing_removes"),
    (operation("add", MANAGER, "7"), {}, "manager_as_string"),
    (operation("replace", "userName", "5a6f4c1e6f5b4f5e9a3e2f9f5f0b7a11ann@corp.example"), {},
     "tombstone_rename"),
    (operation("add", "favouriteColour", "x"), {}, "unknown_attribute"),
    (None, {"active": 1}, "string_boolean"),
    (None, {"emails": [{"value": "a@b.c", "primary": "True"}]}, "string_boolean"),
    (operation("replace", "emails", [{"value": "a@b.c", "primary": "true"}]), {},
     "string_boolean"),
    (operation("add", None, {"emails": [{"value": "a@b.c", "primary": "True"}]}), {},
     "string_boolean"),
    (operation("replace", 'emails[primary eq "True"].value', "a@b.c"), {}, "string_boolean"),
    (operation("replace", 'emails[type eq "work"].primary', "False"), {}, "string_boolean"),
    (operation("replace", "title", "x"), {"schemas": ["urn:x"]}, "no_schemas"),
    ({"op": "replace", "path": "title", "value": "x", "name": "y"}, {}, "patch_extras"),
    (operation("replace", " title ", "x"), {}, "padded_path"),
    (operation("add", "schemas", ["urn:x"]), {}, "schemas_in_patch"),
    (operation("add", None, {"schemas": ["urn:x"], "title": "x"}), {}, "schemas_in_patch"),
    (operation("add", "manager", {"value": "7", "$ref": "x"}), {}, "manager_without_schema"),
    (operation("add", None, {"manager": {"value": "7", "$ref": "x"}}), {},
     "manager_without_schema"),
    (operation("replace", "emails[type eq work].value", "a@b.c"), {}, "unreadable_path"),
    (operation("replace", 'emails[typ eq "work"].value', "a@b.c"), {}, "unreadable_path"),
    (operation("replace", 'emails[type eq "home"].value', "a@b.c"), {}, "filter_creates"),
    (operation("replace", 'emails[type eq "work"].value', "a@b.c"), {}, ""),
    (operation("remove", 'emails[type eq "home"]'), {}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "more", "quirk"), QUIRKS, ids=lambda value: str(value)[:40])
def test_each_dialect_is_called_by_its_name(idp, logged, patch, more, quirk):
    """What was understood although no RFC says so is told, and only that."""
    ann = idp.create("ann")
    (row,) = logged()
    assert row.quirks == ()
    if patch is None:
        idp("PUT", f"/Users/{ann['id']}", user("ann", **more))
    else:
        body = {"schemas": [PATCH], "Operations": [patch], **more}
        body = {name: value for name, value in body.items() if value is not None}
        idp("PATCH", f"/Users/{ann['id']}", body)
    row = logged()[0]
    assert set(row.quirks) == set(quirk.split()), row


OF_GROUPS = [
    (operation("Add", "members", [{"value": "BOB"}]), "ANN BOB", "op_case"),
    ({"OP": "add", "Path": "members", "value": [{"value": "BOB"}]}, "ANN BOB", "member_case"),
    ({"op": "add", "path": "members", "value": [{"value": "BOB"}], "id": "x"}, "ANN BOB",
     "patch_extras"),
    (operation("remove", " members", [{"value": "ANN"}]), "", "padded_path remove_with_value"),
    (operation("remove", "members", [{"value": "ANN"}]), "", "remove_with_value"),
    (operation("remove", "members", []), "ANN", "remove_with_value"),
    (operation("remove", "members", None), "ANN", "remove_with_value"),
    (operation("add", "members", {"value": "BOB"}), "ANN BOB", "single_member"),
    (operation("add", "members", "BOB"), "ANN BOB", "member_as_string"),
    (operation("add", "members", ["BOB"]), "ANN BOB", "member_as_string"),
    (operation("add", "members", None), "ANN", "add_of_nothing"),
    (operation("replace", "members", ""), "", "replace_with_nothing_removes"),
    (operation("add", "members", [{"value": "x"}]), "ANN", "unknown_member"),
    (operation("add", "members", [{"value": NOBODY}, {"value": "ANN"}]), "ANN", "unknown_member"),
    (operation("replace", "members", [{"value": NOBODY}]), "", "unknown_member"),
    (operation("add", "members", [{"value": "ANN"}]), "ANN", ""),
    (operation("add", 'members[value eq "BOB"]', [{"value": "BOB"}]), "ANN BOB", "add_to_filter"),
    (operation("replace", 'members[value eq "ANN"]', [{"value": "BOB"}]), "BOB", ""),
    (operation("replace", 'members[value eq "BOB"]', [{"value": "BOB"}]), "ANN BOB",
     "filter_creates"),
    (operation("remove", "members[value eq ANN]"), "", "unquoted_value"),
    (operation("remove", "members[value eq 12a]"), "ANN", "unquoted_value"),
    (operation("remove", "members[type eq User and value eq ANN]"), "", "unquoted_value"),
    (operation("replace", "members[value eq ANN]", [{"value": "BOB"}]), "BOB", "unquoted_value"),
    (operation("replace", 'members[value eq "ANN"].display', "A"), "ANN", "read_only_part"),
    (operation("replace", None, {"id": "x", "displayName": "sales"}), "ANN", "read_only_part"),
    (operation("add", "schemas", ["urn:x"]), "ANN", "schemas_in_patch"),
    (operation("add", None, {"schemas": ["urn:x"], "members": [{"value": "BOB"}]}), "ANN BOB",
     "schemas_in_patch"),
    (operation("add", None, {f"{GROUP}:members": [{"value": "BOB"}]}), "ANN BOB", "urn_path"),
    (operation("add", None, {"members.value": "BOB"}), "ANN BOB", "dotted_path member_as_string"),
    (operation("replace", None, {'members[value eq "ANN"]': [{"value": "BOB"}]}), "BOB",
     "filter_path"),
    (operation("replace", "colour", "red"), "ANN", "unknown_attribute"),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "left", "quirk"), OF_GROUPS, ids=lambda value: str(value)[:60])
def test_each_dialect_of_groups_is_understood_and_called_by_its_name(
    idp, logged, patch, left, quirk
):
    """RFC 7644 3.5.2: nobody is lost in a dialect, and the log tells which one it was."""
    ids = {name.upper(): idp.create(name)["id"] for name in ("ann", "bob")}

    def known(text):
        for name, id_ in ids.items():
            text = text.replace(name, id_)
        return json.loads(text)

    members = [{"value": ids["ANN"]}]
    group = {"schemas": [GROUP], "displayName": "sales", "members": members}
    made = taken(idp("POST", "/Groups", group), 201)
    patch = known(json.dumps(patch))
    answer = idp("PATCH", f"/Groups/{made['id']}", {"schemas": [PATCH], "Operations": [patch]})
    now = {member["value"] for member in taken(answer)["members"]}
    assert now == {ids[name] for name in left.split()}
    row, first, *_ = logged()
    assert (list(first.quirks), set(row.quirks)) == ([], set(quirk.split())), row


@pytest.mark.parametrize(
    "filter_",
    [
        "value eq true",
        "value eq 12",
        "value eq 'ANN'",
        "value eq ANN or x",
        "value eq",
        'valeu eq "ANN"',
        "value",
        "",
    ],
)
def test_a_filter_on_members_that_means_nothing_certain_is_refused(idp, filter_):
    """400: whoever was to leave must not seem to have left."""
    ann = idp.create("ann")
    members = [{"value": ann["id"]}]
    group = {"schemas": [GROUP], "displayName": "sales", "members": members}
    made = taken(idp("POST", "/Groups", group), 201)
    path = f"members[{filter_.replace('ANN', ann['id'])}]"
    body = {"schemas": [PATCH], "Operations": [operation("remove", path)]}
    taken(idp("PATCH", f"/Groups/{made['id']}", body), 400)
    assert len(idp("GET", f"/Groups/{made['id']}").json["members"]) == 1


def test_members_who_are_unknown_are_told_when_a_group_is_made_or_put(idp, logged):
    """What is left out of the answer is told in the log."""
    ann = idp.create("ann")
    members = [{"value": ann["id"]}, {"value": NOBODY}]
    group = {"schemas": [GROUP], "displayName": "sales", "members": members}
    made = taken(idp("POST", "/Groups", group), 201)
    taken(idp("PUT", f"/Groups/{made['id']}", group))
    taken(idp("PUT", f"/Groups/{made['id']}", group | {"members": members[:1]}))
    assert [list(row.quirks) for row in logged()[:3]] == [
        [], ["unknown_member"], ["unknown_member"],
    ]  # fmt: skip


def test_a_token_without_bearer_is_a_quirk(idp, logged):
    """Okta's header mode sends it bare."""
    taken(idp("GET", "/Users", Authorization=idp.token))
    (row,) = logged()
    assert list(row.quirks) == ["bare_token"]


def test_a_word_without_quotes_is_a_quirk_each_time(idp, logged):
    """A filter that was read before is noticed again."""
    asked = ["userName eq ann", "userName eq ann", 'userName eq "ann"', "active eq true"]
    for wanted in asked:
        assert idp.find(wanted) == []
    assert [list(row.quirks) for row in logged()] == [[], [], *[["unquoted_value"]] * 2]


def test_quirks_of_one_request_are_not_the_next_ones(idp, logged):
    """Each row tells of its own request, in whatever thread it was answered."""
    ann = idp.create("ann", active="True")
    idp.get(ann["id"])
    plain, quirky = logged()
    assert (list(plain.quirks), list(quirky.quirks)) == ([], ["string_boolean"])


def test_what_is_ignored_is_called_by_its_path(world, idp, logged):
    """Attributes, sub-attributes and foreign extensions that no schema here has."""
    ann = idp.create(
        "ann",
        favouriteColour="red",
        name={"givenName": "Ann", "nick": "A"},
        emails=[{"value": "ann@corp.example", "verified": True}],
        password="x",
        groups=[],
        meta={},
        **{"urn:corp:2.0:User": {"badge": "7"}, ENTERPRISE: {"division": "x", "floor": "3"}},
    )
    idp.patch(
        ann["id"],
        operation("add", "shoeSize", "43"),
        operation("add", "Name.NickName", "A"),
        operation("add", 'emails[type eq "work"].score', "1"),
        operation("replace", None, {"title": "x", f"{ENTERPRISE}:desk": "7", "DISPLAYNAME": "A"}),
        operation("replace", "urn:corp:2.0:User:badge", "8"),
        operation("replace", f"{CORE}:title", "y"),
    )
    patched, posted = logged()
    assert set(posted.unknown) == {
        "favouriteColour",
        "name.nick",
        "emails.verified",
        "urn:corp:2.0:User:badge",
        f"{ENTERPRISE}:floor",
    }
    assert set(patched.unknown) == {
        "shoeSize",
        "Name.NickName",
        "emails.score",
        f"{ENTERPRISE}:desk",
        "urn:corp:2.0:User:badge",
    }
    found = {each.name: each.requests for each in ignored_attributes(world.services.context, "idp")}
    assert found["urn:corp:2.0:User:badge"] == 2
    assert found["shoeSize"] == 1


def test_what_a_client_sends_back_of_ours_is_not_unknown(idp, logged):
    """PUT of what GET answered, read-only parts and all."""
    ann = idp.create("ann", **{ENTERPRISE: {"manager": {"value": "7", "$ref": "../Users/7"}}})
    idp.put(ann["id"], idp.get(ann["id"]))
    assert [list(row.unknown) for row in logged()] == [[], [], []]


def test_data_of_a_declared_schema_is_kept_and_not_called_ignored(idp, logged):
    """RFC 7643 3.3: what is given back is not unknown, when it comes and when it is patched."""
    urn = "urn:corp:2.0:User"
    ann = idp.create("ann", schemas=[CORE, urn], **{urn: {"badge": "7"}, "urn:x:y:User": {"a": 1}})
    idp.patch(ann["id"], operation("replace", f"{urn}:badge", "8"), operation("add", "shoe", "43"))
    assert idp.get(ann["id"])[urn] == {"badge": "8"}
    _, patched, posted = logged()
    assert (list(posted.unknown), list(patched.unknown)) == (["urn:x:y:User:a"], ["shoe"])


def test_groups_and_operations_of_a_bulk_are_looked_at_too(idp, logged):
    """Their schemas and paths are their own; a search is no resource."""
    idp("POST", "/Groups", {"schemas": [GROUP], "displayName": "x", "colour": "red"})
    data = user("ann", shoeSize="43", password="x")
    operations = [{"method": "POST", "path": "/Users", "bulkId": "a", "data": data}]
    idp("POST", "/Bulk", {"schemas": [BULK], "Operations": operations})
    idp("POST", "/Users/.search", {"schemas": [], "filter": 'userName eq "ann"', "startIndex": 1})
    search, bulk, group = logged()
    assert (list(search.unknown), list(group.unknown)) == ([], ["colour"])
    assert set(bulk.unknown) == {"shoeSize"}
    assert bulk.scim_user_id is None
    assert group.scim_group_id is not None
