"""/Bulk: many operations, each done or refused on its own (RFC 7644 3.7)."""

from __future__ import annotations

import pytest

from provisioning.scim.limits import MAX_OPERATIONS
from tests.kit.scim_client import (
    BASE,
    ENTERPRISE,
    GROUP,
    member_ids,
    operation,
    outcome,
    refusal,
    taken,
    user,
)

REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"


def post(bulk_id, body, path="/Users"):
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": body}


def group(name, *refs):
    return {"schemas": [GROUP], "displayName": name, "members": [{"value": ref} for ref in refs]}


def bulk(idp, *operations, **more):
    """Send operations; returns their results, in order."""
    body = {"schemas": [REQUEST], "Operations": list(operations), **more}
    answered = taken(idp("POST", "/Bulk", body))
    assert answered["schemas"] == [RESPONSE]
    return answered["Operations"]


def statuses(results):
    return [result["status"] for result in results]


def id_of(result):
    return result["location"].rpartition("/")[2]


def test_every_method_has_its_result(idp):
    """Location, version and status of each, in the order of the request."""
    ann, bob = idp.create("ann"), idp.create("bob")
    cid, patched, put, gone = bulk(
        idp,
        post("c", user("cid")),
        {
            "method": "patch",
            "path": f"/Users/{ann['id']}",
            "data": {"Operations": [operation("replace", "title", "Chief")]},
        },
        {"method": "PUT", "path": f"Users/{bob['id']}", "data": user("bob", title="Clerk")},
        {"method": "DELETE", "path": f"/Users/{ann['id']}"},
    )
    assert (cid["method"], cid["bulkId"], cid["status"], cid["version"]) == (
        "POST", "c", "201", 'W/"1"',
    )  # fmt: skip
    assert cid["location"] == f"{BASE}/Users/{id_of(cid)}"
    assert (patched["status"], patched["location"]) == ("200", ann["meta"]["location"])
    assert (put["status"], put["version"]) == ("200", 'W/"2"')
    assert (gone["status"], gone["location"]) == ("204", ann["meta"]["location"])
    assert outcome(idp.get(id_of(cid)))["state"] == "invited"
    assert idp.get(bob["id"])["title"] == "Clerk"
    refusal(idp("GET", f"/Users/{ann['id']}"), 404)


def test_references_lead_back_and_forward(idp):
    """bulkId in members, in a manager, in a path; whoever is referred to is created first."""
    results = bulk(
        idp,
        post("g", group("Sales", "bulkId:a", "bulkId:b"), "/Groups"),
        post("a", user("ann", **{ENTERPRISE: {"manager": {"value": "bulkId:b"}}})),
        post("b", user("bob")),
        {
            "method": "PATCH",
            "path": "/Users/bulkId:b",
            "data": {"Operations": [operation("replace", "title", "Chief")]},
        },
    )
    assert statuses(results) == ["201", "201", "201", "200"]
    sales, ann, bob, _ = map(id_of, results)
    assert member_ids(idp.get_group(sales)) == {ann, bob}
    assert idp.get(ann)[ENTERPRISE]["manager"]["value"] == bob
    assert idp.get(bob)["title"] == "Chief"


def test_a_circle_is_closed_afterwards(idp):
    """RFC 7644 3.7.1: two who refer to each other are created, then completed."""

    def led_by(name, other):
        return user(name, **{ENTERPRISE: {"manager": {"value": f"bulkId:{other}"}}})

    results = bulk(idp, post("a", led_by("ann", "b")), post("b", led_by("bob", "a")))
    assert statuses(results) == ["201", "201"]
    ann, bob = map(id_of, results)
    assert idp.get(ann)[ENTERPRISE]["manager"]["value"] == bob
    assert idp.get(bob)[ENTERPRISE]["manager"]["value"] == ann


