"""Mail addresses: one folded form, and why two of them differ (E4)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from enum import StrEnum

_LOCAL = re.compile(r"""[^\s\x00-\x1f\x7f-\x9f()<>\[\]:;@\\,"]{1,64}""")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])")
_LONGEST_ADDRESS = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""

_BETWEEN_NAMES = re.compile(r"[._-]")
_SMTP = re.compile("^smtp:", re.IGNORECASE)


class AddressDifference(StrEnum):
    """How one address differs from another, the kindest explanation first."""

    CASE_ONLY = "case_only"
    ALIAS = "alias"
    PLUS_TAG = "plus_tag"
    OLD_DOMAIN = "old_domain"
    SWAPPED = "swapped"
    TYPO = "typo"
    UNRELATED = "unrelated"


def address_key(value: str) -> str:
    """Return the form that equality and unique indexes see: NFC, lower case, no blanks around.

    >>> address_key(" Anna.Weber@Corp.Example ")
    'anna.weber@corp.example'
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", value.strip()).lower())


def without_smtp(value: str) -> str:
    """Return an address without what Active Directory writes before it in proxyAddresses.

    >>> without_smtp("SMTP:anna@corp.example")
    'anna@corp.example'
    """
    return _SMTP.sub("", value)


def domain_of(address: str) -> str:
    """Return the folded part behind the last @, empty if there is none."""
    return address_key(address).rpartition("@")[2] if "@" in address else ""


def usable_mail(value: str) -> str | None:
    """Return an address a letter can be sent to, or None if this is none (I1).

    Not the grammar of RFC 5321, but what every mail system takes: no quoted names, no comments,
    a domain with a dot. Whether somebody reads it only a letter can tell.

    >>> usable_mail(" Anna.Weber@corp.example "), usable_mail("anna"), usable_mail("a b@c.de")
    ('Anna.Weber@corp.example', None, None)
    """
    address = unicodedata.normalize("NFC", value.strip())
    local, _, domain = address.rpartition("@")
    if len(address) > _LONGEST_ADDRESS or not _DOMAIN.fullmatch(domain):
        return None
    if not _LOCAL.fullmatch(local) or "" in local.split("."):
        return None
    return address


def difference(
    a: str,
    b: str,
    *,
    aliases: Collection[str] = (),
    old_domains: Collection[str] = (),
    name: str | None = None,
) -> AddressDifference | None:
    """Return why two addresses differ, or None when they are the same to the letter.

    `aliases` are further addresses of whoever has one of the two, neither of them included.
    `name` tells where annaweber divides; anna.weber shows it.

    >>> str(difference("anna+news@corp.example", "anna@corp.example"))
    'plus_tag'
    """
    if a == b:
        return None
    one, other = address_key(a), address_key(b)
    explanations = (
        (AddressDifference.CASE_ONLY, one == other),
        (AddressDifference.ALIAS, bool({one, other} & {address_key(alias) for alias in aliases})),
        (AddressDifference.PLUS_TAG, _untagged(one) == _untagged(other)),
        (AddressDifference.OLD_DOMAIN, _moved(one, other, {d.lower() for d in old_domains})),
        (AddressDifference.SWAPPED, _swapped(one, other, name)),
        (AddressDifference.TYPO, _one_edit_apart(one, other)),
    )
    holding = (name for name, holds in explanations if holds)
    return next(holding, AddressDifference.UNRELATED)


def _untagged(key: str) -> str:
    local, at, domain = key.rpartition("@")
    return local.partition("+")[0] + at + domain


def _moved(one: str, other: str, old_domains: set[str]) -> bool:
    same_local = one.rpartition("@")[0] == other.rpartition("@")[0]
    return same_local and bool({domain_of(one), domain_of(other)} & old_domains)


def _swapped(one: str, other: str, name: str | None) -> bool:
    """Whether given and family name changed places: anna.weber and weber.anna."""
    if domain_of(one) != domain_of(other):
        return False
    local, other_local = one.rpartition("@")[0], other.rpartition("@")[0]
    parts, other_parts = _BETWEEN_NAMES.split(local), _BETWEEN_NAMES.split(other_local)
    if len(parts) > 1:
        return parts != other_parts and parts == other_parts[::-1]
    names = address_key(name or "").split()
    return len(names) > 1 and {local, other_local} == {"".join(names), "".join(names[::-1])}


def _one_edit_apart(one: str, other: str) -> bool:
    """Whether one insertion, deletion, replacement or exchange of neighbours leads to the other."""
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    start = next((i for i, c in enumerate(one) if c != other[i]), len(one))
    if len(one) != len(other):
        return one[start:] == other[start + 1 :]
    rest, other_rest = one[start:], other[start:]
    exchanged = rest[1:2] + rest[:1] + rest[2:]
    return rest[1:] == other_rest[1:] or exchanged == other_rest
