"""Groups of a directory, and who is in them, whichever way the directory says so.

somebody is in a group when                          where
---------------------------------------------------  ------------------------------------------
`member` or `uniqueMember` names their place         everywhere
`memberUid` names their uid                          posixGroup
their primaryGroupID is the last part of its SID     Active Directory: not among the members
their gidNumber is its gidNumber                     posixGroup: not among the members
they are in a group that is in it                    any depth; circles end

Of everybody only a digest of the place is kept.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from connectors.ldap.entries import Entry
from provisioning.domain.names import parsed_levels
from provisioning.domain.places import place_key

GROUP_ATTRIBUTES = ("cn", "objectSid", "gidNumber")
PERSON_ATTRIBUTES = frozenset({"uid", "primaryGroupID", "gidNumber"})
"""What says of people that they are in a group which does not name them."""

_RID_BYTES = 4


@dataclass(slots=True)
class _Group:
    """One group, before and after its members were read."""

    dn: str
    name: str
    primary: tuple[str, ...]
    """By what people say that it is their primary one."""

    above: set[int] = field(default_factory=set)
    """Groups it is a member of, by number."""


@dataclass
class Groups:
    """Who is in which group, by number of the group."""

    groups: list[_Group] = field(default_factory=list)
    by_place: dict[int, int] = field(default_factory=dict)
    """Numbers by the digest of the group's own place."""

    _by_member: defaultdict[int, tuple[int, ...]] = field(
        default_factory=lambda: defaultdict(tuple)
    )
    _by_uid: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _kept: dict[tuple[int, ...], tuple[int, ...]] = field(default_factory=dict)
    """Most people share their groups with others: each combination is there once."""

    _known: dict[frozenset[int], frozenset[int]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take a group in whose members are not known yet."""
        values = by_name(entry)
        place = place_digest(entry["dn"])
        if place not in self.by_place:
            self.by_place[place] = len(self.groups)
            self.groups.append(_Group(entry["dn"], _name(entry, values), _primary(values)))

    def add_member(self, number: int, member: int) -> None:
        """Note that an entry, a group among them, is in a group."""
        inner = self.by_place.get(member)
        if inner is not None:
            self.groups[inner].above.add(number)
        else:
            together = (*self._by_member[member], number)
            self._by_member[member] = self._kept.setdefault(together, together)

    def add_uid(self, number: int, uid: str) -> None:
        """Note that somebody is in a group, by the name they sign in with."""
        self._by_uid[uid].add(number)

    def of(self, entry: Entry) -> frozenset[int]:
        """Return the numbers of all groups somebody is in."""
        values = by_name(entry)
        direct = set(self._by_member.get(place_digest(entry["dn"]), ()))
        for uid in values.get("uid", ()):
            direct |= self._by_uid.get(uid.decode("utf-8", "replace"), set())
        for name in ("primarygroupid", "gidnumber"):
            for value in values.get(name, ()):
                direct.update(
                    self._by_primary.get(f"{name}:{value.decode('ascii', 'replace')}", ())
                )
        key = frozenset(direct)
        if key not in self._known:
            self._known[key] = self._and_above(key)
        return self._known[key]

    def names_of(self, entry: Entry) -> tuple[str, ...]:
        """Return the names of all groups somebody is in, sorted, each once."""
        return tuple(sorted({self.groups[number].name for number in self.of(entry)}))

    def digest(self) -> int:
        """Return a number that is another one once anybody is in other groups."""
        return sum(_number(repr(fact).encode()) for fact in self._facts())

    def _facts(self) -> Iterator[tuple[object, ...]]:
        place = {number: digest for digest, number in self.by_place.items()}
        for number, group in enumerate(self.groups):
            yield place[number], *group.primary
            yield from ((place[number], place[above]) for above in group.above)
        for known in (self._by_member, self._by_uid):
            for member, numbers in known.items():
                yield from ((member, place[number]) for number in numbers)

    @cached_property
    def _by_primary(self) -> Mapping[str, Sequence[int]]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for number, group in enumerate(self.groups):
            for key in group.primary:
                found[key].append(number)
        return found

    def _and_above(self, numbers: frozenset[int]) -> frozenset[int]:
        found, waiting = set(numbers), list(numbers)
        while waiting:
            further = self.groups[waiting.pop()].above - found
            found |= further
            waiting.extend(further)
        return frozenset(found)


def place_digest(dn: str) -> int:
    """Return a number that is equal for two DNs of one entry, and for others never."""
    return _number(place_key(dn).encode())


def _number(words: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(words, digest_size=8).digest(), "big")


def by_name(entry: Entry) -> Mapping[str, Sequence[bytes]]:
    """Return the values of an entry by names in small letters."""
    return {name.lower(): values for name, values in entry["raw_attributes"].items()}


def _name(entry: Entry, values: Mapping[str, Sequence[bytes]]) -> str:
    for value in values.get("cn", ()):
        return value.decode("utf-8", "replace")
    levels = parsed_levels(entry["dn"])
    return levels[0][0][1] if levels else str(entry["dn"])


def _primary(values: Mapping[str, Sequence[bytes]]) -> tuple[str, ...]:
    sids = [
        f"primarygroupid:{int.from_bytes(sid[-_RID_BYTES:], 'little')}"
        for sid in values.get("objectsid", ())
    ]
    numbers = [
        f"gidnumber:{each.decode('ascii', 'replace')}" for each in values.get("gidnumber", ())
    ]
    return (*sids, *numbers)
