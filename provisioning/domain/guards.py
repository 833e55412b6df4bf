"""Guards: what stops a plan that follows every rule and is still wrong.

guard                    holds
-----------------------  ------------------------------------------------------------
hold_mass_removal        every removal, when a run has too many (D5)
hold_rolling_share       every removal, when seven days have too many (D5)
hold_unproven_removals   every removal, when the end of the reading is not proven
hold_protected           removals of people nobody may dismiss by machine (D4)
require_people           the whole run: zero people is never "all of them left" (R2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from provisioning.domain.actions import Action, HoldReason
from provisioning.domain.errors import SourceError
from provisioning.domain.policy import Policy


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
    seated: int,
    removed_recently: int,
    proven: bool,
) -> Sequence[Action]:
    """Apply all of them; the first reason that holds an action stays with it.

    Args:
        actions: What the rules decided, in any order.
        policy: The limits.
        seated: People of this source who hold a seat before the run.
        removed_recently: Removals of this source in the last seven days, over every door.
        proven: Whether the reading proved its end.
    """
    actions = hold_unproven_removals(actions, proven=proven)
    actions = hold_mass_removal(actions, limit=policy.removal_limit(seated))
    rolling = policy.rolling_limit(seated + removed_recently)
    return hold_rolling_share(actions, removed_recently=removed_recently, limit=rolling)


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
