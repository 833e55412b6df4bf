"""The complete-or-nothing reader (R2).

ldap3 never raises for sizeLimitExceeded, timeLimitExceeded or a referral, even under
`raise_exceptions`: the entries simply stop, and absence means dismissal. So every page has to
say success *and* carry the paging control, and only an empty cookie is the end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from time import monotonic

import ldap3

from connectors.ldap.answers import (
    ask,
    next_cookie,
    require_no_reference,
    require_success,
)
from connectors.ldap.connection import ANYTHING, entries, signed_in
from connectors.ldap.entries import Computed, Entry, PersonReader, by_place
from connectors.ldap.groups import GROUP_ATTRIBUTES, PERSON_ATTRIBUTES, Groups
from connectors.ldap.members import naming_contexts, read_groups
from connectors.ldap.scoping import Scope, groups_matter, names_groups
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import SourceError
from provisioning.domain.people import RawPerson
from provisioning.domain.places import units_above
from provisioning.domain.rules import COMPUTED
from provisioning.domain.snapshots import SnapshotProof

IDS_AT_ONCE = 100
"""People asked for by id in one request."""


def no_mark(_: ldap3.Connection) -> str:
    """Tell no place where changes begin."""
    return ""


@dataclass(slots=True)
class _Count:
    """What a reading met, for its proof."""

    began: float = field(default_factory=monotonic)
    people: int = 0
    pages: int = 0
    without_id: int = 0
    first_without_id: str = ""
    empty: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is asked of the directory."""

    settings: LdapSettings
    user_filter: str
    id_attribute: str
    attributes: Collection[str]
    mark_before: Callable[[ldap3.Connection], str] = no_mark
    """Is asked before the first page where changes after this reading will begin."""

    @property
    def wanted(self) -> Sequence[str]:
        """The attributes a server is asked for: what the mapping reads, and the id."""
        asked = {name for name in self.attributes if COMPUTED not in name}
        if groups_matter(self.settings, self.attributes):
            asked |= PERSON_ATTRIBUTES
        return sorted({*asked, self.id_attribute})

    def people(self, scope: Scope | None = None) -> Generator[RawPerson, None, SnapshotProof]:
        """Yield everyone to the proven end.

        Args:
            scope: A fresh one, for whoever wants to know afterwards what it counted.

        Raises:
            SourceError: A page, a referral, a limit or a break cut the reading short.
            SourceUnavailableError: The directory does not answer or refuses us.
        """
        count, scope = _Count(), scope or Scope(self.settings)
        with signed_in(self.settings) as connection:
            self.require_bases(connection)
            mark = self.mark_before(connection)
            scope.groups = self.groups(connection)
            for base in self.settings.base_dn:
                before = count.people
                yield from self._below(connection, base, self.user_filter, scope, count)
                if count.people == before:
                    count.empty.append(base)
        if scope.lacks_sentinel:
            raise SourceError(
                f"the sentinel entry {self.settings.sentinel_dn} was not among the "
                f"{count.people:,} read; nothing was concluded from them"
            )
        return SnapshotProof(
            entries=count.people,
            pages=count.pages,
            removals_proven=not count.without_id,
            detail=self._detail(count, scope),
            mark=mark,
        )

    def people_by_id(
        self, ids: Collection[str], connection: ldap3.Connection | None = None
    ) -> Generator[RawPerson, None, Sequence[str]]:
        """Yield those of some ids whom a complete reading would yield; returns the other ids.

        Args:
            ids: Anchors, as people have them.
            connection: One that is signed in, if it has to be the same server.

        Raises:
            SourceError: As in `people`.
            SourceUnavailableError: As in `people`.
        """
        left, reader = dict.fromkeys(ids), PersonReader(self.id_attribute, ())
        opened: AbstractContextManager[ldap3.Connection] = (
            signed_in(self.settings) if connection is None else nullcontext(connection)
        )
        with opened as connected:
            self.require_bases(connected)
            groups = self.groups(connected)
            for anyone in reader.filters_of(ids, IDS_AT_ONCE):
                asked = f"(&{self.user_filter}{anyone})"
                for base in self.settings.base_dn:
                    for person in self._below(connected, base, asked, Scope(self.settings, groups)):
                        left.pop(person.anchor, None)
                        yield person
        return list(left)

    def require_bases(self, connection: ldap3.Connection) -> None:
        """Refuse bases that are not there: a search below them would find nobody.

        Raises:
            SourceError: One of them cannot be read.
        """
        for base in self.settings.base_dn:
            ask(connection, base, ANYTHING)
            require_success(connection, f"the base {base} cannot be read")
            if not entries(connection):
                raise SourceError(
                    f"the base {base} cannot be read by {self.settings.bind_dn}; nothing was "
                    "concluded from it"
                )

    def pages(
        self,
        connection: ldap3.Connection,
        base: str,
        asked: str,
        controls: Sequence[tuple[str, bool, bytes | None]] = (),
    ) -> Iterator[Sequence[Entry]]:
        """Yield the entries below a base, page by page, to the proven end.

        Args:
            connection: Signed in.
            base: Where.
            asked: A filter.
            controls: What has to be said besides: names, criticality, values.

        Raises:
            SourceError: As in `people`.
        """
        cookie: bytes | None = None
        number = 0
        while cookie != b"":
            number += 1
            ask(
                connection,
                base,
                asked,
                ldap3.SUBTREE,
                self.wanted,
                number,
                paged_size=self.settings.page_size,
                paged_criticality=True,
                paged_cookie=cookie,
                controls=list(controls),
            )
            require_success(connection, f"reading stopped at page {number}")
            require_no_reference(connection)
            cookie = next_cookie(connection, number)
            yield entries(connection)

    def _below(
        self,
        connection: ldap3.Connection,
        base: str,
        asked: str,
        scope: Scope,
        count: _Count | None = None,
    ) -> Iterator[RawPerson]:
        """Yield who is in scope below a base; counts them if a proof needs it."""
        count = count or _Count()
        reader = PersonReader(self.id_attribute, self.attributes, self._computed(scope.groups))
        for page in self.pages(connection, base, asked):
            count.pages += 1
            for entry in page:
                anchor = reader.anchor(entry)
                if not scope.takes(entry, anchor):
                    continue
                if not anchor:
                    count.without_id += 1
                    count.first_without_id = count.first_without_id or entry["dn"]
                    continue
                count.people += 1
                yield reader.person(entry, anchor)

    def groups(self, connection: ldap3.Connection) -> Groups | None:
        """Read who is in which group, if that matters.

        Raises:
            SourceError: As in `people`.
        """
        if not groups_matter(self.settings, self.attributes):
            return None
        settings = self.settings
        return read_groups(
            connection,
            settings.group_base_dn or naming_contexts(connection, settings),
            replace(self, attributes=GROUP_ATTRIBUTES, id_attribute="cn").pages,
            None if names_groups(self.attributes) else (*settings.groups, *settings.exclude_groups),
        )

    def _computed(self, groups: Groups | None) -> Computed:
        """Return what the mapping reads that no server tells."""
        told = {"ou_path": by_place(units_above(self.settings.base_dn))}
        if groups is not None:
            told["group_names"] = groups.names_of
        return {name: told[name.lower()] for name in self.attributes if name.lower() in told}

    def _detail(self, count: _Count, scope: Scope) -> str:
        seconds = monotonic() - count.began
        words = [
            f"{count.people:,} entries in {count.pages} page(s) from {self.settings.host}",
            f"{seconds:.1f} s",
        ]
        if self.settings.sentinel_dn:
            words.append(f"among them {self.settings.sentinel_dn}")
        if count.without_id:
            words.append(
                f"{count.without_id:,} without {self.id_attribute} skipped, the first of them "
                f"{count.first_without_id}"
            )
        if len(self.settings.base_dn) > 1:
            words += [f"nobody below {base}" for base in count.empty]
        words += [f"{number:,} left out by {each}" for each, number in scope.left_out.items()]
        words += [f"nobody was left out by {each}" for each in scope.unused]
        return f"{', '.join(words)}; last cookie empty"
