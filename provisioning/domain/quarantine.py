"""The back-off of a source that keeps failing (R7).

What counts is a reading that was refused, cut short or empty, whoever asked for it:

failures   failing for   quarantines so far  ->  then
---------  ------------  ------------------      -------------------------------------
1 or 2     any           none                    the schedule tries again as usual
any        under 1 hour  none                    the schedule tries again as usual
3 or more  1 hour, more  none                    left alone for 6 hours
any        any           one                     left alone for 12 hours
any        any           two or more             left alone for 24 hours
any        in it still   any                     the same: an attempt by hand prolongs nothing

what succeeds    when                        ->  then
---------------  --------------------------      -------------------------------------
everyone         any                             nothing ever failed
changes          only changes had failed         nothing ever failed
changes          everyone could not be read      it failed, but is never left alone for it:
                                                 departures still arrive by the changes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

BACK_OFF: Sequence[timedelta] = tuple(timedelta(hours=hours) for hours in (6, 12, 24))
"""How long the first, the second and every later quarantine lasts."""

KEEPS_FAILING = 3
"""Failures before the first quarantine, which nobody gets for a short break."""

SHORT_BREAK = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a source failed since it last was well; all times are aware."""

    failures: int = 0
    failing_since: datetime | None = None
    everyone_failed: bool = False
    """Whether a reading of everyone was among the failures."""

    quarantines: int = 0
    quarantined_until: datetime | None = None

    def is_quarantined_at(self, now: datetime) -> bool:
        """Whether the schedule leaves the source alone."""
        return self.quarantined_until is not None and now < self.quarantined_until


def back_off(quarantines: int) -> timedelta:
    """Return how long a quarantine lasts after so many before it.

    >>> [back_off(before).total_seconds() / 3600 for before in range(4)]
    [6.0, 12.0, 24.0, 24.0]
    """
    return BACK_OFF[min(quarantines, len(BACK_OFF) - 1)]


def after_failure(health: Health, now: datetime, *, everyone: bool) -> Health:
    """Return the health of a source that failed once more.

    Args:
        health: As it was.
        now: When it failed.
        everyone: Whether everyone was to be read, or only what changed.
    """
    failing = replace(
        health,
        failures=health.failures + 1,
        failing_since=health.failing_since or now,
        everyone_failed=health.everyone_failed or everyone,
    )
    if failing.is_quarantined_at(now) or not _is_due(failing, now):
        return failing
    return replace(
        failing,
        quarantines=failing.quarantines + 1,
        quarantined_until=now + back_off(failing.quarantines),
    )


def after_success(health: Health, *, everyone: bool) -> Health:
    """Return the health of a source that was read to its end."""
    if everyone or not health.everyone_failed:
        return Health()
    return Health(failures=health.failures, everyone_failed=True)


def _is_due(failing: Health, now: datetime) -> bool:
    """Whether the next quarantine begins with this failure."""
    if failing.quarantines:
        return True
    since = failing.failing_since or now
    return failing.failures >= KEEPS_FAILING and now - since >= SHORT_BREAK
