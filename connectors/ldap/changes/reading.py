"""Reading changes: candidates by the server's own way, then each of them whole, by id (R2, R6).

No way's own idea of an entry is believed: who may have changed is read again by the very search
of a complete reading, and who is not found by it is gone from the scope.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from time import monotonic

import ldap3

from connectors.ldap.answers import require_success, unbroken
from connectors.ldap.changes.marks import Mark, require_no_jump
from connectors.ldap.changes.syncrepl import (
    context_cookie,
    csn_by_server,
    refresh,
    server_of,
)
from connectors.ldap.connection import entries, signed_in
from connectors.ldap.reading import Search
from provisioning.domain.errors import MarkError
from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import ChangesProof

SYNCREPL = "syncrepl"
_UNITS = "(|(objectClass=organizationalUnit)(objectClass=organization)(objectClass=dcObject))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed in an OpenLDAP directory, as one account sees one scope of it."""

    search: Search
    scope: str
    """A digest of who is read."""

    def mark(self, connection: ldap3.Connection) -> str:
        """Return where changes begin now; "" if the server tells none.

        Raises:
            SourceError: The connection broke.
        """
        cookie = context_cookie(connection, self.search.settings.base_dn[0])
        return self._mark(cookie) if cookie else ""

    def people(self, text: str) -> Generator[RawPerson, None, ChangesProof]:
        """Yield everyone who is new or changed since a mark, whole.

        Raises:
            MarkError: The mark is not ours, or what it leads to is doubtful.
            SourceError: The reading was cut short.
        """
        began, mark = monotonic(), Mark.from_text(text)
        if (mark.way, mark.scope) != (SYNCREPL, self._asked()):
            raise MarkError("the mark belongs to another scope, account or way of asking")
        known, settings = csn_by_server(mark.value), self.search.settings
        candidates: set[str] = set()
        following = ""
        with signed_in(settings) as connection:
            self.search.require_bases(connection)
            for base in settings.base_dn:
                answer = refresh(connection, base, self.search.user_filter, mark.value)
                candidates |= answer.candidates
                # The first base was asked first: what happened since is told once more, not lost.
                following = following or answer.cookie or mark.value
            self._require_units_unchanged(connection, known)
            require_no_jump(len(candidates))
            gone = yield from self.search.people_by_id(sorted(candidates), connection)
        return ChangesProof(
            entries=len(candidates) - len(gone),
            gone=tuple(gone),
            mark=self._mark(following),
            detail=(
                f"{len(candidates):,} changes by syncrepl from {settings.host}, "
                f"{monotonic() - began:.1f} s"
            ),
        )

    def _require_units_unchanged(
        self, connection: ldap3.Connection, known: Mapping[str, str]
    ) -> None:
        """Refuse changes while a unit is another: nobody tells of the people below it.

        Raises:
            MarkError: A unit was renamed, moved or made.
            SourceError: The connection broke.
        """
        for base in self.search.settings.base_dn:
            with unbroken():
                connection.search(
                    base,
                    f"(&{_UNITS}(entryCSN>={min(known.values())}))",
                    ldap3.SUBTREE,
                    dereference_aliases=ldap3.DEREF_NEVER,
                    attributes=["entryCSN"],
                )
            require_success(connection, "the units cannot be read")
            for entry in entries(connection):
                number = entry["raw_attributes"]["entryCSN"][0].decode()
                if number > known.get(server_of(number), ""):
                    raise MarkError(f"the unit {entry['dn']} changed; everyone is read")

    def _mark(self, cookie: str) -> str:
        return Mark(way=SYNCREPL, scope=self._asked(), value=cookie).to_text()

    def _asked(self) -> str:
        settings = self.search.settings
        words = f"{self.scope} {settings.uri} {settings.bind_dn}"
        return hashlib.blake2b(words.encode(), digest_size=8).hexdigest()
