"""An LDAP directory as a source of people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.ldap.changes.reading import Changes
from connectors.ldap.checking import Check
from connectors.ldap.connection import detect, signed_in
from connectors.ldap.finding import Finder
from connectors.ldap.photos import PhotoSearch
from connectors.ldap.presets import NAMES, LdapPreset, load_preset
from connectors.ldap.reading import Search
from connectors.ldap.settings import LdapSettings
from connectors.sampling import unseen
from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import DirectoryChanges, DirectorySnapshot, SnapshotProof
from provisioning.ports import CheckReport, FoundPerson


@dataclass(frozen=True, slots=True)
class LdapDirectory:
    """Reads everyone below a base, completely or not at all."""

    name: str
    settings: LdapSettings
    attributes: Collection[str]
    """What the mapping needs, in the mapping's spelling."""

    names: Collection[str] = ()
    """Those of them by which people are called: user name, mail, aliases, number."""

    def preset(self) -> LdapPreset:
        """Return the preset that is set, or that fits the directory that answers.

        Raises:
            SourceUnavailableError: It has to be asked and does not answer.
            ConfigurationError: It is none we know.
        """
        if self.settings.preset != "auto":
            return load_preset(self.settings.preset)
        with signed_in(self.settings) as connection:
            return load_preset(detect(connection))

    def read(self) -> DirectorySnapshot:
        """Begin to read everyone; see `reading` for what makes it complete."""
        return DirectorySnapshot(self._reading())

    def _reading(self) -> Generator[RawPerson, None, SnapshotProof]:
        search = self.search(self.preset())
        if self.offers_changes:
            search = replace(search, mark_before=self._changes(search).mark)
        return (yield from search.people())

    def _changes(self, search: Search) -> Changes:
        return Changes(search=search, scope=self.scope)

    def search(self, preset: LdapPreset) -> Search:
        """Return what is asked of a directory of this kind."""
        return Search(
            settings=self.settings,
            user_filter=self.settings.user_filter or preset.user_filter,
            id_attribute=self.settings.id_attribute or preset.id_attribute,
            attributes=self.attributes,
        )

    @property
    def scope(self) -> str:
        """Who is read, as a digest: bases, filter, id and exclusions, the presets' included."""
        settings = self.settings
        presets = NAMES if settings.preset == "auto" else (settings.preset,)
        usual = [load_preset(name) for name in presets]
        words = [
            sorted(settings.base_dn),
            sorted(settings.exclude),
            [sorted(each) for each in (settings.groups, settings.exclude_groups)],
            [settings.user_filter or preset.user_filter for preset in usual],
            [settings.id_attribute or preset.id_attribute for preset in usual],
        ]
        if settings.group_base_dn and (settings.groups or settings.exclude_groups):
            # Groups within groups are looked for there only.
            words.append(sorted(settings.group_base_dn))
        return hashlib.blake2b(json.dumps(words).encode(), digest_size=8).hexdigest()

    @property
    def offers_changes(self) -> bool:
        """Whether changes are asked for; a server that tells none gives no mark to begin at."""
        return self.settings.changes != "off"

    @property
    def has_photos(self) -> bool:
        """Whether photos are wanted."""
        return self.settings.photos != "off"

    def photos(
        self, *, of: Collection[str] | None = None, since: datetime | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield id and photo of whoever has one; see `photos`."""
        return self._photos().photos(of, since)

    def without_photo(self, since: datetime) -> Iterator[str]:
        """Yield the ids of who was modified since and has no photo; see `photos`."""
        return self._photos().without(since)

    def _photos(self) -> PhotoSearch:
        preset, named = self.preset(), self.settings.photos
        return PhotoSearch(
            search=self.search(preset),
            attribute=preset.photo_attribute if named == "auto" else named,
            modified_attribute=preset.modified_attribute,
        )

    def changes(self, mark: str) -> DirectoryChanges:
        """Begin to read what changed since a mark; see `changes.reading`."""
        return DirectoryChanges(self._changes(self.search(self.preset())).people(mark))

    def find(self, words: str) -> Sequence[FoundPerson]:
        """Look somebody up by id, DN, user name, mail, alias or number; see `finding`."""
        preset = self.preset()
        # What people of Active Directory sign in with, whatever is mapped.
        short = ("sAMAccountName",) if preset.name == "active-directory" else ()
        return Finder(self.search(preset), {*self.names, *short}).find(words)

    def check(self, see: Callable[[RawPerson], object] = unseen) -> CheckReport:
        """Connect, bind, detect and search, a step each; the first that fails is the last."""
        return Check(self.settings, self.search, see).report()
