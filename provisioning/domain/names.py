r"""Distinguished names (RFC 4514): read once, compared by what they mean.

One name is written in many ways, and a server returns other escapes than were sent:

written                                    normal form
-----------------------------------------  ------------------------------------------
uid=ann,ou=People,dc=corp                  uid=ann,ou=people,dc=corp
UID = Ann , OU=People;DC=Corp              uid=ann,ou=people,dc=corp
cn=Weber\, Anna,ou=People                  cn=weber\, anna,ou=people
cn=Weber\2C Anna,ou=People                 cn=weber\, anna,ou=people
cn="Weber, Anna",ou=People                 cn=weber\, anna,ou=people
cn=Ann+uid=7,ou=People                     cn=ann+uid=7,ou=people
uid=7+cn=Ann,ou=People                     cn=ann+uid=7,ou=people
2.5.4.3=Ann, commonName=Ann, CN=#0403416E6E  cn=ann
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

Level = tuple[tuple[str, str], ...]
"""One level of a DN: its types, by their short names and in lower case, each with its value."""

Name = tuple[str, ...]
"""The normal forms of the levels of a DN, from the entry upwards; () is the root."""

_REMEMBERED = 10_000
"""DNs that are read once while others follow that have them in common."""

_SHORT = {
    "2.5.4.3": "cn", "commonname": "cn",
    "2.5.4.4": "sn", "surname": "sn",
    "2.5.4.6": "c", "countryname": "c",
    "2.5.4.7": "l", "localityname": "l",
    "2.5.4.8": "st", "stateorprovincename": "st",
    "2.5.4.9": "street", "streetaddress": "street",
    "2.5.4.10": "o", "organizationname": "o",
    "2.5.4.11": "ou", "organizationalunitname": "ou",
    "0.9.2342.19200300.100.1.1": "uid", "userid": "uid",
    "0.9.2342.19200300.100.1.25": "dc", "domaincomponent": "dc",
}  # fmt: skip
"""RFC 4514 and RFC 4519: other names of the types that names are made of."""

_AVA = re.compile(
    r"""[ ]*(?:oid\.)?(?P<type>[a-z][a-z0-9-]*|[0-9]+(?:[.][0-9]+)*)[ ]*=[ ]*
        (?: \#(?P<octets>(?:[0-9a-f]{2})+)[ ]*
          | "(?P<quoted>(?:[^\\"\0]++|\\(?:[0-9a-f]{2}|[ "#+,;<=>\\]))*+)"[ ]*
          | (?P<plain>(?!\#)(?:[^\\,+";\0]++|\\(?:[0-9a-f]{2}|[ "#+,;<=>\\]))*+)
        )(?P<end>[,;+]|\Z)""",
    re.VERBOSE | re.IGNORECASE,
)
_ESCAPED = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\.", re.DOTALL)
_SPECIAL = re.compile(r'[\\,+"<>;]|\A#')
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_FIRST = re.compile(r'(?:[^,;\\"]++|\\.|"(?:[^"\\]++|\\.)*+")*+[,;]', re.DOTALL)
_TEXTS = frozenset({0x04, 0x0C, 0x13, 0x16})
"""Tags of strings a value may be encoded as: octets, UTF-8, printable, IA5."""

_HEADER = 2
"""Octets before the content: a tag and a short length."""


def parse_levels(text: str) -> tuple[Level, ...]:
    r"""Return the levels of a DN from the entry upwards, values as they are meant.

    >>> parse_levels("cn=Weber\\, Anna,ou=People")
    ((('cn', 'Weber, Anna'),), (('ou', 'People'),))

    Raises:
        ValueError: It is none; the text says where it ends to be one.
    """
    levels: list[Level] = []
    level: list[tuple[str, str]] = []
    at, ended = 0, not text.strip(" ")
    while not ended:
        found = _AVA.match(text, at)
        if found is None:
            raise ValueError(f'"{text}" is not a DN: it cannot be read from character {at + 1} on')
        kind = found["type"].lower()
        level.append((_SHORT.get(kind, kind), _meant(text, found)))
        if found["end"] != "+":
            levels.append(tuple(level))
            level = []
        at, ended = found.end(), not found["end"]
    return tuple(levels)


def parsed_levels(text: str) -> tuple[Level, ...]:
    """Return the levels of a DN that a server wrote, or none if it cannot be read."""
    try:
        return parse_levels(text)
    except ValueError:
        return ()


def parse_name(text: str) -> Name:
    r"""Return a DN in a form that is equal for every way to write it.

    >>> parse_name(r"CN = M\C3\BCller\2C  Ann;DC=corp") == parse_name(r"cn=müller\, ann,dc=Corp")
    True

    Raises:
        ValueError: As `parse_levels`.
    """
    return tuple(map(_normal, parse_levels(text)))


@lru_cache(maxsize=_REMEMBERED)
def parsed(text: str) -> Name | None:
    """Return a DN that a server wrote, or None if it cannot be read; the last ones are remembered.

    It is for what many have in common: bases, and units above entries.
    """
    try:
        return parse_name(text)
    except ValueError:
        return None


def is_below(name: Name, base: Name) -> bool:
    """Whether a name is the base or below it."""
    return len(name) >= len(base) and name[len(name) - len(base) :] == base


def split_first(text: str) -> tuple[str, str]:
    r"""Return how the first level is written, and what is written behind it; "" for nothing.

    >>> split_first(r"cn=Weber\, Ann,ou=People,dc=corp")
    ('cn=Weber\\, Ann', 'ou=People,dc=corp')
    """
    first = _FIRST.match(text)
    return (text, "") if first is None else (text[: first.end() - 1], text[first.end() :])


def folded(text: str) -> str:
    """Return a value as RFC 4518 compares it: without case, controls and needless blanks."""
    if not text.isascii():
        for _ in range(2):
            text = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return " ".join(_CONTROLS.sub("", text.lower()).split())


def _normal(level: Level) -> str:
    """Return one level in its normal form."""
    if len(level) == 1:
        ((kind, value),) = level
        return f"{kind}={_escaped(folded(value))}"
    return "+".join(sorted(f"{kind}={_escaped(folded(value))}" for kind, value in level))


def _escaped(value: str) -> str:
    return _SPECIAL.sub(lambda special: "\\" + special[0], value)


def _meant(text: str, found: re.Match[str]) -> str:
    """Return the value of a match, unescaped and decoded."""
    try:
        if found["octets"] is not None:
            return _decoded(text, found["octets"])
        if found["quoted"] is not None:
            return _unescaped(found["quoted"])
        written = found["plain"].rstrip(" ")
        if (len(written) - len(written.rstrip("\\"))) % 2:
            written += " "
        return _unescaped(written)
    except UnicodeDecodeError:
        raise ValueError(f'"{text}" is not a DN: a value is not UTF-8') from None


def _decoded(text: str, written: str) -> str:
    """Return a value that is written as the hexadecimal digits of its encoding."""
    octets = bytes.fromhex(written)
    content = octets[_HEADER:]
    if octets[0] not in _TEXTS or len(octets) < _HEADER or octets[1] != len(content):
        raise ValueError(f'"{text}" is not a DN: the value #{written} is not text')
    return content.decode()


def _unescaped(written: str) -> str:
    return _ESCAPED.sub(_character, written) if "\\" in written else written


def _character(escaped: re.Match[str]) -> str:
    if len(escaped[0]) == len(r"\,"):
        return escaped[0][1]
    return bytes.fromhex(escaped[0].replace("\\", "")).decode()
