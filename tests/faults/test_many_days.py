"""Two hundred random days of a directory: changes and complete readings agree after each."""

from __future__ import annotations

import pytest

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
from tests.kit.people import plain_people
from tests.kit.sequences import live_through
from tests.kit.slapd import running_slapd


@pytest.fixture(scope="module")
def server():
    with running_slapd(plain_people(20)) as slapd:
        yield slapd


@pytest.mark.parametrize("number", range(1_000, 1_200))
def test_changes_and_a_complete_reading_agree(server, number):
    """R3, R6: whatever happened, in whatever order."""
    options = {
        "uri": server.ldaps_uri, "bind_dn": server.reader_dn, "preset": "openldap",
        "bind_password": server.reader_password, "base_dn": server.people_dn,
        "ca_file": str(server.ca_file),
    }  # fmt: skip
    corp = LdapDirectory("corp", LdapSettings.from_options("corp", options), ("uid", "mail"))
    known, there, _ = live_through(corp, server, number)
    assert known == there
