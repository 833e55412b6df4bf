"""What a decision is made in: policy, time, seats, and how to look people up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from provisioning.domain.correlation import Hit
from provisioning.domain.matching import Queued
from provisioning.domain.people import Person
from provisioning.domain.policy import Policy
from provisioning.domain.seats import Seats


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningContext:
    """Everything a decision needs beside the two descriptions."""

    source: str
    policy: Policy
    now: datetime
    today: date
    """The local date of the intranet: nights are counted by it (D2)."""

    seats: Callable[[], Seats]
    """Reads the ledger; asked only when somebody needs a seat."""

    hits: Callable[[Person], Sequence[Hit]]
    """Looks an unlinked person up by the keys of P2."""

    queue: Mapping[str, Queued] = field(default_factory=dict)
    """The matching queue by anchor: what was asked is not asked again, what was decided counts."""

    flagged: frozenset[tuple[str, str]] = frozenset()
    """Open findings as (kind, anchor): what was said is not said again (R3)."""

    people: int = 0
    """How many the source has: what shares of changed attributes are taken of."""

    seated: Callable[[], int] = lambda: 0
    """Counts the source's people who hold a seat; asked only when removals may be too many."""

    removed_recently: int = 0
    """Removals of this source within seven days, over every door (D5)."""

    removals_proven: bool = True

    removals_stopped: bool = False
    """Whether an administrator wants nobody to be removed: the brake no-dismissals."""

    complete: bool = True
    """Whether everyone was read: only then somebody who is missing is removed (D1, D2)."""
