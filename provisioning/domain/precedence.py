"""Several sources on one employee: whose word counts, attribute by attribute (P6, D3).

the source     the others say          it says now          ->  the employee has
-------------  ----------------------  -------------------  --  ----------------------------
owner of it    anything                a value                  its value
authoritative  a value, the owner      a value                  theirs
authoritative  anything                a value                  its value
authoritative  a value                 nothing                  theirs, in this order
not            a value, authoritative  a value                  theirs
not            nothing                 a value                  its value
any            nothing                 nothing any more         nothing
any            nothing                 nothing, as before       what was there: it is not ours

Who is authoritative also says when somebody leaves (D3); owning an attribute says nothing of that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from provisioning.domain.people import Person


class Attribute(StrEnum):
    """What a source can be named the owner of."""

    DISPLAY_NAME = "display_name"
    DEPARTMENT = "department"
    TITLE = "title"
    MAILBOX = "mailbox"
    STARTS_AT = "starts_at"
    MAIL = "mail"
    """Where an invitation goes, and what the contact e-mail follows if it does (E2, I5)."""

    MANAGER = "manager"
    """Looked up when everybody is written."""


OWNED = ("display_name", "department", "title", "mailbox", "starts_at")
"""Attributes of an employee that sources fill; the login and the contact e-mail are not (E2)."""

_LAST = 2
"""The rank of a source that is neither the owner nor authoritative."""

Owners = Mapping[str, str]
"""The source that owns an attribute, for every attribute that has an owner."""


class Voice(NamedTuple):
    """A source that vouches for an employee, and how much it counts."""

    source: str
    authoritative: bool

    def rank(self, attribute: str, owners: Owners) -> int:
        """Return how far behind it stands for an attribute: 0 is the owner."""
        if owners.get(attribute) == self.source:
            return 0
        return 1 if self.authoritative else _LAST


class Word(NamedTuple):
    """What one source says of an employee."""

    voice: Voice
    person: Person


def ranked(words: Sequence[Word], attribute: str, owners: Owners) -> Sequence[Word]:
    """Return words in the order they count for an attribute; equal ones stay as they are."""
    return sorted(words, key=lambda word: word.voice.rank(attribute, owners))


def settled(
    mine: Word, withdrawn: Collection[str], others: Sequence[Word], owners: Owners
) -> dict[str, Any]:
    """Return what a source's word makes of the attributes it may change, by the table above.

    Args:
        mine: What the source says now.
        withdrawn: Attributes it said something of before, and says nothing of now.
        others: What the others who vouch say, in a fixed order.
        owners: Whose some attributes are.
    """
    values: dict[str, Any] = {}
    for name in OWNED:
        said = (getattr(word.person, name) for word in ranked([mine, *others], name, owners))
        value = next((each for each in said if each is not None), None)
        if value is not None or name in withdrawn:
            values[name] = value
    return values


def has_the_say(mine: Voice, others: Sequence[Voice], attribute: str, owners: Owners) -> bool:
    """Whether a source decides alone: it is the owner or authoritative, or nobody else vouches.

    An owner that does not vouch for the employee takes no part.
    """
    first = min((other.rank(attribute, owners) for other in others), default=_LAST)
    rank = mine.rank(attribute, owners)
    return (rank < _LAST and rank <= first) or not others
