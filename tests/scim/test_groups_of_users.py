"""What users show of the groups they are in, and groups of any size (RFC 7643 4.1.2, 4.2)."""

from __future__ import annotations

from tests.kit.scim_client import as_members, member_ids, operation


def groups_of(idp, person):
    """What a user's `groups` says, as name to kind."""
    return {ref["display"]: ref["type"] for ref in idp.get(person["id"]).get("groups", [])}


def test_users_show_their_groups_direct_and_indirect(idp, people):
    """RFC 7643 4.1.2: read-only, and true at once after every change."""
    ann, bob, _ = people
    sales = idp.group("Sales", ann)
    europe = idp.group("Europe", bob, sales)
    world = idp.group("World", europe)
    assert groups_of(idp, ann) == {"Sales": "direct", "Europe": "indirect", "World": "indirect"}
    assert groups_of(idp, bob) == {"Europe": "direct", "World": "indirect"}
    (listed,) = idp.find('userName eq "ann@corp.example"')
    assert {ref["value"] for ref in listed["groups"]} == {g["id"] for g in (sales, europe, world)}
    idp.patch_group(europe["id"], operation("replace", "displayName", "EMEA"))
    idp.patch_group(world["id"], operation("add", "members", as_members(ann)))
    assert groups_of(idp, ann) == {"Sales": "direct", "EMEA": "indirect", "World": "direct"}
    idp.patch_group(europe["id"], operation("remove", "members", as_members(sales)))
    assert groups_of(idp, ann) == {"Sales": "direct", "World": "direct"}


def test_groups_of_a_user_are_not_written(idp, people):
    """Okta sends the whole user back, its read-only parts included."""
    ann = people[0]
    idp.group("Sales", ann)
    whole = idp.get(ann["id"])
    whole["groups"] = [{"value": "7", "display": "Bosses"}]
    assert {ref["display"] for ref in idp.put(ann["id"], whole)["groups"]} == {"Sales"}


def test_a_hundred_thousand_members(idp, many_people):
    """Created, read, and changed by one member; nothing is lost on the way."""
    ids = many_people(100_000)
    sales = idp.group("All", *({"id": id_} for id_ in ids))
    assert member_ids(idp.get_group(sales["id"])) == set(ids)
    answer = idp.try_patch_group(sales["id"], operation("remove", "members", [{"value": ids[7]}]))
    assert answer.status_code == 204
    assert member_ids(idp.get_group(sales["id"])) == set(ids) - {ids[7]}
    assert idp.get(ids[7]).get("groups") is None
    assert groups_of(idp, {"id": ids[8]}) == {"All": "direct"}
