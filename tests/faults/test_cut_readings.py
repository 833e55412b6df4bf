"""A directory that breaks off at any byte dismisses nobody (R2, safety 1)."""

from __future__ import annotations

import pytest

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import SourceError
from tests.kit.cutting import cutting
from tests.kit.people import plain_people
from tests.kit.slapd import running_slapd

OFFSETS = 200


@pytest.fixture(scope="module")
def slapd():
    """A server with 500 people."""
    with running_slapd(plain_people(500)) as server:
        yield server


def options(slapd, port):
    return LdapSettings.from_options(
        "corp",
        {
            "uri": f"ldaps://127.0.0.1:{port}",
            "bind_dn": slapd.reader_dn,
            "bind_password": slapd.reader_password,
            "base_dn": slapd.people_dn,
            "ca_file": str(slapd.ca_file),
            # Named, so that there is one connection to cut and not a first one to detect.
            "preset": "openldap",
            "page_size": 100,
            "receive_seconds": 5,
        },
    )


def bytes_of_a_whole_reading(slapd):
    with cutting(slapd.tls_port) as proxy:
        directory = LdapDirectory("corp", options(slapd, proxy.port), ("uid", "mail", "cn"))
        assert sum(1 for _ in directory.read()) == 500
        return proxy.passed


@pytest.mark.timeout(1_500)
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_reading_cut_at_200_offsets_is_never_complete(slapd, reset):
    """R2: an error every time; not one of the five hundred is concluded to have left."""
    whole = bytes_of_a_whole_reading(slapd)
    for step in range(1, OFFSETS + 1):
        cut = whole * step // (OFFSETS + 2)
        with cutting(slapd.tls_port, cut=cut, reset=reset) as proxy:
            directory = LdapDirectory("corp", options(slapd, proxy.port), ("uid", "mail", "cn"))
            with pytest.raises(SourceError):
                list(directory.read())
