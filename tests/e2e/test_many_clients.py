"""Many clients at once, through sockets and two workers, on both databases."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.kit.crowding import at_once, crowd, served_crowd
from tests.kit.scim_client import user


@pytest.fixture
def make_client(tmp_path, database_url):
    with served_crowd(tmp_path, database_url) as make:
        yield make


def test_of_fifty_who_create_one_name_one_does(make_client):
    """RFC 7644 3.3: 201 once, 409 for everybody else, never a 500; then there is one of them."""

    def create(number):
        return lambda send: send("POST", "/Users", user("ann", externalId=f"x{number}"))

    answers = at_once(make_client, [create(number) for number in range(50)])
    assert Counter(status for status, _ in answers) == {201: 1, 409: 49}
    (made,) = [document for status, document in answers if status == 201]
    refusals = [document for status, document in answers if status == 409]
    assert all(made["id"] in refusal["detail"] for refusal in refusals)
    ((_, listed),) = at_once(make_client, [lambda send: send("GET", "/Users")])
    assert listed["totalResults"] == 1


def test_two_thousand_patches_of_sixteen_clients_are_all_kept(make_client):
    """Safety 6: nothing lost, no 412 that nobody asked for, and no 5xx."""
    crowd(make_client, 2_000, seed=1)
