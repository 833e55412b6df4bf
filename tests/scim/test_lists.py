"""Lists: filters, pages and projections (RFC 7644 3.4.2, 3.9)."""

from __future__ import annotations

import pytest

from provisioning.scim.limits import MAX_COUNT
from tests.kit.scim_client import CORE, ENTERPRISE, OURS, outcome, refusal, taken, user

ANN = 'userName eq "ann@corp.example"'


@pytest.fixture
def three(idp):
    """Three people in the order they came."""
    return [idp.create(name) for name in ("ann", "bob", "cid")]


def names(resources):
    return [resource["userName"].partition("@")[0] for resource in resources]


FOUND = [
    (ANN, ["ann"]),
    ('userName eq "ANN@Corp.Example"', ["ann"]),
    ('USERNAME EQ "ann@corp.example"', ["ann"]),
    (f'{CORE}:userName eq "ann@corp.example"', ["ann"]),
    ('userName eq "ann"', []),
    ('userName eq "%"', []),
    ('userName eq "ann_corp.example"', []),
    ('userName eq "\' OR 1=1 --"', []),
    ('externalId eq "x-bob"', ["bob"]),
    ('externalId eq "X-BOB"', []),
    ('displayName eq "cid"', ["cid"]),
    ('id eq "no-uuid"', []),
    (f'{ANN} or externalId eq "x-cid"', ["ann", "cid"]),
    (f'{ANN} and externalId eq "x-ann"', ["ann"]),
    (f'{ANN} and externalId eq "x-cid"', []),
    (f'({ANN} or externalId eq "x-cid") and displayName eq "Cid"', ["cid"]),
]


def test_a_filter_finds_whom_it_names(idp, three):
    """userName and displayName in any case, externalId to the letter (RFC 7643 3.1)."""
    for wanted, found in FOUND:
        page = idp.list(filter=wanted)
        assert names(page["Resources"]) == found, wanted
        assert (page["totalResults"], page["itemsPerPage"]) == (len(found), len(found))


def test_an_id_finds_its_resource(idp, three):
    assert idp.find(f'id eq "{three[1]["id"]}"') == [three[1]]


REFUSED = [
    "",
    "  ",
    "userName",
    "userName eq",
    "userName eq Ann Weber",
    "userName eq 'ann'",
    "userName eq ann or title pr",
    'userName eq ann and title eq "Chief"',
    "((((",
    "(" * 2_000,
    "userName eq 5",
    r'userName eq "\u0000"',
    r'userName eq "\ud800"',
    f'{ENTERPRISE}:userName eq "x"',
    'name.userName eq "x"',
    'userName.value eq "x"',
    'shoeSize eq "42"',
    f'{ANN} and shoeSize eq "42"',
    " or ".join([ANN] * 120),
]


def test_what_cannot_be_evaluated_is_refused(idp):
    """Never everyone and never an empty list: 400 invalidFilter, on either database."""
    idp.create("ann")
    for wanted in REFUSED:
        detail = refusal(idp.try_list(filter=wanted), 400, "invalidFilter")
        assert wanted.strip() or "leave it out" in detail


def test_pages_cover_everyone_once_in_a_stable_order(idp):
    """RFC 7644 3.4.2.4: 1-based; changes do not move anybody."""
    created = [idp.create(f"p{number}")["userName"] for number in range(7)]
    idp.activate(idp.find('externalId eq "x-p3"')[0]["id"], False)
    seen = []
    for start in (1, 4, 7):
        page = idp.list(startIndex=start, count=3)
        assert (page["totalResults"], page["startIndex"]) == (7, start)
        assert page["itemsPerPage"] == len(page["Resources"])
        seen += [resource["userName"] for resource in page["Resources"]]
    assert seen == created


PAGES = [
    ({}, 1, 3),
    ({"count": 0}, 1, 0),
    ({"count": -5}, 1, 0),
    ({"count": 2}, 1, 2),
    ({"count": 100_000}, 1, 3),
    ({"count": "9" * 30}, 1, 3),
    ({"startIndex": 0}, 1, 3),
    ({"startIndex": -3}, 1, 3),
    ({"startIndex": 3}, 3, 1),
    ({"startIndex": 4}, 4, 0),
    ({"startIndex": 10**20}, 2**31, 0),
    ({"startIndex": "", "count": ""}, 1, 3),
    ({"filter": 'externalId eq "x-bob"', "count": 0}, 1, 0),
]


