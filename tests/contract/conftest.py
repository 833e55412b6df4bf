"""One company of twelve in every kind of source that can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
from connectors.ldif.directory import LdifDirectory
from connectors.ldif.settings import LdifSettings
from tests.kit.people import SUFFIX, ldif, plain_people
from tests.kit.slapd import running_slapd
from tests.kit.sources import MemoryDirectory, entry

PEOPLE = plain_people(12)
ATTRIBUTES = ("uid", "mail", "cn")


@dataclass(frozen=True)
class Kind:
    """A source of one kind: as it is, and as it is when it breaks off or is away."""

    whole: Any
    cut: Any
    away: Any = None
    """None: this kind cannot be away."""


@pytest.fixture(scope="session")
def memory():
    people = [entry(each.uid, anchor=each.entry_uuid) for each in PEOPLE]
    cut = MemoryDirectory("corp", people)
    cut.cut_after = 7
    return Kind(MemoryDirectory("corp", people), cut)


@pytest.fixture(scope="session")
def ldif_export(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    text = "".join(ldif(PEOPLE))

    def directory(name, content):
        path = folder / name
        if content is not None:
            path.write_text(content)
        return LdifDirectory("corp", LdifSettings(path=path), ATTRIBUTES)

    trailer = f"# numEntries: {text.count('dn: ')}\n"
    return Kind(
        directory("whole.ldif", text + trailer),
        directory("cut.ldif", f"{text[: len(text) // 2]}\n\n{trailer}"),
        directory("away.ldif", None),
    )


@pytest.fixture(scope="session")
def ldap():
    with running_slapd(PEOPLE) as server:

        def directory(**settings):
            options = {
                "uri": server.ldaps_uri,
                "bind_dn": server.reader_dn,
                "bind_password": server.reader_password,
                "base_dn": f"ou=People,{SUFFIX}",
                "ca_file": str(server.ca_file),
                "page_size": 5,
                "connect_seconds": 2,
                **settings,
            }
            return LdapDirectory("corp", LdapSettings.from_options("corp", options), ATTRIBUTES)

        yield Kind(
            directory(),
            directory(base_dn=f"ou=Nowhere,{SUFFIX}"),
            directory(uri="ldaps://127.0.0.1:9"),
        )


@pytest.fixture(params=["memory", "ldif_export", "ldap"])
def kind(request):
    """Every kind of source in turn."""
    return request.getfixturevalue(request.param)
