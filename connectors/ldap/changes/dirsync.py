"""DirSync of Active Directory: everything that changed since a cookie, deletions included.

It is asked without OBJECT_SECURITY, so it answers accounts with the right "Replicating Directory
Changes" and refuses all others: with that flag anybody may ask, and deletions are left out
without a word. Only whole domains can be asked about, and an attribute that did not change is
not told; a wanted attribute that did not change would leave its entry out, so all are asked for.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence

import ldap3
from ldap3.core.results import RESULT_SUCCESS

from connectors.ldap.answers import ask, require_success
from connectors.ldap.changes.domain_controllers import (
    DOMAIN_SCOPE,
    PEOPLE,
    controller,
    require_controller,
)
from connectors.ldap.changes.encoding import element
from connectors.ldap.changes.marks import require_no_jump
from connectors.ldap.changes.ways import Told
from connectors.ldap.connection import entries
from connectors.ldap.entries import Entry, PersonReader
from connectors.ldap.messages import INTEGER, OCTETS, SEQUENCE
from connectors.ldap.reading import Search
from provisioning.domain.errors import MarkError

DIRSYNC = "1.2.840.113556.1.4.841"
OBJECT_GUID = "objectGUID"
_INCREMENTAL_VALUES = b"\x80\x00\x00\x00"
"""0x80000000 in four bytes: Active Directory refuses the five of a positive number."""

_MOST_BYTES = (1 << 20).to_bytes(4, "big")
_DOMAIN = "(objectClass=domainDNS)"
"""Next to nothing: the cookie behind it is where changes begin."""


class DirSync:
    """Changes by the control of that name."""

    name = "dirsync"

    def begin(self, connection: ldap3.Connection, search: Search) -> Mapping[str, str]:
        """Return a cookie of now, if the account may ask and people are known by objectGUID."""
        found = controller(connection, search)
        if found is None or search.id_attribute.lower() != OBJECT_GUID.lower():
            return {}
        cookie, more = b"", True
        while more:
            _ask_changes(connection, found.context, _DOMAIN, cookie)
            if connection.result["result"] != RESULT_SUCCESS:
                return {}
            cookie, more = _cookie(connection)
        return {**found.identity, "cookie": _text(cookie)}

    def omits(self, _: Mapping[str, str]) -> str:
        """Return what is not told of; see `Way`."""
        return ""

    def since(self, connection: ldap3.Connection, search: Search, value: Mapping[str, str]) -> Told:
        """Return who changed in the domain; see `Way`."""
        found = require_controller(connection, search, value)
        cookie, more = _octets(value.get("cookie", "")), True
        candidates: set[str] = set()
        while more:
            _ask_changes(connection, found.context, PEOPLE, cookie)
            require_success(connection, "the server tells no changes since the mark", MarkError)
            candidates.update(_anchors(entries(connection)))
            # A controller that does not know the cookie begins with everybody.
            require_no_jump(len(candidates))
            cookie, more = _cookie(connection)
        return Told(
            candidates=frozenset(candidates),
            following={**found.identity, "cookie": _text(cookie)},
        )


def _ask_changes(connection: ldap3.Connection, context: str, asked: str, cookie: bytes) -> None:
    value = element(
        SEQUENCE,
        element(INTEGER, _INCREMENTAL_VALUES),
        element(INTEGER, _MOST_BYTES),
        element(OCTETS, cookie),
    )
    controls = [(DIRSYNC, True, value), DOMAIN_SCOPE]
    ask(connection, context, asked, ldap3.SUBTREE, ["*"], controls=controls)


def _cookie(connection: ldap3.Connection) -> tuple[bytes, bool]:
    """Return where to go on, and whether there is more now."""
    control = connection.result.get("controls", {}).get(DIRSYNC)
    if control is None or not control["value"]["cookie"]:
        raise MarkError("the server's answer has no cookie to go on from")
    return bytes(control["value"]["cookie"]), bool(control["value"]["more_results"])


def _anchors(found: Sequence[Entry]) -> Iterator[str]:
    reader = PersonReader(OBJECT_GUID, ())
    for entry in found:
        anchor = reader.anchor(entry)
        if not anchor:
            raise MarkError("the server tells of somebody without saying who")
        yield anchor


def _text(cookie: bytes) -> str:
    return base64.b64encode(cookie).decode()


def _octets(text: str) -> bytes:
    try:
        cookie = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MarkError("the mark is no cookie") from error
    if not cookie:
        # Without one, the answer would be everybody, and nobody would ever be gone.
        raise MarkError("the mark is no cookie")
    return cookie
