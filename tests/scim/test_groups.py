"""Groups: departments and teams of a source, their members as rows (RFC 7644 3, RFC 7643 4.2)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.kit.scim_client import (
    BASE,
    GROUP,
    as_members,
    connect,
    member_ids,
    operation,
    refusal,
    taken,
)


def test_a_group_is_answered_as_it_was_sent(idp, people):
    """201 with Location and ETag; members with their kind and where they live."""
    ann, bob, _ = people
    sales = idp.group("Sales", ann, bob, externalId="g-1")
    assert (sales["displayName"], sales["externalId"]) == ("Sales", "g-1")
    assert sales["schemas"] == [GROUP]
    assert sales["meta"]["location"] == f"{BASE}/Groups/{sales['id']}"
    assert sorted(sales["members"], key=lambda member: member["value"]) == sorted(
        (
            {"value": one["id"], "$ref": f"{BASE}/Users/{one['id']}", "type": "User"}
            for one in (ann, bob)
        ),
        key=lambda member: member["value"],
    )
    answer = idp("GET", f"/Groups/{sales['id']}")
    assert taken(answer) == sales
    assert answer.headers["ETag"] == sales["meta"]["version"] == 'W/"1"'


def test_an_empty_group_has_an_empty_list(idp):
    """authentik reads `members` of every group."""
    assert idp.group("Sales")["members"] == []


def test_members_are_looked_up_only_when_wanted(idp, people):
    """RFC 7644 3.9; Entra asks with excludedAttributes=members."""
    sales = idp.group("Sales", *people)
    assert "members" not in idp.get_group(sales["id"], "?excludedAttributes=members")
    assert idp.get_group(sales["id"], "?attributes=displayName").keys() == {
        "schemas", "id", "displayName",
    }  # fmt: skip
    assert len(idp.get_group(sales["id"], "?attributes=members")["members"]) == 3
    listed = taken(idp("GET", "/Groups?excludedAttributes=members"))
    assert ["members" in group for group in listed["Resources"]] == [False]


@pytest.mark.parametrize(
    "name",
    [
        {"displayName": None},
        {"displayName": ""},
        {"displayName": "  "},
        {"displayName": "x" * 1001},
    ],
)
def test_a_group_needs_a_name(idp, name):
    refusal(idp("POST", "/Groups", {"schemas": [GROUP], **name}), 400, "invalidValue")
    assert taken(idp("GET", "/Groups"))["totalResults"] == 0


def test_an_external_id_is_given_once(idp):
    """409 names the group that has it; two groups may have one name, as in Entra."""
    sales = idp.group("Sales", externalId="g-1")
    body = {"schemas": [GROUP], "displayName": "Sales", "externalId": "g-1"}
    assert sales["id"] in refusal(idp("POST", "/Groups", body), 409, "uniqueness")
    other = idp.group("Sales", externalId="g-2")
    change = operation("replace", "externalId", "g-1")
    refusal(idp.try_patch_group(other["id"], change), 409, "uniqueness")


def test_groups_of_another_source_do_not_exist(idp, people):
    """A token sees its own source's resources only, as members too."""
    sales = idp.group("Sales", *people)
    other = connect(idp.services, "other", app=idp.app)
    path = f"/Groups/{sales['id']}"
    body = {"schemas": [GROUP], "displayName": "Mine"}
    change = {"Operations": [operation("add", "members", [{"value": people[0]["id"]}])]}
    for method, sent in (("GET", None), ("PUT", body), ("PATCH", change), ("DELETE", None)):
        refusal(other(method, path, sent), 404)
    assert taken(other("GET", "/Groups"))["totalResults"] == 0
    mine = other.group("Mine", people[0], sales)
    assert mine["members"] == []
    assert idp.get_group(sales["id"]) == sales


def test_unknown_members_are_left_out(idp, people):
    """The meanings table: adding an unknown member is ignored, and the known ones are added."""
    ann, bob, _ = people
    sales = idp.group("Sales", ann, {"id": str(uuid4())})
    assert member_ids(sales) == {ann["id"]}
    added = [{"value": str(uuid4())}, {"value": "nobody"}, {"value": bob["id"]}]
    sales = idp.patch_group(sales["id"], operation("add", "members", added))
    assert member_ids(sales) == {ann["id"], bob["id"]}


