"""One person of a directory, found by what they are called; nobody else is read (R9).

The words of whoever asks are a value in a filter and never a part of it (RFC 4515, section 3):
`*)(uid=*` is the name of nobody. Who is found is then read by id exactly as a run reads them, so
that scope, groups and computed attributes are judged in one place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import ldap3
from ldap3.core.results import (
    RESULT_INVALID_DN_SYNTAX,
    RESULT_NO_SUCH_OBJECT,
    RESULT_SIZE_LIMIT_EXCEEDED,
    RESULT_SUCCESS,
)
from ldap3.utils.conv import escape_filter_chars

from connectors.ldap.answers import Reach, ask, require_success
from connectors.ldap.connection import ANYTHING, entries, root_dse, signed_in
from connectors.ldap.entries import Entry, PersonReader
from connectors.ldap.reading import Search
from connectors.ldap.scoping import Scope
from provisioning.domain.errors import SourceError
from provisioning.domain.names import Name, is_below, parsed
from provisioning.domain.people import RawPerson
from provisioning.domain.rules import COMPUTED
from provisioning.ports import FoundPerson

MOST = 20
"""Entries of one name; whoever asks for more did not name anybody."""

_NOBODY = frozenset({RESULT_NO_SUCH_OBJECT, RESULT_INVALID_DN_SYNTAX})


@dataclass(frozen=True)
class Finder:
    """Looks for one person over a connection of its own."""

    search: Search
    names: Collection[str]
    """The attributes by which people are called."""

    def find(self, words: str) -> Sequence[FoundPerson]:
        """Return every entry that has this DN, id, user name, mail, alias or number.

        Raises:
            SourceError: The directory could not be asked, or too many are called so.
            SourceUnavailableError: It does not answer or refuses us.
        """
        words = words.strip()
        if not words:
            return []
        with signed_in(self.search.settings) as connection:
            found = {entry["dn"]: self._raw(entry) for entry in self._entries(connection, words)}
            ids = [raw.anchor for raw in found.values() if raw.anchor]
            read = {raw.where: raw for raw in self.search.people_by_id(ids, connection)}
            return [
                self._inside(read[raw.where])
                if raw.where in read
                else self._outside(connection, dn, raw)
                for dn, raw in sorted(found.items())
            ]

    def _entries(self, connection: ldap3.Connection, words: str) -> Sequence[Entry]:
        """Return whoever is called so: at the place, below a base, or anywhere else."""
        found = self._at(connection, words, ANYTHING) if parsed(words) else []
        asked = self.filter_of(words)
        for base in self.search.settings.base_dn if not found else ():
            found += self._below(connection, base, asked)
        if not found:
            for context in root_dse(connection).get("namingcontexts", ()):
                found += self._elsewhere(connection, context, asked)
        return found

    def filter_of(self, words: str) -> str:
        """Return the filter that finds whoever is called so."""
        value = escape_filter_chars(words)
        parts = [self._reader.filter_of(words.lower().strip("{}"))]
        for name in sorted(name for name in self.names if name != "dn" and COMPUTED not in name):
            parts.append(f"({name}={value})")
            if "@" in words:
                # proxyAddresses of Active Directory: SMTP:anna@corp.example
                parts.append(f"({name}=smtp:{value})")
        return f"(|{''.join(parts)})"

    def _at(self, connection: ldap3.Connection, dn: str, asked: str) -> list[Entry]:
        """Return the entry of a DN, if it is there and meets a filter."""
        self._ask(connection, dn, asked, ldap3.BASE)
        if connection.result["result"] in _NOBODY:
            return []
        require_success(connection, f"{dn} cannot be read")
        return [*entries(connection)]

    def _below(self, connection: ldap3.Connection, base: str, asked: str) -> list[Entry]:
        self._ask(connection, base, asked, ldap3.SUBTREE)
        if connection.result["result"] == RESULT_SIZE_LIMIT_EXCEEDED:
            raise SourceError(
                f"more than {MOST} entries below {base} are called so, or the server has a lower "
                "limit; nothing was done. Ask by the id or the DN"
            )
        require_success(connection, f"the search below {base} failed")
        return [*entries(connection)]

    def _elsewhere(self, connection: ldap3.Connection, context: str, asked: str) -> list[Entry]:
        """Return who is outside of every base, if the account may see them: only to say so."""
        self._ask(connection, context, asked, ldap3.SUBTREE)
        return [*entries(connection)] if connection.result["result"] == RESULT_SUCCESS else []

    def _ask(self, connection: ldap3.Connection, base: str, asked: str, reach: Reach) -> None:
        ask(connection, base, asked, reach, self.search.wanted, size_limit=MOST)

    def _inside(self, raw: RawPerson) -> FoundPerson:
        bases = (written for name, written in self._bases if self._is_below(raw.where, name))
        base = next(bases, self.search.settings.base_dn[0])
        scope = f"below {base}, and {self.search.user_filter} finds it"
        return FoundPerson(raw=raw, in_scope=True, scope=scope)

    def _outside(self, connection: ldap3.Connection, dn: str, raw: RawPerson) -> FoundPerson:
        why = " and ".join(self._reasons(connection, dn, raw.anchor))
        return FoundPerson(raw=raw, in_scope=False, scope=why)

    def _raw(self, entry: Entry) -> RawPerson:
        """Return an entry as it is read, without what is computed for those in scope."""
        raw = self._reader.person(entry, self._reader.anchor(entry))
        if not raw.anchor:
            raw = replace(raw, problem=f"{self.search.id_attribute} is missing: nothing says who")
        return raw

    def _reasons(self, connection: ldap3.Connection, dn: str, anchor: str) -> Iterator[str]:
        """Yield every reason for which a run does not read an entry that is there."""
        settings, search = self.search.settings, self.search
        if not any(self._is_below(dn, name) for name, _ in self._bases):
            yield f"it is not below {' or '.join(settings.base_dn)} (base_dn)"
            return
        if not anchor:
            yield f"it has no {search.id_attribute}, or the account may not read it (id_attribute)"
        exclusion = Scope(settings).exclusion(dn, anchor)
        if exclusion is not None:
            yield f"it is left out by {exclusion} (exclude)"
        if not self._at(connection, dn, search.user_filter):
            yield f"{search.user_filter} does not find it (user_filter)"
        elif exclusion is None and anchor:
            yield "the groups it is in leave it out (groups, exclude_groups)"

    @cached_property
    def _reader(self) -> PersonReader:
        return PersonReader(self.search.id_attribute, self.search.attributes)

    @cached_property
    def _bases(self) -> Sequence[tuple[Name, str]]:
        written = self.search.settings.base_dn
        return [(name, base) for base in written if (name := parsed(base)) is not None]

    @staticmethod
    def _is_below(dn: str, base: Name) -> bool:
        name = parsed(dn)
        return name is not None and is_below(name, base)
