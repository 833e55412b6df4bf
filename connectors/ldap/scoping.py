"""Whether an entry that the filter found is in scope: the one place where that is judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from connectors.ldap.entries import Entry
from connectors.ldap.groups import Groups, place_digest
from connectors.ldap.names import parse_pasted
from connectors.ldap.settings import LdapSettings
from provisioning.domain.names import Name, is_below, parse_name, parsed, split_first


def groups_matter(settings: LdapSettings, attributes: Collection[str]) -> bool:
    """Whether it has to be known who is in which group: for the scope, or for the mapping."""
    return bool(settings.groups or settings.exclude_groups) or names_groups(attributes)


def names_groups(attributes: Collection[str]) -> bool:
    """Whether a mapping reads the names of groups."""
    return any(name.lower() == "group_names" for name in attributes)


@dataclass
class Scope:
    """Judges entries one after the other, and counts whom each exclusion left out."""

    settings: LdapSettings
    groups: Groups | None = None
    """Who is in which group; None: it does not matter."""

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
        exclusion = None
        if self._places or self._ids:
            exclusion = self.exclusion(entry["dn"], anchor)
        if exclusion is None and self._scoped_by_groups:
            exclusion = self.group_exclusion(entry)
        if exclusion is not None:
            self.left_out[exclusion] = self.left_out.get(exclusion, 0) + 1
        return exclusion is None

    def group_exclusion(self, entry: Entry) -> str | None:
        """Return which setting about groups leaves an entry out, or None."""
        if self.groups is None:
            return None
        found = self.groups.of(entry)
        if self.settings.groups and found.isdisjoint(self._wanted):
            return "groups"
        for dn, number in self._unwanted.items():
            if number in found:
                return f"exclude_groups {dn}"
        return None

    def exclusion(self, dn: str, anchor: str) -> str | None:
        """Return what leaves an entry out, as the settings write it, or None."""
        if anchor in self._ids:
            return self._ids[anchor]
        if not self._places:
            return None
        above = parsed(split_first(dn)[1])
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
        """Exclusions that met nobody: misspelled, of somebody who has gone, or hidden from us."""
        groups = [f"exclude_groups {dn}" for dn in self.settings.exclude_groups]
        return [each for each in (*self.settings.exclude, *groups) if each not in self.left_out]

    @cached_property
    def _scoped_by_groups(self) -> bool:
        return bool(self.settings.groups or self.settings.exclude_groups)

    @cached_property
    def _wanted(self) -> frozenset[int]:
        return frozenset(self._numbers(self.settings.groups).values())

    @cached_property
    def _unwanted(self) -> Mapping[str, int]:
        return self._numbers(self.settings.exclude_groups)

    def _numbers(self, dns: Sequence[str]) -> dict[str, int]:
        return {dn: self.groups.by_place[place_digest(dn)] for dn in dns} if self.groups else {}

    def _watch(self, dn: str) -> None:
        if not self.sentinel_seen and self._watched is not None:
            self.sentinel_seen = parsed(split_first(dn)[1]) == self._watched[1:] and _is(
                dn, self._watched
            )

    @cached_property
    def _watched(self) -> Name | None:
        written = self.settings.sentinel_dn
        return parse_pasted(written) if written else None

    @cached_property
    def _places(self) -> Sequence[tuple[Name, str]]:
        return [(parse_pasted(each), each) for each in self.settings.exclude if "=" in each]

    @cached_property
    def _ids(self) -> Mapping[str, str]:
        return {each.lower().strip("{}"): each for each in self.settings.exclude if "=" not in each}


def _is(dn: str, name: Name) -> bool:
    try:
        return parse_name(dn) == name
    except ValueError:
        return False