def patched(idp, group, people, *operations):
    """The names of those who are members after operations that may name people."""
    names = {one["id"]: one["displayName"] for one in people}
    after = idp.patch_group(group["id"], *operations)
    assert idp.get_group(group["id"]) == after
    return sorted(names[id_] for id_ in member_ids(after))


def test_members_come_and_go_in_every_form(idp, people):
    """RFC 7644 3.5.2, and what Entra, Okta and authentik send instead."""
    ann, bob, cid = people
    sales = idp.group("Sales", ann)
    change = (idp, sales, people)
    by_id = f'members[value eq "{ann["id"]}"]'
    assert patched(*change, operation("Add", "members", as_members(bob))) == ["Ann", "Bob"]
    assert patched(*change, operation("add", None, {"members": as_members(cid)})) == [
        "Ann",
        "Bob",
        "Cid",
    ]
    assert patched(*change, operation("remove", by_id)) == ["Bob", "Cid"]
    assert patched(*change, operation("Remove", "members", as_members(bob))) == ["Cid"]
    assert patched(*change, operation("add", "members", as_members(ann)[0])) == ["Ann", "Cid"]
    assert patched(*change, operation("replace", "members", as_members(bob))) == ["Bob"]
    assert patched(*change, operation("replace", None, {"members": as_members(ann, cid)})) == [
        "Ann", "Cid",
    ]  # fmt: skip
    assert patched(*change, operation("add", f"{GROUP}:members", as_members(bob))) == [
        "Ann", "Bob", "Cid",
    ]  # fmt: skip
    either = f'members[value eq "{ann["id"]}" or value eq "{bob["id"]}"]'
    assert patched(*change, operation("remove", either)) == ["Cid"]
    assert patched(*change, operation("remove", "members", [])) == ["Cid"]
    assert patched(*change, operation("remove", "members")) == []


def test_operations_are_done_in_their_order(idp, people):
    """Okta removes and adds in one request."""
    ann, bob, cid = people
    sales = idp.group("Sales", ann, bob)
    assert patched(
        idp, sales, people,
        operation("remove", f'members[value eq "{ann["id"]}"]'),
        operation("add", "members", as_members(cid, ann)),
        operation("remove", "members", as_members(ann)),
        operation("replace", "displayName", "Sellers"),
    ) == ["Bob", "Cid"]  # fmt: skip
    assert idp.get_group(sales["id"])["displayName"] == "Sellers"


def test_all_operations_are_done_or_none(idp, people):
    """RFC 7644 3.5.2: atomic."""
    ann, bob, _ = people
    sales = idp.group("Sales", ann)
    answer = idp.try_patch_group(
        sales["id"],
        operation("add", "members", as_members(bob)),
        operation("remove", "displayName"),
    )
    assert answer.status_code == 400
    assert idp.get_group(sales["id"]) == sales


@pytest.mark.parametrize(
    ("change", "scim_type"),
    [
        (operation("move", "members", []), "invalidSyntax"),
        (operation("add", "members", [7]), "invalidValue"),
        (operation("add", "members", [{"display": "Ann"}]), "invalidValue"),
        (operation("remove", 'members[value co "a"]'), "invalidFilter"),
        (operation("remove", "members[value eq"), "invalidPath"),
        (operation("replace", "displayName", ""), "invalidValue"),
        ("add", "invalidSyntax"),
    ],
)
def test_what_is_not_understood_changes_nothing(idp, people, change, scim_type):
    sales = idp.group("Sales", *people)
    refusal(idp.try_patch_group(sales["id"], change), 400, scim_type)
    refusal(idp.try_patch_group(sales["id"]), 400, "invalidSyntax")
    assert idp.get_group(sales["id"]) == sales


def test_put_replaces_the_whole_group(idp, people):
    """RFC 7644 3.5.1: what is left out is cleared; canaille's last member leaves like that."""
    ann, bob, _ = people
    sales = idp.group("Sales", ann, externalId="g-1")
    path = f"/Groups/{sales['id']}"
    body = {"schemas": [GROUP], "displayName": "Sellers"}
    renamed = taken(idp("PUT", path, {**body, "members": as_members(ann)}))
    assert (renamed["displayName"], "externalId" in renamed) == ("Sellers", False)
    assert member_ids(renamed) == {ann["id"]}
    assert member_ids(taken(idp("PUT", path, {**body, "members": as_members(bob)}))) == {bob["id"]}
    assert taken(idp("PUT", path, body))["members"] == []


