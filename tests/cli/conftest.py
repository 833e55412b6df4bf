"""The `usher` command in a folder of its own, with an export to read."""

from __future__ import annotations

import pytest

from tests.kit.usher import Usher

CONFIG = """
[seats]
limit = 3
[departures]
missing_grace_nights = 0
[invitations]
grace_minutes = 0
[sources.corp]
type = "ldif"
path = "{folder}/corp.ldif"
first_run = "{first_run}"
"""
ENTRY = """
dn: uid={uid},ou=People,dc=corp,dc=example
objectClass: inetOrgPerson
uid: {uid}
cn: {name}
sn: {name}
mail: {uid}@corp.example
entryUUID: 00000000-0000-0000-0000-{number:012}
"""


class Folder(Usher):
    """An Usher with an LDIF export that tests rewrite."""

    def export(self, *uids: str) -> None:
        entries = [
            ENTRY.format(uid=uid, name=uid.title(), number=ord(uid[0])) for uid in sorted(uids)
        ]
        (self.folder / "corp.ldif").write_text(
            f"version: 1\n{''.join(entries)}\n# search result\n# numEntries: {len(entries)}\n"
        )


@pytest.fixture
def make_folder(tmp_path):
    """Return a maker of folders: `first_run` is plan or apply."""

    def make(first_run: str = "apply") -> Folder:
        config = tmp_path / "usher.toml"
        config.write_text(CONFIG.format(folder=tmp_path, first_run=first_run))
        usher = Folder(
            tmp_path,
            {"USHER_CONFIG": str(config), "DATABASE_URL": f"sqlite:///{tmp_path}/usher.db"},
        )
        usher.export("ann", "bob", "cyd", "dan")
        return usher

    return make


@pytest.fixture
def usher(make_folder):
    """Three seats, four people, a source that needs no release."""
    return make_folder()
