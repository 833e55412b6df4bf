"""A hundred thousand generated filters on both databases (RFC 7644 3.4.2.2)."""

from __future__ import annotations

import random

import pytest

from tests.kit.scim_crowd import crowded
from tests.kit.scim_questions import Questions, disagreements

SIZE = 100
CHUNKS = 100
ON_PEOPLE, ON_GROUPS = 800, 200


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(CHUNKS))
def test_filters_find_whom_the_reference_finds(seed, sqlite_url, postgresql_url):
    """Each chunk asks a crowd of its own; its seed asks the same again."""
    with crowded(sqlite_url, postgresql_url, SIZE, seed) as (crowd, databases):
        on_people = Questions(crowd, random.Random(seed))
        assert not disagreements(on_people, databases, ON_PEOPLE), f"seed {seed}"
        on_groups = Questions(crowd, random.Random(seed), of_groups=True)
        assert not disagreements(on_groups, databases, ON_GROUPS), f"seed {seed}"
