"""Reading changes: candidates by the server's own way, then each of them whole, by id (R2, R6).

No way's own idea of an entry is believed: who may have changed is read again by the very search
of a complete reading, and who is not found by it is gone from the scope.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

import ldap3

from connectors.ldap.changes.beside import beside
from connectors.ldap.changes.dirsync import DirSync
from connectors.ldap.changes.marks import Mark, require_no_jump
from connectors.ldap.changes.modified import Modified
from connectors.ldap.changes.syncrepl import Syncrepl
from connectors.ldap.changes.usn import Usn
from connectors.ldap.changes.ways import Way
from connectors.ldap.connection import signed_in
from connectors.ldap.reading import Search
from provisioning.domain.errors import MarkError, SourceError
from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import ChangesProof

_WAYS: Sequence[Way] = (DirSync(), Syncrepl(), Usn(), Modified())
"""The best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed in a directory, as one account sees one scope of it."""

    search: Search
    scope: str
    """A digest of who is read."""

    def mark(self, connection: ldap3.Connection) -> str:
        """Return where changes begin now; "" if the server tells none, or refuses to say.

        What breaks here breaks the reading behind it as well; what is only refused does not.
        """
        try:
            return self._begin(connection)
        except SourceError:
            return ""

    def _begin(self, connection: ldap3.Connection) -> str:
        way, value = self._best(connection)
        if way is None:
            return ""
        return Mark(
            way=way.name,
            scope=self._asked(),
            beside=beside(connection, self.search),
            value=value,
        ).to_text()

    def offered(self, connection: ldap3.Connection) -> str:
        """Return the way changes are told, and what it does not tell; "" if none is offered.

        Raises:
            SourceError: The connection broke, or the server refused.
        """
        way, value = self._best(connection)
        if way is None:
            return ""
        return "; ".join(filter(None, (f"changes by {way.name}", way.omits(value))))

    def people(self, text: str) -> Generator[RawPerson, None, ChangesProof]:
        """Yield everyone who is new or changed since a mark, whole.

        Raises:
            MarkError: The mark is not ours, or what it leads to is doubtful.
            SourceError: The reading was cut short.
        """
        began, mark, settings = monotonic(), Mark.from_text(text), self.search.settings
        way = next((each for each in self._ways() if each.name == mark.way), None)
        if way is None or mark.scope != self._asked():
            raise MarkError("the mark belongs to another scope, account or way of asking")
        with signed_in(settings) as connection:
            self.search.require_bases(connection)
            # In this order: what happens meanwhile is told once more, and never lost.
            told = way.since(connection, self.search, mark.value)
            require_no_jump(len(told.candidates))
            if beside(connection, self.search) != mark.beside:
                raise MarkError(
                    "a unit or a group that people are in is another than it was, and nobody "
                    "tells of the people in it"
                )
            gone = yield from self.search.people_by_id(sorted(told.candidates), connection)
        following = Mark(way=mark.way, scope=mark.scope, beside=mark.beside, value=told.following)
        return ChangesProof(
            entries=len(told.candidates) - len(gone),
            gone=tuple(gone),
            mark=following.to_text(),
            detail=self._detail(way, mark, len(told.candidates), monotonic() - began),
        )

    def _detail(self, way: Way, mark: Mark, changes: int, seconds: float) -> str:
        words = f"{changes:,} changes by {way.name} from {self.search.settings.host}"
        omits = way.omits(mark.value)
        return f"{words}, {seconds:.1f} s{f'; {omits}' if omits else ''}"

    def _best(self, connection: ldap3.Connection) -> tuple[Way | None, Mapping[str, str]]:
        """Return the first way the server offers, and where changes begin by it."""
        for way in self._ways():
            if value := way.begin(connection, self.search):
                return way, value
        return None, {}

    def _ways(self) -> Sequence[Way]:
        """Return the ways the settings leave us."""
        named = self.search.settings.changes
        return [way for way in _WAYS if named in ("auto", way.name)]

    def _asked(self) -> str:
        settings = self.search.settings
        words = f"{self.scope} {settings.uri} {settings.bind_dn}"
        return hashlib.blake2b(words.encode(), digest_size=8).hexdigest()
