"""What seats will do: what removing stale invitations would change, and when they run out (L8).

known days  limit   taken lately                      outlook
----------  ------  --------------------------------  ------------------------------------------
any         none    any                               unlimited
any         n       n or more                         full
under 14    n       any                               too soon to tell
14 to 28    n       fewer, or as many as before       no growth
14 to 28    n       most of the growth on one day     uneven: an import is no pace
14 to 28    n       more, they last for over a year   lasting
14 to 28    n       more                              runs out on a day

The pace is the net growth from the oldest known day of the last 28 to today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from provisioning.domain.seats import Seats

WINDOW = timedelta(days=28)
"""How far back the pace is taken from: four whole weeks."""

SHORTEST = timedelta(days=14)
"""Less than two weeks say nothing."""

FARTHEST = timedelta(days=365)
"""Beyond a year no pace holds."""

SMALLEST_JUMP = 3
"""So many people on one day are never an import."""


class OutlookKind(StrEnum):
    """What can be said about the days to come."""

    UNLIMITED = "unlimited"
    FULL = "full"
    TOO_SOON = "too_soon"
    NO_GROWTH = "no_growth"
    UNEVEN = "uneven"
    LASTING = "lasting"
    RUNS_OUT = "runs_out"


class SeatDay(NamedTuple):
    """How many seats were taken at the end of a local date."""

    day: date
    taken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """When seats run out, or why that cannot be told."""

    kind: OutlookKind
    growth: int = 0
    """Seats taken on balance over the days the pace is taken from."""

    days: int = 0
    """Known days."""

    day: date | None = None
    """The first day without a free seat; only with `runs_out`."""

    @property
    def sentence(self) -> str:
        """Return what an administrator reads; "" if there is no limit."""
        pace = f"{self.growth:+,} in the last {self.days} days"
        known = f"{self.days} of {SHORTEST.days} days are known"
        return {
            OutlookKind.UNLIMITED: "",
            OutlookKind.FULL: "All seats are taken.",
            OutlookKind.TOO_SOON: f"When seats run out cannot be told yet: {known}.",
            OutlookKind.NO_GROWTH: f"Seats do not run out at the present pace ({pace}).",
            OutlookKind.UNEVEN: "When seats run out cannot be told: most of the growth "
            f"({pace}) came on one day.",
            OutlookKind.LASTING: f"Seats last for more than a year at the present pace ({pace}).",
            OutlookKind.RUNS_OUT: f"At the present pace ({pace}) seats run out on {self.day}.",
        }[self.kind]


def outlook(seats: Seats, history: Sequence[SeatDay], today: date) -> Outlook:
    """Tell when seats run out, by the table above.

    Args:
        seats: The licence now.
        history: Known days before today, ascending; days may be missing.
        today: The local date.
    """
    if seats.limit is None or seats.free is None:
        return Outlook(kind=OutlookKind.UNLIMITED)
    if seats.free == 0:
        return Outlook(kind=OutlookKind.FULL)
    known = [one for one in history if today - WINDOW <= one.day < today]
    known.append(SeatDay(today, seats.taken))
    lasted, growth = today - known[0].day, seats.taken - known[0].taken
    if lasted < SHORTEST:
        return Outlook(kind=OutlookKind.TOO_SOON, days=lasted.days)
    kind, day = OutlookKind.NO_GROWTH, None
    if growth > 0:
        kind, day = _pace(seats.free, known, growth, lasted)
    return Outlook(kind=kind, growth=growth, days=lasted.days, day=day)


def _pace(
    free: int, known: Sequence[SeatDay], growth: int, lasted: timedelta
) -> tuple[OutlookKind, date | None]:
    jump = max(after.taken - before.taken for before, after in pairwise(known))
    if jump > max(SMALLEST_JUMP, growth / 2):
        return OutlookKind.UNEVEN, None
    left = timedelta(days=-(-free * lasted.days // growth))
    if left > FARTHEST:
        return OutlookKind.LASTING, None
    return OutlookKind.RUNS_OUT, known[-1].day + left


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What a plan does with the seats there are, and what it would do with more."""

    invited: int
    """Newcomers, and people hired back, who get a seat."""

    waiting: int
    stale: int
    """Invitations that could be removed."""

    invited_without_stale: int
    """How many would get one if they were."""

    seats_wanted: int
    """Seats to buy so that nobody waits."""

    @property
    def sentence(self) -> str:
        """Return what a plan says of seats; "" if nobody waits."""
        if not self.waiting:
            return ""
        parts = [f"{self.invited:,} invited now, {self.waiting:,} wait"]
        if self.stale:
            invitations = "invitation" if self.stale == 1 else "invitations"
            parts.append(
                f"removing {self.stale:,} stale {invitations}: "
                f"{self.invited_without_stale:,} invited"
            )
        seats = "seat" if self.seats_wanted == 1 else "seats"
        everybody = self.invited + self.waiting
        parts.append(f"with {self.seats_wanted:,} more {seats}: all {everybody:,}")
        return f"{'; '.join(parts)}."


def what_if(seats: Seats, *, invited: int, waiting: int, freed: int, stale: int) -> WhatIf:
    """Tell what a plan would do with more seats (L8).

    People who are in the line already come before those of the plan, and a lowered limit has to
    fit first (L6).

    >>> full = Seats(taken=10, limit=10)
    >>> what_if(full, invited=3, waiting=9, freed=3, stale=5).sentence
    '3 invited now, 9 wait; removing 5 stale invitations: 8 invited; with 9 more seats: all 12.'

    Args:
        seats: The licence before the plan is applied.
        invited: People the plan gives a seat.
        waiting: People the plan lets wait.
        freed: Seats the plan gives back.
        stale: Stale invitations of people the plan does not touch.
    """
    room = (seats.limit or 0) - seats.taken + freed - seats.queued
    everybody = invited + waiting
    return WhatIf(
        invited=invited,
        waiting=waiting,
        stale=stale,
        invited_without_stale=max(invited, min(everybody, room + stale)),
        seats_wanted=max(0, everybody - room),
    )
