"""Photos, apart from the reading of people: ten thousand octets each would be most of it.

who is looked at                       how
-------------------------------------  -----------------------------------------------------
everybody, the first time              who has a photo, by its presence
whoever comes later                    by their ids
whose entry was modified since a time  by modifyTimestamp or whenChanged, a day before it on
everybody else                         not at all

Their own time stamp is the only hint directories give that does not cost the photo. It says that
something of the entry was modified; whether it was the photo is found by its hash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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

    def photos(
        self, of: Collection[str] | None, since: datetime | None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield id and photo of whoever has one, of some ids or modified since a time only.

        Raises:
            SourceError: As reading people does.
        """
        reader, wanted = PersonReader(self.search.id_attribute, ()), self.attribute.lower()
        some = [""] if of is None else reader.filters_of(of, PHOTOS_AT_ONCE)
        asked = (f"({self.attribute}=*){self._modified(since)}{each}" for each in some)
        few = min(self.search.settings.page_size, PHOTOS_AT_ONCE)
        for entry in self._below_bases(asked, few, (self.attribute,)):
            for name, values in entry["raw_attributes"].items():
                if name.lower() == wanted and values and (anchor := reader.anchor(entry)):
                    yield anchor, values[0]

    def without(self, since: datetime) -> Iterator[str]:
        """Yield the id of whoever was modified since a time and has no photo.

        Raises:
            SourceError: As reading people does.
        """
        reader = PersonReader(self.search.id_attribute, ())
        asked = f"(!({self.attribute}=*)){self._modified(since)}"
        for entry in self._below_bases([asked], self.search.settings.page_size, ()):
            if anchor := reader.anchor(entry):
                yield anchor

    def _modified(self, since: datetime | None) -> str:
        if since is None:
            return ""
        return f"({self.modified_attribute}>={(since - OVERLAP).strftime('%Y%m%d%H%M%S.0Z')})"

    def _below_bases(
        self, asked: Iterable[str], page_size: int, attributes: Collection[str]
    ) -> Iterator[Entry]:
        settings = self.search.settings.model_copy(update={"page_size": page_size})
        search = replace(self.search, settings=settings, attributes=attributes)
        with signed_in(settings) as connection:
            for each in asked:
                for base in settings.base_dn:
                    for page in search.pages(connection, base, f"(&{search.user_filter}{each})"):
                        yield from page
