"""A token with registry:read sees every employee of the intranet, and changes nobody."""

from __future__ import annotations

import pytest

from provisioning.scim.paging import cursor_after
from tests.kit.nights import ME
from tests.kit.scim_client import ENTERPRISE, OURS, ScimClient, outcome, refusal, taken, user
from tests.kit.sources import entry


@pytest.fixture
def reader(world, idp):
    """A reader beside a provider that pushed Ann, and a directory that has Bob."""
    world.directory.add(entry("bob", departmentNumber="Sales"))
    idp.create("ann", title="Chief")
    world.sync()
    secret = idp.services.tokens.create("hr", ME, scopes=["registry:read"]).secret
    return ScimClient(idp.app, idp.services, secret, "hr")


def test_everybody_is_listed_whoever_vouches_for_them(world, reader):
    """Employees of all sources, in the form of users, with what became of them."""
    world.accept("Ann")
    ann, bob = reader.list()["Resources"]
    assert (ann["displayName"], ann["title"], ann["userName"]) == (
        "Ann", "Chief", "ann@corp.example",
    )  # fmt: skip
    told, _ = (one[OURS] for one in reader.list(attributes=OURS)["Resources"])
    assert (told["state"], told["login"]) == ("active", "ann@corp.example")
    assert told == outcome(reader.get(ann["id"]))
    assert (bob["active"], bob[ENTERPRISE]["department"]) == (True, "Sales")
    assert reader.get(bob["id"]) == bob
    assert reader("GET", f"/Users/{bob['id']}", If_None_Match="*").status_code == 304
    names = reader.list(attributes="displayName", startIndex=2, count=1)
    assert [one["displayName"] for one in names["Resources"]] == [bob["displayName"]]
    assert (names["totalResults"], names["itemsPerPage"]) == (2, 1)


def test_cursors_lead_through_the_registry(reader):
    first = reader.list(cursor="", count=1)
    second = reader.list(cursor=first["nextCursor"], count=1)
    assert "nextCursor" not in second
    ids = [page["Resources"][0]["id"] for page in (first, second)]
    assert ids == [one["id"] for one in reader.list()["Resources"]]
    for key in (["x"], [-1], [None], [1, 2]):
        refusal(reader.try_list(cursor=cursor_after({}, key)), 400, "invalidCursor")


def test_a_reader_changes_nobody_and_asks_for_nothing_else(idp, reader):
    """403 for every write and for groups; filters are refused, not ignored."""
    (ann, _) = reader.list()["Resources"]
    path = f"/Users/{ann['id']}"
    for method, where in (("POST", "/Users"), ("PUT", path), ("PATCH", path), ("DELETE", path)):
        refusal(reader(method, where, user("ann")), 403)
    refusal(reader("GET", "/Groups"), 403)
    refusal(reader.try_list(filter='userName eq "ann@corp.example"'), 400, "invalidFilter")
    refusal(reader.try_list(sortBy="userName"), 400, "invalidValue")
    refusal(reader("GET", "/Users/00000000-0000-4000-8000-000000000000"), 404)
    refusal(idp("GET", path), 404)


def test_with_users_read_a_token_sees_its_own_source(idp, reader):
    """The registry is for who may read nothing else; a provider must find only its own."""
    both = idp.services.tokens.create("hr", ME, scopes=["registry:read", "users:read"]).secret
    assert taken(ScimClient(idp.app, idp.services, both)("GET", "/Users"))["totalResults"] == 0
