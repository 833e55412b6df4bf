"""Places in a directory: what is equal for the DNs of one entry, and the units above it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache

from provisioning.domain.names import (
    folded,
    parse_levels,
    parse_name,
    parsed,
    split_first,
)

LONGEST_KEY = 400
"""Characters of a key; PostgreSQL indexes texts of 2,704 bytes at most."""

_UNITS_KEPT = 10_000
"""Units whose path is remembered while a directory is read."""


def place_key(text: str) -> str:
    r"""Return what is equal when two texts name the same place, at most LONGEST_KEY characters.

    Types and values are compared in any case, escapes and needless blanks do not count, and
    neither does the order within one level (RFC 4514, RFC 4517 4.2.15). What is no DN, like the
    id of a resource, is compared in any case as well.

    >>> place_key("CN=Weber\\2C  Anna , OU=People") == place_key("cn=weber\\, anna,ou=people")
    True
    """
    key = _name_key(text)
    if key is None:
        key = folded(text)
    if len(key) <= LONGEST_KEY:
        return key
    return "long:" + hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def _name_key(text: str) -> str | None:
    """Return the normal form of a DN whose parent many others share; None if it is none."""
    first, rest = split_first(text)
    above = parsed(rest)
    try:
        # What ends with a separator is no DN, though the root is one.
        if above is None or (len(first) < len(text) and not above):
            return None
        return ",".join((*parse_name(first), *above))
    except ValueError:
        return None


def units_above(bases: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Return what tells the organisational units above an entry, outermost first.

    The base an entry is below does not count, and neither does anything above it: every entry
    has those. Below none of the bases, all units count; a place nobody can read has none.

    >>> units = units_above(["ou=People,dc=corp"])
    >>> units("uid=ann,ou=Berlin,ou=Sales,ou=People,dc=corp")
    ('Sales', 'Berlin')

    Args:
        bases: Where reading begins; the longest that fits counts.
    """
    known = sorted((parsed(base) or () for base in bases), key=len, reverse=True)

    @lru_cache(maxsize=_UNITS_KEPT)
    def of_parent(parent: str) -> tuple[str, ...]:
        name = parsed(parent)
        if name is None:
            return ()
        base = next((len(each) for each in known if each and name[-len(each) :] == each), 0)
        below = parse_levels(parent)[: len(name) - base]
        names = [value.strip() for level in below for kind, value in level if kind == "ou"]
        return tuple(reversed([name for name in names if name]))

    return lambda place: of_parent(split_first(place)[1])
