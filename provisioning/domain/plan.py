"""A plan: ordered actions, a digest, counts; a value that is stored, shown and approved."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

from provisioning.domain.actions import Action, ActionKind
from provisioning.domain.policy import Policy

APPROVAL_LIFETIME = timedelta(hours=24)
"""A plan older than this is not applied any more (R4)."""

_ORDER = {kind: position for position, kind in enumerate(ActionKind)}
_NO_FIRST_DAY = datetime.max.replace(tzinfo=UTC)
"""Whoever has a first day comes before those who have none, as on the waiting list (L3)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions in the order in which they are applied (L4)."""

    actions: tuple[Action, ...]
    read: int = 0
    """People the source returned."""

    unchanged: int = 0
    """People for whom nothing is to be done."""

    def __iter__(self) -> Iterator[Action]:
        """Yield the actions in order."""
        return iter(self.actions)

    def __len__(self) -> int:
        """Return the number of actions."""
        return len(self.actions)

    @property
    def held(self) -> tuple[Action, ...]:
        """The actions that wait for approval."""
        return tuple(action for action in self.actions if action.held)

    def counts(self) -> dict[str, int]:
        """Return how many actions there are of each kind, held ones included, zeros too."""
        found = Counter(action.kind for action in self.actions)
        return {kind.value: found[kind] for kind in ActionKind}

    def digest(self) -> str:
        """Return what an approval names: 64 hex digits, blind to the order of entries (R3, R4)."""
        whole = hashlib.sha256()
        for line in sorted(f"{a.fingerprint()} {a.held or '-'}" for a in self.actions):
            whole.update(f"{line}\n".encode())
        return whole.hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready document that `from_json` reads back."""
        return {
            "read": self.read,
            "unchanged": self.unchanged,
            "actions": [action.to_json() for action in self.actions],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return the plan whose `to_json` was stored."""
        return cls(
            tuple(Action.from_json(action) for action in document["actions"]),
            read=document["read"],
            unchanged=document["unchanged"],
        )


def in_order(actions: Iterable[Action], policy: Policy | None = None) -> tuple[Action, ...]:
    """Return actions as they are applied: seats are freed before they are taken (L4).

    Within a kind the policy's priority comes first, then the first day, as on the waiting list.
    """
    return tuple(sorted(actions, key=partial(_position, policy or Policy())))


def _position(policy: Policy, action: Action) -> tuple[int, int, datetime, str, str]:
    person = action.person
    return (
        _ORDER[action.kind],
        policy.priority_of(person.department) if person else 0,
        (person.starts_at if person else None) or _NO_FIRST_DAY,
        action.id.value,
        action.reason,
    )
