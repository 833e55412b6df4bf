"""Filters and sorting as clients ask for them, over HTTP (RFC 7644 3.4.2)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.kit.scim_client import ENTERPRISE, OURS, operation, outcome, refusal, taken, user

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
NOON = "2026-11-23T12:00:00Z"


@pytest.fixture
def people(world, idp):
    """Barbara, Ümit and Zoë, an hour after each other; Zoë has almost nothing."""
    barbara = idp.create(
        "bjensen",
        displayName="Babs Jensen",
        title="Tour Guide",
        userType="Employee",
        name={"familyName": "O'Malley", "givenName": "Barbara"},
        emails=[
            {"value": "babs@home.example", "type": "home"},
            {"value": "BJensen@Example.com", "type": "work", "primary": True},
        ],
        **{ENTERPRISE: {"department": "Tour Operations"}},
    )
    world.clock.advance(timedelta(hours=1))
    idp.create(
        "umit",
        displayName="Ümit 100% Kaya_1",
        userType="Intern",
        title="",
        emails=[{"value": "umit@example.org", "type": "Work"}],
        phoneNumbers=[{"value": "+49 30 1", "type": "mobile"}],
        active=False,
        **{
            ENTERPRISE: {"department": "Sales", "manager": {"value": barbara["id"]}},
            OURS: {"mailbox": "Umit@Mail.Example"},
        },
    )
    world.clock.advance(timedelta(hours=1))
    idp.create("zoe", displayName=None, emails=None, externalId=None)
    return {"barbara": barbara}


B, U, Z = "bjensen", "umit", "zoe"
FOUND = [
    # RFC 7644, figure 2 and around it.
    ('userName eq "bjensen@corp.example"', [B]),
    ('name.familyName co "O\'Malley"', [B]),
    ('userName sw "B"', [B]),
    ('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "b"', [B]),
    ("title pr", [B]),
    (f'meta.lastModified gt "{NOON}"', [U, Z]),
    (f'meta.lastModified ge "{NOON}"', [B, U, Z]),
    (f'meta.lastModified lt "{NOON}"', []),
    ('meta.created le "2026-11-23T14:00:00+01:00"', [B, U]),
    ('title pr and userType eq "Employee"', [B]),
    ('title pr or userType eq "Intern"', [B, U]),
    (f'schemas eq "{ENTERPRISE}"', [B, U]),
    (f'schemas[value eq "{OURS}"]', [B, U, Z]),
    ('userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', [B]),
    ('userType ne "Employee" and not (emails co "example.com" or emails.value co "org")', [Z]),
    ('userType eq "Employee" and (emails.type eq "work")', [B]),
    ('userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', [B]),
    (
        'emails[value co "@example.com"] or phoneNumbers[type eq "mobile" and value sw "+49"]',
        [B, U],
    ),
    # What is asked of one entry is not answered by two.
    ('emails[type eq "home" and value co "example.com"]', []),
    ('emails.type eq "home" and emails.value co "example.com"', [B]),
    ('emails[not (type eq "work")]', [B]),
    ("emails[primary eq true]", [B]),
    ("emails.primary eq true", [B]),
    ('emails eq "BJENSEN@example.COM"', [B]),
    ('emails ne "bjensen@example.com"', [U, Z]),
    ("emails pr", [B, U]),
    ("not (emails pr)", [Z]),
    ("emails eq null", [Z]),
    ("displayName eq null", [Z]),
    ("displayName ne null", [B, U]),
    ('title eq ""', [U]),
    ("active eq false", [U]),
    ('active eq "True"', [B, Z]),
    ("active ne true", [U]),
    # Folding, and characters that mean something elsewhere.
    ('displayName co "ÜMIT"', [U]),
    ('displayName co "u\u0308mit"', [U]),
    ('displayName co "%"', [U]),
    ('displayName co "0% K"', [U]),
    ('displayName co "_"', [U]),
    ('displayName sw "Babs_"', []),
    ('displayName ew "_1"', [U]),
    ('displayName ew ""', [B, U]),
    (r'displayName co "\\"', []),
    ('displayName gt "c"', [U]),
    ('displayName lt "c"', [B]),
    ('userName co "\'; DROP TABLE scim_user; --"', []),
    # Extensions.
    (f'{ENTERPRISE}:department eq "sales"', [U]),
    (f'{ENTERPRISE.lower()}:DEPARTMENT sw "tour"', [B]),
    (f"{ENTERPRISE}:manager pr", [U]),
    (f'{OURS}:state eq "invited"', [B, Z]),
    (f'{OURS}:contactEmail ew "@Example.com"', [B]),
    (f'{OURS}:contactEmail ew "@example.com"', []),
    (f"{OURS}:acceptedAt pr", []),
    (f'{OURS}:mailbox eq "umit@mail.example"', [U]),
    (f'{OURS}:mailbox ew ".EXAMPLE"', [U]),
    (f"{OURS.lower()}:MAILBOX pr", [U]),
    (f"{OURS}:mailbox eq null", [B, Z]),
    # Words without their quotes, as Microsoft writes and authentik sent them.
    ("userName eq bjensen@corp.example", [B]),
    ("userName eq BJENSEN@corp.example and userType eq Employee", [B]),
    ("emails.value ew example.org and active eq false", [U]),
    ("userName eq nobody", []),
    # meta.
    ('meta.resourceType eq "User"', [B, U, Z]),
    ('meta.resourceType eq "user"', []),
    (r'meta.version eq "W/\"1\""', [B, U, Z]),
    (r'meta.version eq "W/\"2\""', []),
    # Groups: nobody is in one here.
    ('groups.value eq "nobody"', []),
    ("groups pr", []),
    ("not (groups pr)", [B, U, Z]),
]


def names(resources):
    return [resource["userName"].partition("@")[0] for resource in resources]


def test_filters_of_the_rfc_find_whom_they_name(idp, people):
    """RFC 7644 3.4.2.2: every operator, on both databases alike."""
    for wanted, found in FOUND:
        assert names(idp.find(wanted)) == found, wanted


def test_vendors_look_people_up_in_their_own_ways(idp, people):
    """Entra ID, Okta, SailPoint and canaille each ask differently for the same person."""
    id_ = people["barbara"]["id"]
    umit = idp.find('userName eq "umit@corp.example"')[0]["id"]
    for wanted in (
        'emails[type eq "work"].value eq "bjensen@example.com"',
        'emails[type eq "work"] and emails.value eq "bjensen@example.com"',
        'userName eq "BJENSEN@corp.example"',
        'externalId eq "x-bjensen"',
        f'id eq "{id_}"',
        f'id eq "{id_}" and active eq true',
    ):
        assert names(idp.find(wanted)) == [B], wanted
    for manager in ("manager", f"{ENTERPRISE}:manager", f"{ENTERPRISE}:manager.value"):
        assert names(idp.find(f'id eq "{umit}" and {manager} eq "{id_}"')) == [U]
        assert names(idp.find(f'id eq "{id_}" and {manager} eq "{id_}"')) == []


SORTED = [
    ("userName", "", [B, U, Z]),
    ("userName", "descending", [Z, U, B]),
    ("USERNAME", "Ascending", [B, U, Z]),
    ("displayName", "", [B, U, Z]),
    ("displayName", "descending", [Z, U, B]),
    ("emails", "", [B, U, Z]),
    ("emails.value", "descending", [Z, U, B]),
    ("emails.type", "", [B, U, Z]),
    ("title", "ascending", [U, B, Z]),
    ("active", "", [U, B, Z]),
    ("active", "descending", [B, Z, U]),
    ("meta.created", "descending", [Z, U, B]),
    ("meta.resourceType", "descending", [B, U, Z]),
    (f"{ENTERPRISE}:department", "", [U, B, Z]),
    (f"{ENTERPRISE}:manager", "descending", [B, Z, U]),
    (f"{OURS}:state", "descending", [U, B, Z]),
    (f"{OURS}:mailbox", "", [U, B, Z]),
    ("", "descending", [B, U, Z]),
]


def test_people_are_sorted_as_asked(idp, people):
    """RFC 7644 3.4.2.3: the missing last, first if descending; by the primary entry; ties by age.

    Without sortBy, sortOrder means nothing.
    """
    for by, order, expected in SORTED:
        everyone = idp.list(sortBy=by, sortOrder=order)["Resources"]
        assert names(everyone) == expected, (by, order)
    pages = [idp.list(sortBy="userName", startIndex=start, count=1) for start in (1, 2, 3)]
    assert [names(page["Resources"]) for page in pages] == [[B], [U], [Z]]


def test_cursors_follow_the_order_that_was_asked_for(idp, people):
    """RFC 9865 2: everybody once, the missing and the tied included, in either direction."""
    for by, order, expected in SORTED:
        seen, cursor = [], ""
        while cursor is not None:
            page = idp.list(sortBy=by, sortOrder=order, count=1, cursor=cursor)
            seen += names(page["Resources"])
            cursor = page.get("nextCursor")
        assert seen == expected, (by, order)


@pytest.mark.parametrize(
    "asked",
    [
        {"sortBy": "shoeSize"},
        {"sortBy": "name"},
        {"sortBy": "groups"},
        {"sortBy": "userName.x"},
        {"sortBy": "emails.shoe"},
        {"sortBy": 'emails[type eq "work"]'},
        {"sortBy": "userName; DROP TABLE scim_user"},
        {"sortBy": "meta.location"},
        {"sortBy": "userName", "sortOrder": "up"},
    ],
    ids=str,
)
def test_an_order_that_is_none_is_refused(protocol, asked):
    """400 with a sentence, not some other order."""
    assert refusal(protocol.try_list(**asked), 400, "invalidValue")


def test_groups_are_asked_for_and_sorted_like_people(idp, people):
    """Entra asks whether somebody is a member by both ids; Okta looks a group up by its name."""
    id_ = people["barbara"]["id"]

    def group(name, *members):
        body = {"schemas": [GROUP], "displayName": name, "externalId": name.lower()}
        body["members"] = [{"value": member} for member in members]
        return taken(idp("POST", "/Groups", body), 201)["id"]

    tours = group("Tours", id_)
    everyone = group("Everyone", tours)
    group("Nobody")
    for wanted, found in (
        ('displayName eq "tours"', ["Tours"]),
        ("displayName eq tours", ["Tours"]),
        (f"id eq {tours} and members eq {id_}", ["Tours"]),
        ('externalId eq "tours"', ["Tours"]),
        ('displayName co "o"', ["Tours", "Everyone", "Nobody"]),
        (f'id eq "{tours}" and members eq "{id_}"', ["Tours"]),
        (f'id eq "{everyone}" and members eq "{id_}"', []),
        (f'members[value eq "{tours}" and type eq "Group"]', ["Everyone"]),
        ('members.type eq "user"', ["Tours"]),
        ("not (members pr)", ["Nobody"]),
        ('meta.resourceType eq "Group"', ["Tours", "Everyone", "Nobody"]),
    ):
        answer = taken(idp("GET", f"/Groups?{urlencode({'filter': wanted})}"))
        shown = [each["displayName"] for each in answer["Resources"]]
        assert sorted(shown) == sorted(found), wanted
    for order, found in (("", "Everyone"), ("descending", "Tours")):
        answer = taken(idp("GET", f"/Groups?sortBy=displayName&sortOrder={order}&count=1"))
        assert answer["Resources"][0]["displayName"] == found
    refusal(idp("GET", "/Groups?sortBy=members"), 400, "invalidValue")
    refusal(idp("GET", "/Groups?filter=members.display+pr"), 400, "invalidFilter")
    for wanted in (f'groups.value eq "{everyone}"', 'groups[type eq "indirect"]', "groups pr"):
        assert names(idp.find(wanted)) == [B], wanted
    assert idp.find(f'groups[type eq "direct" and value eq "{everyone}"]') == []


@pytest.mark.parametrize("active", [True, False])
def test_active_taken_away_is_what_it_was(world, idp, active):
    """RFC 7644 3.5.2.2, D1: it is shown no more, filters go by what holds on, nobody leaves."""
    ann = idp.create("ann")
    world.accept("Ann")
    state = outcome(idp.activate(ann["id"], active))["state"]
    idp.create("bob", active=not active)
    word, other = str(active).lower(), str(not active).lower()
    for say in (
        lambda: idp.patch(ann["id"], operation("remove", "active")),
        lambda: idp.put(ann["id"], user("ann", active=None, title="Chief")),
        lambda: idp.get(ann["id"]),
    ):
        silent = say()
        assert "active" not in silent
        assert outcome(silent)["state"] == state
        for asked in (f"active eq {word}", f'active ne "{other}"', f"not (active eq {other})"):
            assert idp.find(f"{asked} and active pr") == [silent], asked
        assert [one["displayName"] for one in idp.find(f"active eq {other}")] == ["Bob"]
    order = [one["displayName"] for one in idp.list(sortBy="active")["Resources"]]
    assert order == (["Bob", "Ann"] if active else ["Ann", "Bob"])
    assert idp.activate(ann["id"], active)["active"] is active
    assert outcome(ann)["state"] == state
