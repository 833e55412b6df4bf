"""A hundred thousand generated filters on both databases (RFC 7644 3.4.2.2)."""

from __future__ import annotations

import random

import pytest

from tests.kit.scim_client import connect
from tests.kit.scim_crowd import store_crowd
from tests.kit.scim_questions import Questions, disagreements
from tests.kit.world import make_world

SIZE = 200
CHUNKS = 50
FILTERS_PER_CHUNK = 2_000


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(CHUNKS))
def test_filters_find_whom_the_reference_finds(seed, sqlite_url, postgresql_url):
    """Each chunk is another crowd of its own seed, which says how to ask again."""
    worlds = {"SQLite": make_world(sqlite_url), "PostgreSQL": make_world(postgresql_url)}
    stored = [store_crowd(connect(world.services), SIZE, seed) for world in worlds.values()]
    databases = {name: world.services.context.database for name, world in worlds.items()}
    for of_groups, number in ((False, FILTERS_PER_CHUNK * 4 // 5), (True, FILTERS_PER_CHUNK // 5)):
        questions = Questions(stored[0], random.Random(seed), of_groups=of_groups)
        assert not disagreements(questions, databases, number), f"seed {seed}"
    for world in worlds.values():
        world.services.context.database.close()
