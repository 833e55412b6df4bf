"""One real OpenLDAP for all tests of the connector; each asks it in its own way."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
from tests.kit.people import plain_people
from tests.kit.slapd import running_slapd

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
            **settings,
        }
        return LdapDirectory("corp", LdapSettings.from_options("corp", options), ATTRIBUTES)

    return make
