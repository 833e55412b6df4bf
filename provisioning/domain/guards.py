"""Guards: what stops a plan that follows every rule and is still wrong.

guard                    holds
-----------------------  ------------------------------------------------------------
hold_mass_removal        every removal, when a run has too many (D5)
hold_rolling_share       every removal, when seven days have too many (D5)
hold_unproven_removals   every removal, when the end of the reading is not proven
hold_protected           removals of people nobody may dismiss by machine (D4)
guard_attributes         the whole run, when an attribute vanishes from, or changes for, too many
                         people at once: mail hidden by a right, a broken export
hold_at_brake            every removal, while an administrator pulls the brake no-dismissals
require_people           the whole run: zero people is never "all of them left" (R2)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from provisioning.domain.actions import Action, FieldChange, HoldReason
from provisioning.domain.errors import SourceError
from provisioning.domain.policy import SMALLEST_LIMIT, Policy

ATTRIBUTE_PERCENT = 5
"""Of a source's people: an attribute may change for so many in one run."""

SMALLEST_CHANGE = 10
"""So many people with one attribute changed are never too many, at any company size."""

_PLACES = frozenset({"where", "manager"})


def hold_mass_removal(actions: Sequence[Action], *, limit: int) -> Sequence[Action]:
    """Hold every removal when there are too many: half a purge is still a purge (D5)."""
    if counted_removals(actions) <= limit:
        return actions
    return _hold_removals(actions, HoldReason.MASS_REMOVAL)


def hold_rolling_share(
    actions: Sequence[Action], *, removed_recently: int, limit: int
) -> Sequence[Action]:
    """Hold every removal when this week's and tonight's together are too many (D5)."""
    tonight = counted_removals(actions)
    if tonight == 0 or removed_recently + tonight <= limit:
        return actions
    return _hold_removals(actions, HoldReason.ROLLING_SHARE)


def hold_unproven_removals(actions: Sequence[Action], *, proven: bool) -> Sequence[Action]:
    """Hold every removal that rests on a reading without a proven end (R2)."""
    return actions if proven else _hold_removals(actions, HoldReason.UNPROVEN)


def guard_removals(
    actions: Sequence[Action],
    *,
    policy: Policy,
    seated: Callable[[], int],
    removed_recently: int,
    proven: bool,
) -> Sequence[Action]:
    """Apply all of them; the first reason that holds an action stays with it.

    Args:
        actions: What the rules decided, in any order.
        policy: The limits.
        seated: Counts the people of this source who hold a seat before the run.
        removed_recently: Removals of this source in the last seven days, over every door.
        proven: Whether the reading proved its end.
    """
    actions = hold_unproven_removals(actions, proven=proven)
    if counted_removals(actions) + removed_recently <= SMALLEST_LIMIT:
        return actions
    return _hold_too_many(actions, policy, seated(), removed_recently)


def _hold_too_many(
    actions: Sequence[Action], policy: Policy, seated: int, removed_recently: int
) -> Sequence[Action]:
    actions = hold_mass_removal(actions, limit=policy.removal_limit(seated))
    rolling = policy.rolling_limit(seated + removed_recently)
    return hold_rolling_share(actions, removed_recently=removed_recently, limit=rolling)


def hold_at_brake(actions: Sequence[Action], *, pulled: bool) -> Sequence[Action]:
    """Hold every removal that no other guard holds, while an administrator wants none."""
    return _hold_removals(actions, HoldReason.BRAKE) if pulled else actions


def guard_attributes(actions: Sequence[Action], *, people: int) -> Sequence[Action]:
    """Hold everything when an attribute is gone from, or another for, too many at once.

    Places, and managers, who are named by their place, change with a unit that is renamed: of
    them only vanishing counts.

    Args:
        actions: What the rules decided, in any order.
        people: How many the source has.
    """
    changes = (change for action in actions for change in action.changes)
    if not suspicious_attributes(changes, people=people):
        return actions
    return [
        action if action.held else replace(action, held=HoldReason.ATTRIBUTES) for action in actions
    ]


def suspicious_attributes(changes: Iterable[FieldChange], *, people: int) -> Mapping[str, int]:
    """Return the attributes that vanished from, or changed for, too many, with the number."""
    vanished: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    for change in changes:
        if change.old is not None:
            vanished[change.name] += change.new is None
            changed[change.name] += change.name not in _PLACES
    share = int(people * ATTRIBUTE_PERCENT / 100)
    return {
        name: changed[name] or count
        for name, count in vanished.items()
        if count > max(SMALLEST_LIMIT, share) or changed[name] > max(SMALLEST_CHANGE, share)
    }


def counted_removals(actions: Sequence[Action]) -> int:
    """Return how many removals count tonight.

    Those counted when they were marked do not count again (D2), and those somebody has to
    decide about anyway remove nobody (D4).
    """
    return sum(action.is_removal and action.counted and not action.held for action in actions)


def require_people(read: int, source: str, last: int | None) -> None:
    """Stop at zero people, at any company size (R2).

    Raises:
        SourceError: The reading was empty.
    """
    if read == 0:
        before = f" The last good run saw {last:,}." if last else ""
        raise SourceError(
            f"{source} returned 0 people.{before} This run stopped; nothing was changed. "
            "Look at the base, the filter and the rights of the account that reads."
        )


def _hold_removals(actions: Sequence[Action], reason: HoldReason) -> Sequence[Action]:
    return [
        replace(action, held=reason) if action.is_removal and action.held is None else action
        for action in actions
    ]
