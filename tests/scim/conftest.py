"""An identity provider beside a whole Usher, on both kinds of database."""

from __future__ import annotations

import shutil

import pytest

from tests.kit.scim_client import connect
from tests.kit.world import make_world as make


@pytest.fixture
def idp(world):
    """A client of a world without limits."""
    return connect(world.services)


@pytest.fixture
def make_idp(make_world):
    """Return a maker of a world and its client: choices are those of a world."""

    def making(*, release="apply", **choices):
        world = make_world(**choices)
        return world, connect(world.services, first_run=release)

    return making


@pytest.fixture
def sqlite_world(sqlite_url):
    """A world for what is decided before anything is stored: one kind of database is enough."""
    world = make(sqlite_url)
    yield world
    world.services.context.database.close()


@pytest.fixture(scope="module")
def protocol(sqlite_template, tmp_path_factory):
    """One client for all tests of a module that leave nothing behind another could trip over."""
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("protocol") / "usher.db")
    world = make(f"sqlite:///{path}")
    yield connect(world.services)
    world.services.context.database.close()