def test_the_version_counts_changes_only(idp, people):
    """A write that changes nothing leaves ETag and time (RFC 7644 3.14)."""
    ann, bob, _ = people
    sales = idp.group("Sales", ann)
    assert idp.patch_group(sales["id"], operation("add", "members", as_members(ann))) == sales
    assert idp.patch_group(sales["id"], operation("remove", "members", as_members(bob))) == sales
    changed = idp.patch_group(sales["id"], operation("add", "members", as_members(bob)))
    assert changed["meta"]["version"] == 'W/"2"'
    stale = idp.try_patch_group(
        sales["id"], operation("remove", "members", as_members(bob)), If_Match='W/"1"'
    )
    refusal(stale, 412)
    refusal(idp("DELETE", f"/Groups/{sales['id']}", If_Match='W/"1"'), 412)
    assert idp("GET", f"/Groups/{sales['id']}", If_None_Match='W/"2"').status_code == 304
    assert idp.get_group(sales["id"]) == changed


def test_a_deleted_group_is_gone_and_its_members_stay(idp, people):
    sales, all_ = idp.group("Sales", *people), idp.group("All")
    idp.patch_group(all_["id"], operation("add", "members", as_members(sales)))
    assert idp("DELETE", f"/Groups/{sales['id']}").status_code == 204
    refusal(idp("GET", f"/Groups/{sales['id']}"), 404)
    refusal(idp("DELETE", f"/Groups/{sales['id']}"), 404)
    left = idp.get_group(all_["id"])
    assert (left["members"], left["meta"]["version"]) == ([], 'W/"3"')
    assert taken(idp("GET", "/Groups"))["totalResults"] == 1
    assert all(idp.get(one["id"])["active"] for one in people)


def test_a_deleted_user_is_gone_from_groups(idp, people):
    """The meanings table: DELETE hides, and the group has a new version."""
    ann, bob, _ = people
    sales = idp.group("Sales", ann, bob)
    idp.delete(ann["id"])
    after = idp.get_group(sales["id"])
    assert (member_ids(after), after["meta"]["version"]) == ({bob["id"]}, 'W/"2"')
    again = idp.patch_group(sales["id"], operation("add", "members", as_members(ann)))
    assert member_ids(again) == {bob["id"]}


def test_a_dismissed_user_stays_a_member(idp, people):
    """`active: false` hides nothing."""
    sales = idp.group("Sales", *people)
    idp.activate(people[0]["id"], False)
    assert len(idp.get_group(sales["id"])["members"]) == 3


def test_a_group_never_contains_itself(idp):
    """However long the way around; nothing of the request is done."""
    first, second, third = (idp.group(name) for name in ("A", "B", "C"))
    add = operation("add", "members", as_members(first))
    assert "itself" in refusal(idp.try_patch_group(first["id"], add), 400, "invalidValue")
    idp.patch_group(first["id"], operation("add", "members", as_members(second)))
    idp.patch_group(second["id"], operation("add", "members", as_members(third)))
    before = idp.get_group(third["id"])
    refusal(idp.try_patch_group(third["id"], add), 400, "invalidValue")
    assert idp.get_group(third["id"]) == before


def test_a_large_group_is_changed_without_being_answered(idp, people, monkeypatch):
    """204 above the limit, unless attributes are asked for (RFC 7644 3.5.2)."""
    monkeypatch.setattr("provisioning.scim.groups.SHOWN_MEMBERS", 2)
    ann, bob, cid = people
    sales = idp.group("Sales", ann)
    assert idp.patch_group(sales["id"], operation("add", "members", as_members(bob)))
    answer = idp.try_patch_group(sales["id"], operation("add", "members", as_members(cid)))
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (204, b"", 'W/"3"')
    asked = idp(
        "PATCH",
        f"/Groups/{sales['id']}?attributes=displayName",
        {"Operations": [operation("replace", "displayName", "Sellers")]},
    )
    assert taken(asked)["displayName"] == "Sellers"
