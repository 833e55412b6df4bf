"""What takes a seat, and how many are free (L)."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.domain.employees import EmployeeState

SEATED = frozenset({EmployeeState.INVITED, EmployeeState.ACTIVE})
"""Active and unaccepted invitations: what the licence counts (L1)."""


def takes_seat(state: EmployeeState | None) -> bool:
    """Whether an employee in this state holds a seat."""
    return state in SEATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """The licence at one moment."""

    taken: int
    limit: int | None
    """None: unlimited."""

    queued: int = 0
    """People already on the waiting list whom a free seat would serve: they come first (L3)."""

    def __post_init__(self) -> None:
        """Refuse a ledger that cannot be."""
        if self.taken < 0 or self.queued < 0 or (self.limit is not None and self.limit < 0):
            raise ValueError(f"seats cannot be negative: {self}")

    @property
    def free(self) -> int | None:
        """Seats nobody holds, 0 when over a lowered limit (L6); None when unlimited."""
        return None if self.limit is None else max(0, self.limit - self.taken)

    def for_newcomers(self, freed: int = 0) -> int | None:
        """Seats left for new people once `freed` more are given back and the queue is served.

        >>> Seats(taken=8, limit=10, queued=1).for_newcomers(freed=2)
        3
        >>> Seats(taken=12, limit=10).for_newcomers(freed=1)
        0
        """
        if self.limit is None:
            return None
        return max(0, self.limit - self.taken + freed - self.queued)
