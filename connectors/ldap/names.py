r"""Distinguished names (RFC 4514), compared by what they mean and not by how they are written.

Servers give DNs back with other escapes, case and blanks than they were given: `\,` is `\2C`,
`CN = Ann` is `cn=Ann`. So names are parsed, unescaped and folded before they are compared.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from functools import lru_cache

Attribute = tuple[str, str]
"""One attribute of a relative name: its type and its value, both folded."""

Name = tuple[frozenset[Attribute], ...]
"""A distinguished name, from the entry up to the root."""

_TYPE = re.compile(r"\s*(?:oid\.)?([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)\s*=\s*", re.IGNORECASE)
_PLAIN = re.compile(r'[^\\,;+"#]+')
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
_HEX_STRING = re.compile(r"#((?:[0-9A-Fa-f]{2})+)\s*")
_PARENT = re.compile(r"(?:[^\\,]|\\.)*,\s*", re.DOTALL)
_OCTETS = frozenset({0x04, 0x0C, 0x13, 0x16})
"""Tags of strings a value may be encoded as: octets, UTF-8, printable, IA5."""

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


def parse_name(text: str) -> Name:
    r"""Return a DN in a form that is equal for every way to write it.

    What `ldapsearch` prints before it is taken too: `dn: cn=Ann` and `dn:: Y249QW5u`.

    >>> parse_name(r"CN = M\C3\BCller\2C  Ann,DC=corp") == parse_name(r"cn=müller\, ann,dc=Corp")
    True

    Raises:
        ValueError: It is none; the text says where it ends to be one.
    """
    text = _printed(text)
    if not text.strip():
        return ()
    name: list[frozenset[Attribute]] = []
    relative: set[Attribute] = set()
    at = 0
    while True:
        match = _TYPE.match(text, at)
        if match is None:
            raise ValueError(f'"{text}" is not a DN: no "type=value" at character {at + 1}')
        value, at = _value(text, match.end())
        kind = match[1].lower()
        relative.add((_SHORT.get(kind, kind), _folded(value)))
        if at < len(text) and text[at] == "+":
            at += 1
            continue
        name.append(frozenset(relative))
        relative = set()
        if at == len(text):
            return tuple(name)
        at += 1


def is_below(name: Name, base: Name) -> bool:
    """Whether a name is the base or below it."""
    return len(name) >= len(base) and name[len(name) - len(base) :] == base


def parent_of(text: str) -> str:
    r"""Return what is written behind the first relative name; "" if it is the only one.

    >>> parent_of(r"cn=Weber\, Ann,ou=People,dc=corp")
    'ou=People,dc=corp'
    """
    match = _PARENT.match(text)
    return text[match.end() :] if match else ""


@lru_cache(maxsize=1024)
def parsed(text: str) -> Name | None:
    """Return a DN that a server wrote, or None if it cannot be read; few are remembered."""
    try:
        return parse_name(text)
    except ValueError:
        return None


def _printed(text: str) -> str:
    """Return the DN of a line of LDIF, or the text as it is."""
    if text[:4].lower() == "dn::":
        try:
            return base64.b64decode(text[4:].strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ValueError(f'"{text}" is not a DN: its base64 is broken') from None
    return text[3:].strip() if text[:3].lower() == "dn:" else text


def _value(text: str, at: int) -> tuple[str, int]:
    """Return an unescaped value and where it ends: at a separator, a plus, or the end."""
    if text.startswith("#", at):
        return _encoded(text, at)
    if text.startswith('"', at):
        return _quoted(text, at)
    value = bytearray()
    while at < len(text) and text[at] not in ",;+":
        if text[at] == "\\":
            octets, at = _escaped(text, at)
        else:
            plain = _PLAIN.match(text, at)
            taken = plain[0] if plain else text[at]
            octets, at = taken.encode("utf-8", "surrogateescape"), at + len(taken)
        value += octets
    return _text(text, bytes(value)), at


def _escaped(text: str, at: int) -> tuple[bytes, int]:
    if _HEX.match(text, at + 1):
        return bytes.fromhex(text[at + 1 : at + 3]), at + 3
    if at + 1 == len(text):
        raise ValueError(f'"{text}" is not a DN: it ends with a backslash')
    return text[at + 1].encode("utf-8", "surrogateescape"), at + 2


def _encoded(text: str, at: int) -> tuple[str, int]:
    """Return a value that is written as the hexadecimal digits of its encoding."""
    match = _HEX_STRING.match(text, at)
    octets = bytes.fromhex(match[1]) if match else b""
    if match is None or len(octets) < len(b"TL") or octets[0] not in _OCTETS:
        raise ValueError(f'"{text}" is not a DN: the value at character {at + 1} is not text')
    if octets[1] != len(octets[2:]):
        raise ValueError(f'"{text}" is not a DN: the value at character {at + 1} is cut')
    return _text(text, octets[2:]), _at_separator(text, match.end())


def _quoted(text: str, at: int) -> tuple[str, int]:
    """Return a value in quotation marks, as RFC 2253 still allows."""
    value, at = bytearray(), at + 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            octets, at = _escaped(text, at)
        else:
            octets, at = text[at].encode("utf-8", "surrogateescape"), at + 1
        value += octets
    if at == len(text):
        raise ValueError(f'"{text}" is not a DN: a quotation mark is not closed')
    end = at + 1
    while end < len(text) and text[end] == " ":
        end += 1
    return _text(text, bytes(value)), _at_separator(text, end)


def _at_separator(text: str, at: int) -> int:
    if at < len(text) and text[at] not in ",;+":
        raise ValueError(f'"{text}" is not a DN: a comma is missing at character {at + 1}')
    return at


def _text(text: str, octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise ValueError(f'"{text}" is not a DN: a value is not UTF-8') from None


def _folded(value: str) -> str:
    """Return a value as directories compare it: without regard to case and needless blanks."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