def test_odd_pages_are_answered(idp, three):
    """Totals are of everyone who matches, whatever page was asked for."""
    for asked, start, found in PAGES:
        page = idp.list(**asked)
        assert page["totalResults"] == (1 if "filter" in asked else 3), asked
        assert (page["startIndex"], page["itemsPerPage"]) == (start, found), asked
        assert len(page["Resources"]) == found


@pytest.mark.parametrize("name", ["startIndex", "count"])
@pytest.mark.parametrize("value", ["x", "1.5", "1;DROP", "9" * 5_000])
def test_a_page_that_is_no_number_is_refused(protocol, name, value):
    detail = refusal(protocol.try_list(**{name: value}), 400, "invalidValue")
    assert name in detail
    assert len(detail) < 200


def test_no_page_has_more_than_our_most(protocol, monkeypatch):
    """Safety 18: a client cannot ask for everyone at once."""
    monkeypatch.setattr("provisioning.scim.paging.MAX_COUNT", 1)
    for name in ("dan", "eve"):
        protocol.create(name)
    page = protocol.list(count=MAX_COUNT)
    assert page["itemsPerPage"] == len(page["Resources"]) == 1
    assert page["totalResults"] == 2


def test_totals_are_exact_through_comings_and_goings(world, idp):
    """The kept counter says what counting says; refused requests leave it alone."""
    ids = [idp.create(f"p{number}")["id"] for number in range(4)]
    refusal(idp("POST", "/Users", user("p0")), 409, "uniqueness")
    idp.activate(ids[0], False)
    idp.delete(ids[1])
    refusal(idp("DELETE", f"/Users/{ids[1]}"), 404)
    idp.create("p1")
    idp.delete(ids[2])
    every = idp.list()
    assert every["totalResults"] == len(every["Resources"]) == 3
    assert names(every["Resources"]) == ["p0", "p3", "p1"]


@pytest.mark.parametrize(
    ("attributes", "members"),
    [
        ("userName", ["userName"]),
        ("USERNAME, name.givenName", ["userName", "name"]),
        (f"{CORE}:displayName", ["displayName"]),
        (f"{ENTERPRISE}:department", [ENTERPRISE]),
        (OURS, [OURS]),
        ("meta.version", ["meta"]),
        ("shoeSize,name.honorificPrefix,password", []),
        ("emails.display", []),
        ("emails,emails.value,title.x", ["emails"]),
    ],
)
def test_only_what_is_wanted_is_answered(protocol, attributes, members):
    """RFC 7644 3.9: with id and schemas, which are always there; the same in every answer."""
    body = user(
        f"ann{len(attributes)}",
        name={"givenName": "Ann", "familyName": "Weber"},
        **{ENTERPRISE: {"department": "Sales", "costCenter": "12"}},
    )
    created = taken(protocol("POST", f"/Users?attributes={attributes}", body), 201)
    assert created.keys() == {"schemas", "id", *members}
    assert protocol.find(f'id eq "{created["id"]}"', attributes=attributes) == [created]
    path = f"/Users/{created['id']}?attributes={attributes}"
    assert taken(protocol("GET", path)) == created
    assert taken(protocol("PUT", path, body)) == created


def test_a_part_of_an_attribute_is_only_that_part(protocol):
    """Sub-attributes of single and of multi-valued attributes."""
    ann = protocol.create("zoe", name={"givenName": "Zoe", "familyName": "Weber"})
    path = f"/Users/{ann['id']}"
    wanted = protocol("GET", f"{path}?attributes=name.givenName,emails.value,{OURS}:state")
    assert wanted.get_json() == {
        "schemas": [*ann["schemas"], OURS],
        "id": ann["id"],
        "name": {"givenName": "Zoe"},
        "emails": [{"value": "zoe@corp.example"}],
        OURS: {"state": outcome(ann)["state"]},
    }
    unwanted = protocol("GET", f"{path}?excludedAttributes=name.givenName,emails.value,id,meta")
    expected = {name: value for name, value in ann.items() if name != "meta"}
    expected["name"] = {"familyName": "Weber"}
    expected["emails"] = [{"type": "work", "primary": True}]
    assert unwanted.get_json() == expected
