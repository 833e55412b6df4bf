"""What a filter may not do, may not miss, and may not be made to do (RFC 7644 3.4.2.2, 3.12)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from provisioning.domain.findings import FindingKind
from provisioning.scim.discovery import schemas
from provisioning.scim.limits import MAX_FILTER
from provisioning.storage.models.effects import FindingRecord
from provisioning.storage.models.scim import ScimEmailRecord
from tests.kit.scim_client import CORE, ENTERPRISE, OURS, employee_of, refusal, user

NOON = "2026-11-23T12:00:00Z"


def names(resources):
    return [resource["userName"].partition("@")[0] for resource in resources]


REFUSED = [
    "active gt true",
    'active co "t"',
    'active eq "maybe"',
    "active eq 1",
    "userName eq 5",
    "userName eq true",
    "userName gt null",
    'userName[value eq "x"]',
    'userName.value eq "x"',
    'name eq "x"',
    "addresses eq null",
    'addresses eq "x"',
    'meta eq "x"',
    'meta.location eq "x"',
    'meta.lastModified gt "yesterday"',
    'meta.lastModified gt "2026-11-23T12:00:00"',
    'meta.lastModified gt "2026-13-23T12:00:00Z"',
    'meta.lastModified gt "0001-01-01T00:00:00+14:00"',
    'meta.lastModified co "2026"',
    "meta.lastModified gt 5",
    'x509Certificates.value eq "abc"',
    "x509Certificates.value eq 5",
    'emails[type eq "work"',
    'emails[shoe eq "work"]',
    "emails[]",
    'emails[type.x eq "work"]',
    f'emails[{CORE}:type eq "work"]',
    'emails.shoe eq "42"',
    'groups.$ref eq "x"',
    'schemas[type eq "x"]',
    'password eq "x"',
    'department eq "Sales"',
    f'{ENTERPRISE}:shoe eq "x"',
    f'{OURS}:shoe eq "x"',
    'urn:example:2.0:User:userName eq "x"',
    r'displayName co "\u0000"',
    r'emails[value eq "\udfff"]',
    'not userName eq "x"',
    'userName eq "x" and',
    "not (" * 40 + "title pr" + ")" * 40,
    "userName eq " + '"' + "x" * MAX_FILTER + '"',
]


@pytest.mark.parametrize("wanted", REFUSED, ids=lambda wanted: wanted[:40])
def test_what_cannot_be_compared_is_refused(protocol, wanted):
    """RFC 7644 3.12: 400 invalidFilter and a sentence; never everyone, never an empty list."""
    assert len(refusal(protocol.try_list(filter=wanted), 400, "invalidFilter")) > 10


@pytest.mark.parametrize(
    ("term", "found"), [("id pr", 1), ('userName co "z"', 0), ("emails pr", 1)]
)
def test_the_longest_filter_is_answered(idp, term, found):
    """As many and as deep terms as a filter can have are no load too great."""
    terms = MAX_FILTER // (len(term) + len(" and "))
    idp.create("ann")
    for joined in (" or ", " and "):
        assert len(idp.find(joined.join([term] * terms))) == found
    assert len(idp.find("not (" * 30 + term + ")" * 30)) == found


def test_a_filter_follows_every_write(world, idp):
    """What is compared is what is stored: after PUT, PATCH and DELETE as after POST."""
    ann = idp.create("ann")
    by_mail = 'emails.value eq "{}"'
    idp.patch(ann["id"], {"op": "replace", "path": "emails", "value": [{"value": "new@x.example"}]})
    assert idp.find(by_mail.format("ann@corp.example")) == []
    assert names(idp.find(by_mail.format("NEW@x.example"))) == ["ann"]
    idp.put(ann["id"], {**ann, "title": "Boss"})
    assert names(idp.find('title eq "boss"')) == ["ann"]
    assert names(idp.find(by_mail.format("ann@corp.example"))) == ["ann"]
    idp.delete(ann["id"])
    assert idp.find(by_mail.format("ann@corp.example")) == idp.find("id pr") == []
    with world.services.context.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ScimEmailRecord)) == 0


def test_an_external_id_is_the_same_in_either_normal_form(idp):
    """RFC 7643 3.1: caseExact, but an ü is an ü, for uniqueness as for filters."""
    decomposed = idp.create("ann", externalId="Mu\u0308ller")
    assert decomposed["externalId"] == "Mu\u0308ller"
    assert names(idp.find('externalId eq "M\u00fcller"')) == ["ann"]
    assert idp.find('externalId eq "m\u00fcller"') == []
    again = user("bob", externalId="M\u00fcller")
    refusal(idp("POST", "/Users", again), 409, "uniqueness")


def test_everything_our_extension_tells_can_be_asked_for(world, idp):
    """What is declared in /Schemas is no dead letter; a place in a line is no fact of a person."""
    ann, bob = idp.create("ann"), idp.create("bob")
    world.accept("Ann")
    with world.services.context.database.write() as session:
        session.add(finding_about(world, employee_of(world.services, bob)))
    for wanted, found in (
        ("invitedAt pr", ["ann", "bob"]),
        (f'invitedAt gt "{NOON}"', []),
        ("acceptedAt pr", ["ann"]),
        ("dismissedAt eq null", ["ann", "bob"]),
        ('login eq "ann@corp.example"', ["ann"]),
        ("login eq null", ["bob"]),
        ('state eq "active"', ["ann"]),
        ('because co "(I1)"', ["bob"]),
        ('findings eq "no_usable_address"', ["bob"]),
        ('findings[value sw "no"]', ["bob"]),
        ("findings pr", ["bob"]),
        ("findings eq null", ["ann"]),
        ('findings ne "orphan"', ["ann", "bob"]),
    ):
        assert names(idp.find(f"{OURS}:{wanted}")) == found, wanted
    assert idp.find(f'{OURS}:state eq "active"')[0]["id"] == ann["id"]
    for declared in schemas("https://x.example")[OURS]["attributes"]:
        expected = 400 if declared["name"] == "waitingPosition" else 200
        assert idp.try_list(filter=f"{OURS}:{declared['name']} pr").status_code == expected


def finding_about(world, employee_id):
    return FindingRecord(
        intranet_id=world.services.context.intranet_id,
        employee_id=employee_id,
        kind=FindingKind.NO_USABLE_ADDRESS,
        subject=str(employee_id),
        who="bob",
        evidence={},
        opened_at=world.clock.now(),
    )


HOSTILE = [
    "' OR 1=1 --",
    "'; DROP TABLE scim_user; --",
    '") OR 1=1 --',
    "%' OR '%'='",
    "%s %(id)s {} :id ?",
    "$.emails[*]",
    "\\' OR 1=1 --",
    "{1,2}",
    "\u2019 OR 1=1",
    '"]) or userName pr or emails[value eq "',
]


@pytest.mark.parametrize("operator", ["eq", "co", "sw", "ew", "gt"])
def test_a_value_is_never_more_than_a_value(protocol, operator):
    """Safety 18: quotes, wildcards and placeholders of databases mean themselves."""
    for hostile in HOSTILE:
        for path in ("userName", "id", "emails.value", f"{OURS}:state", "meta.version"):
            asked = f'title eq "nobody" and {path} {operator} {json.dumps(hostile)}'
            assert protocol.find(asked) == [], asked
        asked = f'emails[type eq "x" and value {operator} {json.dumps(hostile)}]'
        assert protocol.find(asked) == [], asked
        refusal(protocol.try_list(filter=f'{hostile} {operator} "x"'), 400, "invalidFilter")
        refusal(protocol.try_list(sortBy=hostile), 400, "invalidValue")
