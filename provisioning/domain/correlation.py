"""Which employee an unlinked person is (P): one, none, or nobody can tell.

hits                                             answer
-----------------------------------------------  ---------------------------------
none                                             newcomer (P7)
one employee, a strong key,
  no other present link of this source           linked (P2)
one employee, weak keys, policy says so,
  no other present link, not protected           linked (P2)
one employee with another present link           disputed (P2)
one employee, weak keys otherwise                disputed: the matching queue (P2)
two employees, by the same or different keys     disputed (P3)
another newcomer of this snapshot                disputed (P3)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from provisioning.domain.employees import EmployeeState
from provisioning.domain.policy import Policy


class CorrelationKey(StrEnum):
    """What two descriptions of one human may have in common, strongest first. Never a name (P4)."""

    PAST_RESOURCE = "past_resource"
    EMPLOYEE_NUMBER = "employee_number"
    USER_NAME = "user_name"
    MAIL = "mail"


STRONG_KEYS = frozenset({CorrelationKey.PAST_RESOURCE, CorrelationKey.EMPLOYEE_NUMBER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Somebody else with the same key: an employee, or another newcomer of the same snapshot."""

    key: CorrelationKey
    name: str
    employee_id: UUID | None
    """None: a newcomer with the same key in the same snapshot."""

    state: EmployeeState | None = None
    version: int = 0
    bound: bool = False
    protected: bool = False
    dismissed_by: str | None = None
    linked_here: bool = False
    """Whether another present person of this source is linked to them already."""


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


Correlation = Newcomer | Linked | Disputed


def correlate(hits: Sequence[Hit], policy: Policy) -> Correlation:
    """Decide who an unlinked person is, by the table above."""
    if not hits:
        return Newcomer()
    rivals = [hit for hit in hits if hit.employee_id is None]
    if rivals or len({hit.employee_id for hit in hits}) > 1:
        return Disputed(tuple(hits), _sentence(hits))
    hit = hits[0]
    keys = tuple(sorted({hit.key for hit in hits}, key=list(CorrelationKey).index))
    strong = any(key in STRONG_KEYS for key in keys)
    weak_allowed = policy.link_weak_keys and not hit.protected
    if (strong or weak_allowed) and not hit.linked_here:
        return Linked(hit, keys)
    return Disputed(tuple(hits), _sentence(hits))


def _sentence(hits: Sequence[Hit]) -> str:
    parts = sorted({f"{hit.name} has the same {hit.key.replace('_', ' ')}" for hit in hits})
    return "; ".join(parts)
