"""The pages over a world of one source, on SQLite."""

from __future__ import annotations

import pytest

from tests.kit.site import administrator, make_site
from tests.kit.world import make_world


@pytest.fixture
def world(sqlite_url):
    """A world with three seats."""
    world = make_world(sqlite_url, seats=3)
    yield world
    world.services.context.database.close()


@pytest.fixture
def site(world):
    """The web application over it."""
    return make_site(world.services)


@pytest.fixture
def admin(site, world):
    """Its administrator, signed in."""
    return administrator(site, world.services)