def test_groups_in_a_circle_are_refused_and_said(idp):
    """What cannot be completed is told with its reason; the other stays."""
    results = bulk(
        idp,
        post("a", group("A", "bulkId:b"), "/Groups"),
        post("b", group("B", "bulkId:a"), "/Groups"),
    )
    assert sorted(statuses(results)) == ["201", "400"]
    (refused,) = [result for result in results if result["status"] == "400"]
    assert "itself" in refused["response"]["detail"]
    assert refused["location"].startswith(f"{BASE}/Groups/")


def test_one_failure_stops_nobody_else(idp):
    """RFC 7644 3.7.3: each error is a SCIM error beside its operation."""
    idp.create("ann")
    results = bulk(
        idp,
        post("a", user("ann")),
        post("b", user("bob", **{ENTERPRISE: {"manager": {"value": "bulkId:a"}}})),
        post("c", user("cid")),
        {"method": "DELETE", "path": "/Users/00000000-0000-4000-8000-000000000000"},
        {"method": "PATCH", "path": "/Printers/7", "data": {"Operations": []}},
    )
    assert statuses(results) == ["409", "409", "201", "404", "400"]
    assert results[0]["response"]["scimType"] == "uniqueness"
    assert "location" not in results[0]
    assert "bulkId:a" in results[1]["response"]["detail"]
    assert idp.list()["totalResults"] == 2


def test_after_so_many_failures_the_rest_is_left(idp):
    """failOnErrors: what was not tried has no result."""
    idp.create("ann")
    twice = [post("a", user("ann")), post("b", user("ann")), post("c", user("cid"))]
    assert statuses(bulk(idp, *twice, failOnErrors=1)) == ["409"]
    assert statuses(bulk(idp, *twice, failOnErrors=2)) == ["409", "409"]
    assert statuses(bulk(idp, *twice, failOnErrors=3)) == ["409", "409", "201"]


def test_a_version_is_an_if_match(idp):
    ann = idp.create("ann")
    change = {"Operations": [operation("replace", "title", "Chief")]}
    stale, fresh = bulk(
        idp,
        {"method": "PATCH", "path": f"/Users/{ann['id']}", "version": 'W/"9"', "data": change},
        {"method": "PATCH", "path": f"/Users/{ann['id']}", "version": 'W/"1"', "data": change},
    )
    assert (stale["status"], fresh["status"], fresh["version"]) == ("412", "200", 'W/"2"')


@pytest.mark.parametrize(
    ("operations", "scim_type"),
    [
        ([], "invalidSyntax"),
        ("all", "invalidSyntax"),
        (["delete"], "invalidSyntax"),
        ([{"method": "GET", "path": "/Users"}], "invalidSyntax"),
        ([{"method": "POST", "bulkId": "a", "data": {}}], "invalidSyntax"),
        ([{"method": "POST", "path": "/Users", "bulkId": "a"}], "invalidSyntax"),
    ],
)
def test_what_is_no_bulk_request_does_nothing(idp, operations, scim_type):
    first = [post("z", user("zoe"))] if operations and operations != "all" else []
    body = {"Operations": first + operations if isinstance(operations, list) else operations}
    refusal(idp("POST", "/Bulk", body), 400, scim_type)
    assert idp.list()["totalResults"] == 0


@pytest.mark.parametrize("number", [0, -1, True, "1", 1.5])
def test_a_number_of_failures_has_to_be_one(idp, number):
    body = {"Operations": [post("a", user("ann"))], "failOnErrors": number}
    refusal(idp("POST", "/Bulk", body), 400, "invalidValue")
    assert idp.list()["totalResults"] == 0


def test_a_bulk_id_is_given_once(idp):
    """Nobody could tell whom it means."""
    results = bulk(idp, post("a", user("ann")), post("a", user("bob")), post(None, user("cid")))
    assert statuses(results) == ["400", "400", "400"]


def test_more_than_the_limit_is_refused(idp):
    body = {"Operations": [post(str(n), user("ann")) for n in range(MAX_OPERATIONS + 1)]}
    assert f"{MAX_OPERATIONS:,}" in refusal(idp("POST", "/Bulk", body), 413)
    assert idp.list()["totalResults"] == 0
