"""The breaker: removals that arrive one at a time are measured like those of a run (D6).

Removed counts people of the source over every door, in the last day and in seven; the shares
are of those who were seated when that time began. For limits of 5 % and 10 %:

seated now  removed in a day  in seven days  the next removal
----------  ----------------  -------------  ------------------------------------------------
any         0, 1 or 2         0, 1 or 2      goes through: the first ones always do
10          3                 3              held: 3 is the least limit, and reached
1,179       61                61             goes through: the 62nd of 1,240
1,178       62                62             held: 62 is 5 % of 1,240
1,117       10                123            goes through: the 124th of 1,240 in seven days
1,116       10                124            held: 124 is 10 % of 1,240
any         any               any            goes through uncounted, if no letter had left (I9)
any         any               any            held, and spends nothing, if protected (D4)
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

from provisioning.domain.actions import Action, HoldReason
from provisioning.domain.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What was removed of a source's people lately, and how many of them hold a seat now."""

    seated: int
    removed_in_a_day: int
    removed_in_seven_days: int

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        if not 0 <= self.removed_in_a_day <= self.removed_in_seven_days or self.seated < 0:
            raise ValueError(f"this budget cannot be: {self}")

    def daily_limit(self, policy: Policy) -> int:
        """Return how many may be removed within a day (D5, D6)."""
        return policy.removal_limit(self.seated + self.removed_in_a_day)

    def weekly_limit(self, policy: Policy) -> int:
        """Return how many may be removed within seven days (D5, D6)."""
        return policy.rolling_limit(self.seated + self.removed_in_seven_days)

    def has_room(self, policy: Policy) -> bool:
        """Whether one more removal stays within both limits.

        >>> Budget(seated=10, removed_in_a_day=2, removed_in_seven_days=2).has_room(Policy())
        True
        >>> Budget(seated=10, removed_in_a_day=0, removed_in_seven_days=3).has_room(Policy())
        False
        """
        return self.removed_in_a_day < self.daily_limit(
            policy
        ) and self.removed_in_seven_days < self.weekly_limit(policy)


def people_needed(policy: Policy, *, in_a_day: int, in_seven_days: int) -> int | None:
    """Return how many people have to be seated for one more removal to have room.

    Whoever counts them needs to count no further. None: no number of people is enough.

    >>> people_needed(Policy(), in_a_day=61, in_seven_days=61)
    1179
    >>> people_needed(Policy(), in_a_day=2, in_seven_days=2)
    0
    """

    def is_enough(seated: int) -> bool:
        budget = Budget(
            seated=seated, removed_in_a_day=in_a_day, removed_in_seven_days=in_seven_days
        )
        return budget.has_room(policy)

    # Both limits only grow with the number of people.
    needed = bisect_left(_CROWDS, 1, key=is_enough)
    return needed if needed < len(_CROWDS) else None


_CROWDS = range(1 << 31)
"""Every number of people a company may have."""


def hold_at_breaker(action: Action, *, policy: Policy, budget: Budget) -> Action:
    """Hold a removal that would be one too many; anything else is returned as it is (D6)."""
    measured = action.is_removal and action.counted and action.held is None
    if not measured or budget.has_room(policy):
        return action
    return replace(action, held=HoldReason.BREAKER)
