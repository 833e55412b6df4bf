"""Changes of Active Directory by uSNChanged, the number of the change each domain controller keeps.

What is deleted is moved to CN=Deleted Objects, which only some accounts may look into; everybody
else finds nothing there, and no error. So what is deleted has to have been seen there, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import ldap3
from ldap3.core.results import RESULT_SIZE_LIMIT_EXCEEDED, RESULT_SUCCESS

from connectors.ldap.answers import Reach, ask
from connectors.ldap.changes.dirsync import OBJECT_GUID
from connectors.ldap.changes.domain_controllers import (
    DOMAIN_SCOPE,
    PEOPLE,
    SHOW_DELETED,
    controller,
    require_controller,
)
from connectors.ldap.changes.marks import require_no_jump
from connectors.ldap.changes.ways import Told
from connectors.ldap.connection import entries
from connectors.ldap.entries import PersonReader
from connectors.ldap.reading import Search
from provisioning.domain.errors import MarkError

_TOLD, _HIDDEN = "told", "hidden"
_OMITS = "deletions are hidden from this account and left to the complete reading"


class Usn:
    """Changes by number."""

    name = "usn"

    def begin(self, connection: ldap3.Connection, search: Search) -> Mapping[str, str]:
        """Return the number of the latest change, if the account may compare such numbers."""
        found = controller(connection, search)
        if found is None or not _finds(connection, found.context, "(uSNChanged>=1)", ldap3.BASE):
            return {}
        # A deleted entry keeps its objectGUID, and loses most other attributes.
        known = search.id_attribute.lower() == OBJECT_GUID.lower()
        deleted = _TOLD if known and _shows_deleted(connection, found.context) else _HIDDEN
        return {**found.identity, "number": str(found.highest), "deleted": deleted}

    def omits(self, value: Mapping[str, str]) -> str:
        """Return what is not told of; see `Way`."""
        return "" if value.get("deleted") == _TOLD else _OMITS

    def since(self, connection: ldap3.Connection, search: Search, value: Mapping[str, str]) -> Told:
        """Return whose number is greater than the mark's; see `Way`."""
        found = require_controller(connection, search, value)
        number, deleted = value.get("number", ""), value.get("deleted")
        if not number.isdecimal() or int(number) > found.highest:
            raise MarkError(f"the server has not come to the mark, {number!r}: it was restored")
        if deleted == _TOLD and not _shows_deleted(connection, found.context):
            raise MarkError("what is deleted is hidden from this account now")
        asked = f"(&{PEOPLE}(uSNChanged>={int(number) + 1}))"
        controls = [DOMAIN_SCOPE, *([SHOW_DELETED] if deleted == _TOLD else [])]
        candidates: set[str] = set()
        reader, ids = PersonReader(search.id_attribute, ()), replace(search, attributes=())
        for page in ids.pages(connection, found.context, asked, controls):
            candidates.update(anchor for entry in page if (anchor := reader.anchor(entry)))
            require_no_jump(len(candidates))
        return Told(
            candidates=frozenset(candidates),
            following={**value, "number": str(found.highest)},
        )


def _shows_deleted(connection: ldap3.Connection, context: str) -> bool:
    """Whether something deleted is found: the container itself may be shown to everybody."""
    place = f"CN=Deleted Objects,{context}"
    return _finds(connection, place, "(isDeleted=TRUE)", ldap3.LEVEL, [SHOW_DELETED])


def _finds(
    connection: ldap3.Connection,
    base: str,
    asked: str,
    reach: Reach,
    controls: list[tuple[str, bool, None]] | None = None,
) -> bool:
    ask(connection, base, asked, reach, size_limit=1, controls=controls)
    answered = connection.result["result"] in (RESULT_SUCCESS, RESULT_SIZE_LIMIT_EXCEEDED)
    return answered and bool(entries(connection))
