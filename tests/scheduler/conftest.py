"""A source of two people that is read every night, and a clock that obeys."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.cel.compiler import CelCompiler
from provisioning.domain.mapping import compile_mapping
from provisioning.services.context import ConfiguredSource
from tests.kit.services import FakeClock, make_services
from tests.kit.sources import MemoryDirectory, entry


@pytest.fixture
def corp():
    return MemoryDirectory("corp", [entry("ann"), entry("bob")])


@pytest.fixture
def clock():
    return FakeClock(datetime(2026, 11, 23, 12, tzinfo=UTC))


@pytest.fixture
def services(database_url, corp, clock):
    rules = {"user_name": "uid", "mail": "mail", "display_name": "cn"}
    source = ConfiguredSource(
        name="corp",
        kind="ldap",
        first_run="apply",
        directory=corp,
        mapping=compile_mapping(rules, CelCompiler()),
    )
    services = make_services(
        database_url, clock=clock, sources={"corp": source}, time_zone="Europe/Berlin"
    )
    yield services
    services.context.database.close()
