"""What decides about people beside their own entries: the units above them, groups they are in.

Whoever is in a unit that is renamed or moved is another person to us - another place, maybe
another scope - and no server tells of them; the same holds for the members of a group. So what
there is of both is kept as a digest with every mark, and another digest means: read everyone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import ldap3

from connectors.ldap.connection import root_dse
from connectors.ldap.entries import Entry
from connectors.ldap.members import GROUP_FILTER, MEMBER_ATTRIBUTES, naming_contexts
from connectors.ldap.reading import Search
from connectors.ldap.scoping import names_groups

_CLASSES = (
    "organizationalUnit", "organization", "dcObject", "domain", "container", "nsContainer",
    "locality", "country",
)  # fmt: skip
_UNITS = f"(|{''.join(f'(objectClass={name})' for name in _CLASSES)})"
_VERSIONS = ("entryCSN", "uSNChanged")
_BACK_LINK = re.compile(r"\b(?:memberOf|isMemberOf)\b", re.IGNORECASE)
_ALL = 1 << 128


def beside(connection: ldap3.Connection, search: Search) -> str:
    """Return a digest of the units, and of the groups if they matter.

    Raises:
        SourceError: They cannot be read to their end.
    """
    total = _digest(_units(connection, search))
    if _reads_groups(search):
        total += _digest(_groups(connection, search))
    elif (groups := search.groups(connection)) is not None:
        total += groups.digest()
    return f"{total % _ALL:032x}"


def _reads_groups(search: Search) -> bool:
    """Whether any group may change who people are, and not their entries."""
    words = (search.user_filter, *search.attributes)
    return names_groups(search.attributes) or any(map(_BACK_LINK.search, words))


def _units(connection: ldap3.Connection, search: Search) -> Iterator[Entry]:
    asked = replace(search, attributes=())
    for base in search.settings.base_dn:
        for page in asked.pages(connection, base, _UNITS):
            yield from page


def _groups(connection: ldap3.Connection, search: Search) -> Iterator[Entry]:
    """Yield all groups, with what changes when they change; it is less than their members."""
    root = root_dse(connection)
    numbered = "OpenLDAProotDSE" in root.get("objectclass", ()) or "dsservicename" in root
    asked = replace(search, attributes=_VERSIONS if numbered else MEMBER_ATTRIBUTES)
    for base in search.settings.group_base_dn or naming_contexts(connection, search.settings):
        for page in asked.pages(connection, base, GROUP_FILTER):
            yield from page


def _digest(found: Iterable[Entry]) -> int:
    """Return a number that is the same for the same entries in any order."""
    return sum(int.from_bytes(_entry_digest(entry), "big") for entry in found)


def _entry_digest(entry: Entry) -> bytes:
    digest = hashlib.blake2b(entry["dn"].encode("utf-8", "surrogateescape"), digest_size=16)
    attributes: dict[str, Sequence[bytes]] = entry["raw_attributes"]
    for name in sorted(attributes):
        digest.update(f"\0{name}".encode())
        for value in sorted(attributes[name]):
            digest.update(b"\0%d:%s" % (len(value), value))
    return digest.digest()
