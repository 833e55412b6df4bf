"""/.search and paging by cursor (RFC 7644 3.4.3, RFC 9865)."""

from __future__ import annotations

import pytest

from provisioning.scim.paging import cursor_after
from tests.kit.scim_client import refusal, taken

SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


def search(idp, path="/Users", **members):
    return taken(idp("POST", f"{path}/.search", {"schemas": [SEARCH], **members}))


def test_a_search_is_a_list_by_post(idp):
    """The same answer as the query string gives; lists of attributes are lists here."""
    for name in ("ann", "bob", "cid"):
        idp.create(name)
    assert search(idp) == idp.list()
    assert search(idp, filter='userName eq "ann@corp.example"', count=1) == idp.list(
        filter='userName eq "ann@corp.example"', count=1
    )
    found = search(idp, attributes=["userName", "emails.value"], startIndex=2, count=1)
    assert found == idp.list(attributes="userName,emails.value", startIndex=2, count=1)
    assert len(found["Resources"]) == 1


def test_a_search_may_be_over_everything(idp):
    """One list of users and groups; a type that lacks the attribute has no match."""
    ann = idp.create("ann")
    sales = idp.group("Sales", ann, externalId="x-ann")
    whole = search(idp, "")
    assert [each["id"] for each in whole["Resources"]] == [ann["id"], sales["id"]]
    assert (whole["totalResults"], whole["startIndex"]) == (2, 1)
    second = search(idp, "", startIndex=2, count=1)
    assert [each["id"] for each in second["Resources"]] == [sales["id"]]
    assert (second["totalResults"], second["itemsPerPage"]) == (2, 1)
    both = search(idp, "", filter='externalId eq "x-ann"')["Resources"]
    assert [each["id"] for each in both] == [ann["id"], sales["id"]]
    one = search(idp, "", filter='userName eq "ann@corp.example"')
    assert [each["id"] for each in one["Resources"]] == [ann["id"]]


@pytest.mark.parametrize(
    ("members", "scim_type"),
    [
        ({"filter": "nonsense eq 7"}, "invalidFilter"),
        ({"filter": ["a"], "count": {}}, "invalidValue"),
        ({"count": True}, "invalidValue"),
        ({"count": "many"}, "invalidValue"),
        ({"cursor": ""}, "invalidCursor"),
    ],
)
def test_a_search_that_is_none_is_refused(idp, members, scim_type):
    refusal(idp("POST", "/.search", members), 400, scim_type)


def walk(idp, path="/Users", **arguments):
    """Every page by cursor; what happens between the pages is the caller's business."""
    cursor = ""
    while cursor is not None:
        page = taken(
            idp.client.get(
                f"/scim/v2{path}",
                base_url="https://intranet.example",
                query_string={**arguments, "cursor": cursor},
                headers={"Authorization": f"Bearer {idp.token}"},
            )
        )
        assert "startIndex" not in page
        yield page
        cursor = page.get("nextCursor")


def test_cursors_lead_through_the_whole_list(idp):
    """RFC 9865 2: an empty cursor begins, the last page has no next."""
    made = [idp.create(f"p{number}")["id"] for number in range(5)]
    pages = list(walk(idp, count=2))
    assert [page["itemsPerPage"] for page in pages] == [2, 2, 1]
    assert [page["totalResults"] for page in pages] == [5, 5, 5]
    assert [each["id"] for page in pages for each in page["Resources"]] == made
    assert [each["id"] for page in walk(idp, count=5) for each in page["Resources"]] == made
    assert [page["Resources"] for page in walk(idp, count=0)] == [[]]


def test_under_churn_each_stable_one_is_seen_exactly_once(idp):
    """Whoever comes and goes between the pages moves nobody else."""
    stable = [idp.create(f"s{number}")["id"] for number in range(6)]
    leaving = [idp.create(f"l{number}")["id"] for number in range(3)]
    stable += [idp.create(f"t{number}")["id"] for number in range(6)]
    seen = []
    for number, page in enumerate(walk(idp, count=2)):
        seen += [each["id"] for each in page["Resources"]]
        if leaving:
            idp.delete(leaving.pop())
        if number < 4:
            idp.create(f"n{number}")
    assert [id_ for id_ in seen if id_ in stable] == stable
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("by", ["title", "meta.created", "name.familyName", "userName"])
def test_cursors_lead_through_any_order(idp, by, descending):
    """Ties and missing values included; the pages are the list by index, cut elsewhere."""
    for number, (title, family) in enumerate(
        [("B", "Z"), (None, None), ("a", "Y"), ("B", None), (None, "Z"), ("ä", "y"), ("b", "")]
    ):
        idp.create(f"p{number}", title=title, name={"familyName": family} if family else None)
    order = {"sortBy": by, "sortOrder": "descending" if descending else "ascending"}
    whole = [each["id"] for each in idp.list(**order)["Resources"]]
    assert len(whole) == 7
    for count in (1, 2, 3):
        pages = list(walk(idp, count=count, **order))
        assert [each["id"] for page in pages for each in page["Resources"]] == whole


@pytest.mark.parametrize("key", [[None], [True], ["7"], [1.5], [-(2**40)], [[7]], [{}], [1, 2]])
def test_a_forged_key_is_refused(idp, key):
    """It holds nothing secret, so anybody can write one."""
    refusal(idp.try_list(cursor=cursor_after({}, key)), 400, "invalidCursor")


@pytest.mark.parametrize(
    "cursor", ["7", "W10", "W10=", "bm9uZQ", "é", "WzEsMl0", "%00", "a" * 5000]
)
def test_a_cursor_that_is_none_of_ours_is_refused(idp, cursor):
    refusal(idp.try_list(cursor=cursor), 400, "invalidCursor")


def test_a_cursor_belongs_to_its_question(idp):
    """With another filter it would skip people."""
    for number in range(3):
        idp.create(f"p{number}")
    cursor = next(walk(idp, count=1))["nextCursor"]
    refusal(
        idp.try_list(cursor=cursor, filter='displayName eq "P1"', count=1), 400, "invalidCursor"
    )
    refusal(idp.try_list(cursor="", count="many"), 400, "invalidCount")
    assert idp.list(cursor=cursor, count=1)["Resources"]


def test_groups_page_by_cursor_too(idp):
    made = [idp.group(f"G{number}")["id"] for number in range(3)]
    pages = list(walk(idp, "/Groups", count=2))
    assert [each["id"] for page in pages for each in page["Resources"]] == made
