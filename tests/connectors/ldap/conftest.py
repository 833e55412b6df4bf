"""One real OpenLDAP for all tests of the connector; each asks it in its own way."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.factory import make_readable
from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
from provisioning.domain.policy import Policy
from tests.kit.people import plain_people
from tests.kit.slapd import running_slapd
from tests.kit.world import World, make_world

PEOPLE = 450
ATTRIBUTES = ("uid", "mail", "cn", "displayName")


@pytest.fixture(scope="session")
def slapd():
    """A server with 450 people; tests put back what they change."""
    with running_slapd(plain_people(PEOPLE)) as server:
        yield server


@pytest.fixture
def open_directory(slapd):
    """Make a directory with other settings than the right ones."""

    def make(**settings: Any) -> LdapDirectory:
        options = {
            "uri": slapd.ldaps_uri,
            "bind_dn": slapd.reader_dn,
            "bind_password": slapd.reader_password,
            "base_dn": slapd.people_dn,
            "ca_file": str(slapd.ca_file),
            "page_size": 100,
            "receive_seconds": 5,
            "changes": "off",  # tests of pages count those of people only
            **settings,
        }
        return LdapDirectory("corp", LdapSettings.from_options("corp", options), ATTRIBUTES)

    return make


@pytest.fixture
def open_world(sqlite_url):
    """A world over a branch, read by its preset and own rules, in which everybody has joined."""
    worlds: list[World] = []

    def make(branch, own=None, **options: Any) -> World:
        readable = make_readable(
            "corp", "ldap", branch.options(changes="off", **options), own or {}
        )
        world = make_world(
            sqlite_url,
            policy=Policy(dismiss_percent=100, rolling_percent=100),
            corp={"directory": readable.directory, "mapping": readable.mapping},
        )
        worlds.append(world)
        world.sync()
        world.accept(*world.states())
        return world

    yield make
    for world in worlds:
        world.services.context.database.close()
