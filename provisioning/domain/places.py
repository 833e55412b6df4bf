r"""Places in a directory: the names of entries (DNs), their normal form, the units above them.

One place is written in many ways, and a server returns other escapes than were sent:

written                                    normal form
-----------------------------------------  ------------------------------------------
uid=ann,ou=People,dc=corp                  uid=ann,ou=people,dc=corp
UID = Ann , OU=People,DC=Corp              uid=ann,ou=people,dc=corp
cn=Weber\, Anna,ou=People                  cn=weber\, anna,ou=people
cn=Weber\2C Anna,ou=People                 cn=weber\, anna,ou=people
cn=Ann+uid=7,ou=People                     cn=ann+uid=7,ou=people
uid=7+cn=Ann,ou=People                     cn=ann+uid=7,ou=people
2.5.4.3=Ann                                cn=ann
no DN at all, blanks  and CASE             no dn at all, blanks and case
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

LONGEST_KEY = 400
"""Characters of a key; PostgreSQL indexes texts of 2,704 bytes at most."""

_UNITS_KEPT = 10_000
"""Units whose path is remembered while a directory is read."""

Part = tuple[tuple[str, str], ...]
"""One level of a DN: its types, by their short names and in lower case, each with its value."""

_NAMES = {
    "2.5.4.3": "cn",
    "2.5.4.6": "c",
    "2.5.4.7": "l",
    "2.5.4.8": "st",
    "2.5.4.9": "street",
    "2.5.4.10": "o",
    "2.5.4.11": "ou",
    "0.9.2342.19200300.100.1.1": "uid",
    "0.9.2342.19200300.100.1.25": "dc",
}
"""Short names of types (RFC 4514 3), by what else they may be written as."""

_AVA = re.compile(
    r"""[ ]*(?P<type>[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:[.][0-9]+)*)[ ]*=[ ]*
        (?P<value>\#(?:[0-9A-Fa-f]{2})+[ ]*
                 |(?!\#)(?:[^\\,+"<>;\0]|\\(?:[0-9A-Fa-f]{2}|[ "#+,;<=>\\]))*)
        (?P<end>[,+]|\Z)""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\.")
_SPECIAL = re.compile(r'[\\,+"<>;]|\A#')
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_LEVEL = re.compile(r"(?:[^,\\]|\\.)*,", re.DOTALL)


def place_key(text: str) -> str:
    r"""Return what is equal when two texts name the same place, at most LONGEST_KEY characters.

    Types and values are compared in any case, escapes and needless blanks do not count, and
    neither does the order within one level (RFC 4514, RFC 4517 4.2.15). What is no DN, like the
    id of a resource, is compared in any case as well.

    >>> place_key("CN=Weber\\2C  Anna , OU=People") == place_key("cn=weber\\, anna,ou=people")
    True
    """
    first = _LEVEL.match(text)
    key = _dn_key(text) if first is None else _joined(text[: first.end() - 1], text[first.end() :])
    if key is None:
        key = _folded(text)
    if len(key) <= LONGEST_KEY:
        return key
    return "long:" + hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def _joined(entry: str, parent: str) -> str | None:
    """Return the normal form of a DN whose parent many others share."""
    below, above = _dn_key(entry), _parent_key(parent)
    return None if below is None or above is None else f"{below},{above}"


def _dn_key(text: str) -> str | None:
    parts = parse_place(text)
    return None if parts is None else ",".join(map(_written, parts))


_parent_key = lru_cache(maxsize=_UNITS_KEPT)(_dn_key)


def parse_place(text: str) -> Sequence[Part] | None:
    r"""Return the levels of a DN from the entry upwards, values unescaped; None if it is none.

    >>> parse_place("cn=Weber\\, Anna,ou=People")
    [(('cn', 'Weber, Anna'),), (('ou', 'People'),)]
    """
    parts: list[Part] = []
    level: list[tuple[str, str]] = []
    at = 0
    while found := _AVA.match(text, at):
        value = _unescaped(found["value"])
        if value is None:
            return None
        kind = found["type"].lower()
        level.append((_NAMES.get(kind, kind), value))
        if found["end"] != "+":
            parts.append(tuple(level))
            level = []
        if not found["end"]:
            return parts
        at = found.end()
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
    known = sorted((_levels(base) for base in bases), key=len, reverse=True)

    @lru_cache(maxsize=_UNITS_KEPT)
    def of_parent(parent: str) -> tuple[str, ...]:
        parts = parse_place(parent)
        if parts is None:
            return ()
        levels = [_written(part) for part in parts]
        base = next((len(each) for each in known if each and levels[-len(each) :] == each), 0)
        below = parts[: len(parts) - base]
        names = [value.strip() for part in below for kind, value in part if kind == "ou"]
        return tuple(reversed([name for name in names if name]))

    def of_entry(place: str) -> tuple[str, ...]:
        first = _LEVEL.match(place)
        return of_parent(place[first.end() :]) if first else ()

    return of_entry


def _levels(place: str) -> list[str]:
    return [_written(part) for part in parse_place(place) or ()]


def _written(part: Part) -> str:
    """Return one level in its normal form."""
    return "+".join(sorted(f"{kind}={_escaped(_folded(value))}" for kind, value in part))


def _unescaped(value: str) -> str | None:
    """Return a value as it is meant; None if its bytes are no text. Hexadecimal BER is kept."""
    meant = value.rstrip(" ")
    if (len(meant) - len(meant.rstrip("\\"))) % 2:
        meant += " "
    try:
        return _ESCAPED.sub(_meant, meant)
    except UnicodeDecodeError:
        return None


def _meant(escaped: re.Match[str]) -> str:
    if len(escaped[0]) == len(r"\,"):
        return escaped[0][1]
    return bytes.fromhex(escaped[0].replace("\\", "")).decode()


def _escaped(value: str) -> str:
    return _SPECIAL.sub(lambda special: "\\" + special[0], value)


def _folded(text: str) -> str:
    """Return a value as RFC 4518 compares it: without case, controls and needless blanks."""
    if not text.isascii():
        for _ in range(2):
            text = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return " ".join(_CONTROLS.sub("", text.lower()).split())
