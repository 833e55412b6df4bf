"""One token, one source: another's people are neither seen nor touched, whatever is sent."""

from __future__ import annotations

import pytest

from tests.kit.scim_client import (
    ENTERPRISE,
    connect,
    employee_of,
    operation,
    outcome,
    refusal,
    user,
)


@pytest.fixture
def other(world, idp):
    """Another identity provider of the same intranet."""
    return connect(world.services, "other", app=idp.app)


def test_anothers_resource_does_not_exist(idp, other):
    """Safety 10: 404 for every method, and nothing of it in any list or filter."""
    ann, bob = idp.create("ann"), other.create("bob")
    path = f"/Users/{ann['id']}"
    for answer in (
        other("GET", path),
        other("PUT", path, user("ann")),
        other.try_patch(ann["id"], operation("replace", "active", False)),
        other("DELETE", path),
        other("DELETE", path, If_Match="*"),
        other("GET", path, If_None_Match=ann["meta"]["version"]),
    ):
        assert ann["userName"] not in refusal(answer, 404)
    assert other.list()["Resources"] == [bob]
    assert other.list()["totalResults"] == 1
    for wanted in (
        f'id eq "{ann["id"]}"',
        'userName eq "ann@corp.example"',
        'externalId eq "x-ann"',
        'displayName eq "Ann"',
        f'userName eq "ann@corp.example" or id eq "{ann["id"]}" or id eq "{bob["id"]}"',
    ):
        assert ann["id"] not in {found["id"] for found in other.find(wanted)}
    assert idp.get(ann["id"]) == ann
    assert idp.list()["Resources"] == [ann]


def test_anothers_id_in_a_body_means_nothing(world, idp, other):
    """Safety 10: ids, anchors and locations that are sent in are not looked at."""
    ann, bob = idp.create("ann"), other.create("bob")
    crafted = {
        "id": ann["id"],
        "meta": ann["meta"],
        "externalId": ann["id"],
        ENTERPRISE: {"manager": {"value": ann["id"]}},
    }
    eve = other.create("eve", **crafted)
    assert eve["id"] not in (ann["id"], bob["id"])
    assert employee_of(world.services, eve) != employee_of(world.services, ann)
    changed = other.put(bob["id"], user("bob", **(crafted | {"externalId": "b"})))
    assert changed["id"] == bob["id"]
    refusal(other.try_patch(bob["id"], operation("replace", "id", ann["id"])), 400, "mutability")
    assert other.patch(bob["id"], operation("add", None, {"externalId": "c"}))["id"] == bob["id"]
    assert idp.get(ann["id"]) == ann


def test_names_are_unique_within_a_source_only(world, idp, other):
    """Two sources may know the same person; a 409 would tell one about the other (P3)."""
    ann = idp.create("ann")
    twin = other.create("ann")
    assert outcome(twin)["state"] == "none"
    assert twin["id"] != ann["id"]
    assert world.states() == {"Ann": "invited"}


def test_a_past_resource_counts_within_its_source_only(world, idp, other):
    """P2: an externalId of one source is no evidence for another."""
    ann = idp.create("ann", userName="a1@corp.example", emails=None)
    world.accept("Ann")
    idp.delete(ann["id"])
    stranger = other.create("eve", externalId="x-ann")
    assert outcome(stranger)["state"] == "invited"
    assert employee_of(world.services, stranger) != employee_of(world.services, ann)
    assert world.states() == {"Ann": "dismissed", "Eve": "invited"}


def test_versions_and_totals_are_each_sources_own(idp, other):
    """The counters of two sources do not meet."""
    for name in ("ann", "bob", "cid"):
        idp.create(name)
    dan = other.create("dan")
    assert (idp.list(count=0)["totalResults"], other.list(count=0)["totalResults"]) == (3, 1)
    other.delete(dan["id"])
    assert (idp.list(count=0)["totalResults"], other.list(count=0)["totalResults"]) == (3, 0)
