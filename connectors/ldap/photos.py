"""Photos, apart from the reading of people: ten thousand octets each would be most of it.

who is looked at                       how
-------------------------------------  -----------------------------------------------------
whose photo nobody has looked at yet   by their ids
whose entry was modified since a time  by modifyTimestamp or whenChanged, a day before it on
everybody else                         not at all

Their own time stamp is the only hint directories give that does not cost the photo. It says that
something of the entry was modified; whether it was the photo is found by its hash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import ldap3

from connectors.ldap.connection import signed_in
from connectors.ldap.entries import Entry, PersonReader
from connectors.ldap.reading import Search

PHOTOS_AT_ONCE = 50
"""Entries on one page: some megabytes at most."""

OVERLAP = timedelta(days=1)
"""What clocks may differ by, and what replicas may lag behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSearch:
    """Asks for the photos of some people of a directory."""

    search: Search
    """As people are searched for."""

    attribute: str
    """The one photos are in."""

    modified_attribute: str

    def of(self, ids: Collection[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield the photo of everybody of some ids who is there, or None if there is none.

        Raises:
            SourceError: As reading people does.
        """
        reader = PersonReader(self.search.id_attribute, ())
        with signed_in(self.search.settings) as connection:
            for anyone in reader.filters_of(ids, PHOTOS_AT_ONCE):
                yield from self._below_bases(connection, anyone)

    def since(self, moment: datetime) -> Iterator[tuple[str, bytes | None]]:
        """Yield the photo of everybody whose entry was modified since a time, as `of` does.

        Raises:
            SourceError: As reading people does.
        """
        begin = (moment - OVERLAP).strftime("%Y%m%d%H%M%S.0Z")
        with signed_in(self.search.settings) as connection:
            yield from self._below_bases(connection, f"({self.modified_attribute}>={begin})")

    def _below_bases(
        self, connection: ldap3.Connection, asked: str
    ) -> Iterator[tuple[str, bytes | None]]:
        settings = self.search.settings
        few = min(settings.page_size, PHOTOS_AT_ONCE)
        search = replace(
            self.search,
            settings=settings.model_copy(update={"page_size": few}),
            attributes=(self.attribute,),
        )
        reader = PersonReader(search.id_attribute, ())
        for base in settings.base_dn:
            for page in search.pages(connection, base, f"(&{search.user_filter}{asked})"):
                for entry in page:
                    if anchor := reader.anchor(entry):
                        yield anchor, self._photo(entry)

    def _photo(self, entry: Entry) -> bytes | None:
        wanted = self.attribute.lower()
        for name, values in entry["raw_attributes"].items():
            if name.lower() == wanted and values:
                return bytes(values[0])
        return None
