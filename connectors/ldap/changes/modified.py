"""Changes by the time of the last one: for servers that offer nothing better.

Nobody is told who was deleted or moved out of the bases. Times are whole seconds of the server's
clock, so a few minutes are asked for again each time; who comes twice is compared and is equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import ldap3

from connectors.ldap.answers import ask
from connectors.ldap.changes.marks import require_no_jump
from connectors.ldap.changes.ways import Told
from connectors.ldap.connection import entries, root_dse
from connectors.ldap.entries import Entry, PersonReader
from connectors.ldap.reading import Search
from provisioning.domain.errors import MarkError

OVERLAP = timedelta(minutes=5)
_FORMAT = "%Y%m%d%H%M%SZ"
_OMITS = "deletions and moves out of the bases are left to the complete reading"


class Modified:
    """Changes by modifyTimestamp; in Active Directory, which computes that, by whenChanged."""

    name = "modified"

    def begin(self, connection: ldap3.Connection, search: Search) -> Mapping[str, str]:
        """Return the time, if the account may compare times of changes."""
        attribute = "whenChanged" if "dsservicename" in root_dse(connection) else "modifyTimestamp"
        now = datetime.now(UTC)
        for base in search.settings.base_dn:
            ask(connection, base, f"({attribute}>=19700101000000Z)")
            if not entries(connection):
                return {}
        return {"attribute": attribute, "at": now.strftime(_FORMAT)}

    def omits(self, _: Mapping[str, str]) -> str:
        """Return what is not told of; see `Way`."""
        return _OMITS

    def since(self, connection: ldap3.Connection, search: Search, value: Mapping[str, str]) -> Told:
        """Return who was changed lately; see `Way`."""
        now, attribute = datetime.now(UTC), value.get("attribute", "")
        try:
            begin = datetime.strptime(value.get("at", ""), _FORMAT).replace(tzinfo=UTC) - OVERLAP
        except ValueError as error:
            raise MarkError("the mark names no moment") from error
        if begin > now:
            raise MarkError("the mark is of a time that has not come")
        asked = f"({attribute}>={begin.strftime(_FORMAT)})"
        ids, reader = (
            replace(search, attributes=(attribute,)),
            PersonReader(search.id_attribute, ()),
        )
        candidates: set[str] = set()
        for base in search.settings.base_dn:
            for page in ids.pages(connection, base, asked):
                for entry in page:
                    _require_known_time(entry, attribute, now)
                    candidates.add(reader.anchor(entry))
                require_no_jump(len(candidates))
        return Told(
            candidates=frozenset(candidates - {""}),
            following={**value, "at": now.strftime(_FORMAT)},
        )


def _require_known_time(entry: Entry, attribute: str, now: datetime) -> None:
    """Refuse a server whose clock is so far before ours that the overlap does not cover it."""
    latest = (now + OVERLAP).strftime(_FORMAT)
    for name, values in entry["raw_attributes"].items():
        if name.lower() == attribute.lower() and values[0][:14].decode("ascii", "replace") > latest:
            raise MarkError(
                f"{entry['dn']} was changed in the future: the clocks of the server and of this "
                "machine differ by more than five minutes"
            )
