"""A walk by cursor through ten thousand, while others come and go (RFC 9865)."""

from __future__ import annotations

import random

import pytest

from tests.kit.scim_client import taken


@pytest.mark.parametrize("filter", [None, "active eq true"])
def test_each_stable_one_is_met_exactly_once(idp, many_people, filter):
    """Whoever is there from the first page to the last is on exactly one of them."""
    ids = many_people(10_000)
    chance = random.Random(9)
    leaving = chance.sample(ids, 100)
    stable = set(ids) - set(leaving)
    seen, cursor, came = [], "", 0
    while cursor is not None:
        arguments = {"cursor": cursor, "count": 200, "attributes": "id"}
        page = taken(idp.try_list(**arguments, **({"filter": filter} if filter else {})))
        seen += [resource["id"] for resource in page["Resources"]]
        for _ in range(2):
            if leaving:
                idp.delete(leaving.pop())
        idp.activate(idp.create(f"new{came}")["id"], False)
        came += 1
        cursor = page.get("nextCursor")
    assert came >= 50
    assert len(seen) == len(set(seen))
    assert stable <= set(seen)
