"""A user's document: what is kept, what is ours, and its versions (RFC 7643 3, 7644 3.14)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.domain.errors import NotFoundError
from tests.kit.scim_client import (
    BASE,
    CORE,
    ENTERPRISE,
    OURS,
    operation,
    outcome,
    refusal,
    taken,
    user,
)

FULL = user(
    "ann",
    name={"givenName": "Ann", "familyName": "Weber", "formatted": "Ann Weber"},
    emails=[
        {"value": "ann@corp.example", "type": "work", "primary": True},
        {"value": "ann@home.example", "type": "home"},
    ],
    phoneNumbers=[{"value": "+49 30 1", "type": "work"}],
    addresses=[{"type": "work", "locality": "Łódź", "country": "PL"}],
    title="Chief",
    preferredLanguage="de-DE",
    locale="de-DE",
    timezone="Europe/Berlin",
    userType="Employee",
    **{ENTERPRISE: {"employeeNumber": "7", "department": "Sales", "costCenter": "12"}},
)

READ_ONLY = {
    "id": "5f0c7ac4-0000-4000-8000-000000000000",
    "meta": {"resourceType": "User", "version": 'W/"9"', "location": "https://evil.example/"},
    "groups": [{"value": "admins"}],
    OURS: {"state": "active", "contactEmail": "evil@evil.example"},
}


@pytest.fixture
def world(sqlite_world):
    """Documents are kept as they are, by either database; meanings are proven on both."""
    return sqlite_world


def test_what_was_sent_is_what_is_answered(idp):
    """Everything of the core and enterprise schemas comes back, and is read from the store."""
    ann = idp.create("ann", **FULL)
    assert {name: ann[name] for name in FULL if name != "schemas"} == {
        name: value for name, value in FULL.items() if name != "schemas"
    }
    assert ann["schemas"] == [CORE, ENTERPRISE]
    assert idp.get(ann["id"]) == ann
    assert idp.list()["Resources"] == [ann]


def test_meta_tells_where_and_when(world, idp):
    """meta.location is under the public URL, whatever Host the request named."""
    ann = idp.create("ann")
    meta = ann["meta"]
    assert (meta["resourceType"], meta["version"]) == ("User", 'W/"1"')
    assert meta["location"] == f"{BASE}/Users/{ann['id']}"
    assert meta["created"] == meta["lastModified"] == world.clock.now().isoformat()
    world.clock.advance(timedelta(minutes=1))
    changed = idp.patch(ann["id"], operation("replace", "title", "Chief"))["meta"]
    assert (changed["created"], changed["version"]) == (meta["created"], 'W/"2"')
    assert changed["lastModified"] == world.clock.now().isoformat()


def test_read_only_parts_are_ours(idp):
    """Safety 10: an id, a version or a state that a client sends means nothing."""
    ann = idp.create("ann", **READ_ONLY)
    assert ann["id"] != READ_ONLY["id"]
    assert ann["meta"]["version"] == 'W/"1"'
    assert "groups" not in ann
    assert outcome(ann)["state"] == "invited"
    assert outcome(ann)["contactEmail"] == "ann@corp.example"
    assert idp.put(ann["id"], user("ann", **READ_ONLY)) == ann


def test_a_password_is_neither_kept_nor_answered(world, idp):
    """A6: people choose their own; what a provider sends is not stored anywhere."""
    ann = idp.create("ann", password="hunter2-secret")
    idp.put(ann["id"], user("ann", password="hunter2-secret"))
    idp.patch(ann["id"], operation("add", "password", "hunter2-secret"))
    assert "password" not in idp.get(ann["id"])
    with world.services.context.database.read() as session:
        stored = session.connection().exec_driver_sql("SELECT document FROM scim_user").scalar_one()
        applied = session.connection().exec_driver_sql("SELECT applied FROM link").scalar_one()
    assert b"hunter2" not in bytes(stored)
    assert "hunter2" not in str(applied)


def test_unknown_attributes_are_ignored(idp):
    """What no schema declares neither fails the request nor comes back."""
    ann = idp.create("ann", shoeSize=42, **{"urn:example:custom:2.0:User": {"badge": 1}})
    assert not {"shoeSize", "urn:example:custom:2.0:User"} & ann.keys()


def test_names_of_attributes_are_read_in_any_case(idp):
    """RFC 7643 2.1; the answer spells them as the schema does."""
    ann = taken(idp("POST", "/Users", {"USERNAME": "ann@corp.example", "DisplayName": "Ann"}), 201)
    assert (ann["userName"], ann["displayName"], ann["active"]) == ("ann@corp.example", "Ann", True)


def test_putting_replaces_everything_but_active(world, idp):
    """RFC 7644 3.5.1: what is not sent is gone; the employee is described anew."""
    ann = idp.create("ann", **FULL)
    changed = idp.put(ann["id"], user("ann", displayName="Anna", externalId=None))
    assert not {"title", "name", "externalId", ENTERPRISE} & changed.keys()
    assert changed["meta"]["version"] == 'W/"2"'
    assert changed["active"] is True
    assert world.states() == {"Anna": "invited"}
    assert idp.get(ann["id"]) == changed


def test_nothing_new_is_no_new_version(world, idp):
    """A PATCH or PUT that changes nothing keeps version and time."""
    ann = idp.create("ann", **FULL)
    world.clock.advance(timedelta(hours=1))
    same = {name: ann[name] for name in FULL}
    assert idp.put(ann["id"], same) == ann
    assert idp.put(ann["id"], dict(reversed(same.items()))) == ann
    assert idp.patch(ann["id"], operation("replace", "displayName", "Ann")) == ann
    assert idp.patch(ann["id"], operation("replace", None, {"active": True})) == ann
    assert idp.patch(ann["id"], operation("add", 'emails[type eq "work"].primary', True)) == ann


def test_a_stale_version_is_refused(idp):
    """412 for PUT, PATCH and DELETE; nothing was written."""
    ann = idp.create("ann")
    ann = idp.patch(ann["id"], operation("replace", "title", "Chief"))
    change = operation("replace", "title", "Other")
    for stale in ('W/"1"', '"1"', 'W/"3"', "2", "x", 'W/"' + "9" * 5000 + '"'):
        refusal(idp.try_patch(ann["id"], change, If_Match=stale), 412)
        refusal(idp("PUT", f"/Users/{ann['id']}", user("ann"), If_Match=stale), 412)
        refusal(idp("DELETE", f"/Users/{ann['id']}", If_Match=stale), 412)
    assert idp.get(ann["id"]) == ann


@pytest.mark.parametrize("fresh", ['W/"1"', '"1"', "*"])
def test_the_right_version_is_taken(idp, fresh):
    """RFC 7644 3.14: weak or strong, and * for whatever there is."""
    ann = idp.create("ann")
    answer = idp.try_patch(ann["id"], operation("replace", "title", "Chief"), If_Match=fresh)
    assert taken(answer)["meta"]["version"] == answer.headers["ETag"] == 'W/"2"'
    gone = idp("DELETE", f"/Users/{ann['id']}", If_Match=answer.headers["ETag"])
    assert gone.status_code == 204
    refusal(idp("DELETE", f"/Users/{ann['id']}", If_Match="*"), 404)


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ('W/"1"', 304),
        ('"1"', 304),
        ('W/"7", W/"1"', 304),
        ("*", 304),
        ('W/"11"', 200),
        ('"2"', 200),
    ],
)
def test_what_is_known_is_not_sent_again(protocol, known, status):
    """RFC 7644 3.14: If-None-Match."""
    ann = protocol.create(f"ann{known}")
    answer = protocol("GET", f"/Users/{ann['id']}", If_None_Match=known)
    assert (answer.status_code, answer.headers["ETag"]) == (status, 'W/"1"')
    assert bool(answer.data) is (status == 200)


def test_an_answer_shows_what_the_request_wrote(idp, monkeypatch):
    """A resource deleted by somebody else right after its creation was created all the same."""
    create = type(idp.services.scim_users).create

    def create_and_lose(service, source_id, build, actor, *, with_outcome):
        view = create(service, source_id, build, actor, with_outcome=with_outcome)
        service.delete(source_id, view.uuid, actor)
        with pytest.raises(NotFoundError):
            service.delete(source_id, view.uuid, actor)
        return view

    monkeypatch.setattr(type(idp.services.scim_users), "create", create_and_lose)
    ann = taken(idp("POST", f"/Users?attributes={OURS}", user("ann")), 201)
    assert ann[OURS]["state"] == "invited"
    refusal(idp("GET", f"/Users/{ann['id']}"), 404)


def test_an_address_that_is_taken_away_may_come_back(idp):
    """Whom it is looked up by goes and comes with it; a row left behind would refuse the return."""
    ann = idp.create("ann")
    for value in ("other@corp.example", "ann@corp.example"):
        emails = [{"value": value, "type": "work", "primary": True}]
        idp.patch(ann["id"], operation("replace", "emails", emails))
        assert [found["id"] for found in idp.find(f'emails.value eq "{value}"')] == [ann["id"]]
