"""Which employee an unlinked person is (P): one, none, or nobody can tell.

hits                                             answer
-----------------------------------------------  ---------------------------------
none                                             newcomer (P7)
one employee, a strong key,
  no other present person of this source         linked (P2)
one employee, weak keys, policy says so,
  no other link of this source, not protected    linked (P2)
one employee with another present person         disputed (P2)
one employee, weak keys otherwise                disputed: the matching queue (P2)
two employees, by the same or different keys     disputed (P3)
another newcomer of this snapshot                disputed (P3)

A strong key survives the old entry: a directory that was rebuilt changes nothing for anybody. A
user name or an address is given anew to somebody else, so it takes nobody over whom this source
ever knew by another id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import EmployeeState
from provisioning.domain.keys import STRONG_KEYS, CorrelationKey
from provisioning.domain.people import Person
from provisioning.domain.policy import Policy

_ORDER = list(CorrelationKey)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Somebody else with the same key: an employee, or another newcomer of the same snapshot."""

    key: CorrelationKey
    name: str
    employee_id: UUID | None
    """None: a newcomer with the same key in the same snapshot."""

    anchor: str = ""
    """The other newcomer's directory id."""

    state: EmployeeState | None = None
    version: int = 0
    bound: bool = False
    protected: bool = False
    dismissed_by: str | None = None
    linked_here: bool = False
    """Whether another present person of this source is linked to them already."""

    known_here: bool = False
    """Whether this source ever knew them by another id, present or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody a disputed person may be, and what speaks for it: one head, all its keys."""

    employee: str
    """The employee's id; empty for another newcomer of the same snapshot."""

    anchor: str
    """The other newcomer's directory id; empty for an employee."""

    name: str
    state: str
    """The employee's state at that moment; empty for a newcomer."""

    keys: tuple[CorrelationKey, ...]
    """The strongest first."""

    linked_here: bool = False
    """Whether another present person of the source is linked to them already."""

    @property
    def evidence(self) -> str:
        """What makes two questions the same question: who, by which keys, and whether taken."""
        taken = ("linked",) if self.linked_here else ()
        return " ".join((self.employee or self.anchor, *self.keys, *taken))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready document that `from_json` reads back."""
        return {
            "employee": self.employee,
            "anchor": self.anchor,
            "name": self.name,
            "state": self.state,
            "keys": [key.value for key in self.keys],
            "linked_here": self.linked_here,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return the candidate whose `to_json` was stored."""
        keys = tuple(CorrelationKey(key) for key in document["keys"])
        return cls(**{**document, "keys": keys})


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Nobody knows them (P7)."""


@dataclass(frozen=True, slots=True)
class Linked:
    """They are this employee, and these keys are the evidence (P5)."""

    hit: Hit
    keys: tuple[CorrelationKey, ...]


@dataclass(frozen=True, slots=True)
class Disputed:
    """Nobody can tell; nothing is written (P3)."""

    hits: tuple[Hit, ...]
    sentence: str

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Who they may be, those with the strongest key first."""
        heads: dict[str, list[Hit]] = {}
        for hit in self.hits:
            heads.setdefault(str(hit.employee_id or hit.anchor), []).append(hit)
        found = (_candidate(hits) for hits in heads.values())
        return tuple(sorted(found, key=lambda one: (_ORDER.index(one.keys[0]), one.evidence)))


Correlation = Newcomer | Linked | Disputed


def keys_of(person: Person, policy: Policy) -> dict[CorrelationKey, str]:
    """Return what a person may share with others, folded, in the policy's order (P2).

    The past resource is no value of the person: the source's own links have it.
    """
    values = {
        CorrelationKey.EMPLOYEE_NUMBER: person.employee_number,
        CorrelationKey.USER_NAME: person.user_name,
        CorrelationKey.MAIL: (
            person.mail if person.mail and policy.may_write_to(person.mail) else None
        ),
    }
    return {
        key: address_key(value)
        for key in policy.correlation_keys
        if (value := values.get(key)) is not None and value.strip()
    }


def correlate(hits: Sequence[Hit], policy: Policy) -> Correlation:
    """Decide who an unlinked person is, by the table above."""
    if not hits:
        return Newcomer()
    rivals = [hit for hit in hits if hit.employee_id is None]
    if rivals or len({hit.employee_id for hit in hits}) > 1:
        return Disputed(tuple(hits), _sentence(hits))
    hit = hits[0]
    keys = _keys(hits)
    strong = any(key in STRONG_KEYS for key in keys)
    weak_allowed = policy.link_weak_keys and not hit.protected and not hit.known_here
    if (strong or weak_allowed) and not hit.linked_here:
        return Linked(hit, keys)
    return Disputed(tuple(hits), _sentence(hits))


def _keys(hits: Iterable[Hit]) -> tuple[CorrelationKey, ...]:
    return tuple(sorted({hit.key for hit in hits}, key=_ORDER.index))


def _candidate(hits: Sequence[Hit]) -> Candidate:
    hit = hits[0]
    return Candidate(
        employee=str(hit.employee_id or ""),
        anchor=hit.anchor,
        name=hit.name,
        state=hit.state.value if hit.state else "",
        keys=_keys(hits),
        linked_here=hit.linked_here,
    )


def _sentence(hits: Sequence[Hit]) -> str:
    return "; ".join(sorted({f"{hit.name} has the same {hit.key.words}" for hit in hits}))
