"""Our own extension: a mailbox that a source may write, and facts for who asks for them."""

from __future__ import annotations

import pytest

from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.scim_client import CORE, OURS, employee_of, operation, outcome, refusal, taken, user

MINE = "Ann@Mail.Example"
OTHER = "anna@mail.example"
FACTS = {
    "state": "active",
    "reason": "no_seat",
    "because": "I say so",
    "waitingPosition": 1,
    "login": "evil@evil.example",
    "contactEmail": "evil@evil.example",
    "findings": ["orphan"],
    "invitedAt": "2026-11-23T08:00:00Z",
    "acceptedAt": "2026-11-23T08:00:00Z",
    "dismissedAt": "2026-11-23T08:00:00Z",
}


def mailbox_of(idp, resource):
    """What the registry has of it."""
    with idp.services.context.database.read() as session:
        return session.get_one(EmployeeRecord, employee_of(idp.services, resource)).mailbox


def test_what_became_of_somebody_is_told_who_asks(idp):
    """RFC 7643 7, `returned` is "request": whole or in part, in every answer; else nothing."""
    body = user("ann")
    made = taken(idp("POST", f"/Users?attributes={OURS}:state", body), 201)
    assert made == {"schemas": [CORE, OURS], "id": made["id"], OURS: {"state": "invited"}}
    path = f"/Users/{made['id']}"
    lookup = {"filter": 'userName eq "ann@corp.example"'}
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], **lookup}
    silent = [
        idp.get(made["id"]),
        idp.put(made["id"], body),
        idp.patch(made["id"], operation("replace", "title", "Chief")),
        *idp.list()["Resources"],
        *idp.list(**lookup)["Resources"],
        *taken(idp("POST", "/Users/.search", search))["Resources"],
        taken(idp("GET", f"{path}?excludedAttributes=title")),
    ]
    assert [(one["schemas"], one.get(OURS)) for one in silent] == [([CORE], None)] * 7
    told = [
        taken(idp("GET", f"{path}?attributes={OURS.lower()}:BECAUSE,userName")),
        *idp.list(**lookup, attributes=f"userName,{OURS}:because")["Resources"],
        *taken(
            idp("POST", "/Users/.search", {**search, "attributes": ["userName", f"{OURS}:because"]})
        )["Resources"],
    ]
    because = outcome(silent[0])["because"]
    assert "I1" in because
    assert [one[OURS] for one in told] == [{"because": because}] * 3
    assert {one["userName"] for one in told} == {"ann@corp.example"}


@pytest.mark.parametrize("op", ["add", "replace"])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (OURS, {"mailbox": OTHER}),
        (OURS.upper(), {"MAILBOX": OTHER}),
        (f"{OURS}:mailbox", OTHER),
        (None, {OURS: {"mailbox": OTHER}}),
        (None, {f"{OURS}:mailbox": OTHER}),
    ],
)
def test_a_source_says_what_the_mailbox_is(idp, op, path, value):
    """E1, P6: posted and patched, it is answered as it was sent, and is the employee's."""
    ann = idp.create("ann", **{OURS: {"mailbox": MINE}})
    assert ann["schemas"] == [CORE, OURS]
    assert ann[OURS] == {"mailbox": MINE}
    assert mailbox_of(idp, ann) == MINE
    ann = idp.patch(ann["id"], operation(op, path, value))
    assert ann[OURS] == {"mailbox": OTHER}
    assert ann == idp.get(ann["id"])
    assert mailbox_of(idp, ann) == OTHER
    assert idp.find(f'{OURS}:mailbox eq "ANNA@mail.example"') == [ann]
    assert outcome(ann)["mailbox"] == OTHER


@pytest.mark.parametrize(
    "said",
    [
        operation("remove", OURS),
        operation("remove", f"{OURS}:mailbox"),
        operation("replace", f"{OURS}:mailbox", ""),
        None,
    ],
    ids=str,
)
def test_a_mailbox_is_taken_back(idp, said):
    """P6, RFC 7644 3.5.2.2, 3.5.1: removed, or left out of a PUT; the extension goes with it."""
    ann = idp.create("ann", **{OURS: {"mailbox": MINE}})
    ann = idp.patch(ann["id"], said) if said else idp.put(ann["id"], user("ann"))
    assert OURS not in ann
    assert ann["schemas"] == [CORE]
    assert mailbox_of(idp, ann) is None
    assert idp.find(f"{OURS}:mailbox pr") == []


def test_a_mailbox_that_is_no_address_is_kept_and_not_used(idp):
    """E1: unknown is shown as unknown; what the client said is given back all the same."""
    ann = idp.create("ann", **{OURS: {"mailbox": "on floor 3"}})
    assert ann[OURS] == {"mailbox": "on floor 3"}
    assert mailbox_of(idp, ann) is None


def test_a_mailbox_that_is_another_address_is_a_finding(world, idp):
    """E3: a source over SCIM is compared like any other."""
    ann = idp.create("ann", **{OURS: {"mailbox": OTHER}})
    assert outcome(ann)["findings"] == ["mailbox_differs"]
    assert "findings" not in outcome(idp.patch(ann["id"], operation("remove", OURS)))


@pytest.fixture
def ann(protocol):
    """Somebody with a mailbox; taken away afterwards."""
    created = protocol.create("ann", **{OURS: {"mailbox": MINE}})
    yield created
    protocol.delete(created["id"])


@pytest.mark.parametrize(
    "said",
    [
        said
        for name, value in FACTS.items()
        for said in (
            operation("add", f"{OURS}:{name}", value),
            operation("replace", f"{OURS.lower()}:{name.upper()}", value),
            operation("remove", f"{OURS}:{name}"),
            operation("add", OURS, {name: value}),
            operation("replace", OURS, {"mailbox": OTHER, name: value}),
            operation("replace", None, {OURS: {"mailbox": OTHER, name: value}}),
            operation("add", None, {f"{OURS}:{name}": value}),
        )
    ],
    ids=str,
)
def test_a_fact_is_nobodys_to_patch(protocol, ann, said):
    """RFC 7644 3.5.2, 3.12: 400 mutability, and nothing of the request is kept."""
    told = outcome(ann)
    title = operation("replace", "title", "Chief")
    refusal(protocol.try_patch(ann["id"], title, said), 400, "mutability")
    assert protocol.get(ann["id"]) == ann
    assert outcome(ann) == told


def test_facts_that_are_put_back_are_ignored(idp):
    """RFC 7644 3.3, 3.5.1: readOnly attributes of a POST and a PUT mean nothing."""
    lies = {OURS: {"mailbox": MINE, **FACTS}}
    ann = idp.create("ann", **lies)
    assert ann[OURS] == {"mailbox": MINE}
    told = outcome(ann)
    assert (told["state"], told["contactEmail"]) == ("invited", "ann@corp.example")
    assert told.keys().isdisjoint({"login", "acceptedAt", "dismissedAt", "waitingPosition"})
    assert idp.put(ann["id"], user("ann", **lies)) == ann
    assert idp.put(ann["id"], ann | {OURS: told}) == ann
    assert outcome(ann) == told
