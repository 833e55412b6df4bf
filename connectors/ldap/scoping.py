"""Whether an entry that the filter found is in scope: the one place where that is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from connectors.ldap.entries import Entry
from connectors.ldap.names import Name, is_below, parent_of, parse_name, parsed
from connectors.ldap.settings import LdapSettings


@dataclass
class Scope:
    """Judges entries one after the other, and counts whom each exclusion left out."""

    settings: LdapSettings
    left_out: dict[str, int] = field(default_factory=dict)
    """Entries by the exclusion that met them, as it is written in the settings."""

    sentinel_seen: bool = False

    def takes(self, entry: Entry, anchor: str) -> bool:
        """Whether an entry below a base is in scope.

        Args:
            entry: What the server said.
            anchor: Its immutable id.
        """
        if self._watched:
            self._watch(entry["dn"])
        if self._places or self._ids:
            exclusion = self.exclusion(entry["dn"], anchor)
            if exclusion is not None:
                self.left_out[exclusion] = self.left_out.get(exclusion, 0) + 1
                return False
        return True

    def exclusion(self, dn: str, anchor: str) -> str | None:
        """Return what leaves an entry out, as the settings write it, or None."""
        if anchor in self._ids:
            return self._ids[anchor]
        if not self._places:
            return None
        above = parsed(parent_of(dn))
        for place, exclusion in self._places:
            if above is not None and is_below(above, place):
                return exclusion
            # Only what stands right beside the excluded entry can be the entry itself.
            if above == place[1:] and _is(dn, place):
                return exclusion
        return None

    @property
    def lacks_sentinel(self) -> bool:
        """Whether an entry that has to be among those read was not."""
        return self._watched is not None and not self.sentinel_seen

    @property
    def unused(self) -> Sequence[str]:
        """Exclusions that met nobody: misspelled, or of somebody who has gone."""
        return [each for each in self.settings.exclude if each not in self.left_out]

    def _watch(self, dn: str) -> None:
        if not self.sentinel_seen and self._watched is not None:
            self.sentinel_seen = parsed(parent_of(dn)) == self._watched[1:] and _is(
                dn, self._watched
            )

    @cached_property
    def _watched(self) -> Name | None:
        written = self.settings.sentinel_dn
        return parse_name(written) if written else None

    @cached_property
    def _places(self) -> Sequence[tuple[Name, str]]:
        return [(parse_name(each), each) for each in self.settings.exclude if "=" in each]

    @cached_property
    def _ids(self) -> Mapping[str, str]:
        return {each.lower().strip("{}"): each for each in self.settings.exclude if "=" not in each}


def _is(dn: str, name: Name) -> bool:
    try:
        return parse_name(dn) == name
    except ValueError:
        return False
