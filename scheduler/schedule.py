"""What a job is, and when things happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When things happen; what an administrator may set."""

    nightly_at: time = time(2, 0)
    """Local time of the intranet."""

    digest_at: time = time(7, 0)
    """Local time of the intranet."""

    changes: timedelta = timedelta(minutes=5)
    """Between looks at what changed in directories that can tell."""

    delivery: timedelta = timedelta(seconds=5)
    upkeep: timedelta = timedelta(minutes=15)
    inbound_kept: timedelta = timedelta(days=30)
    """How long requests of identity providers stay in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A named piece of work and how often it is looked at."""

    name: str
    words: str
    every: timedelta
    tick: Callable[[], object]
    """Does the work if it is due; called every `every`."""

    following: Callable[[datetime], datetime]
    """Returns when it is due for the first time after a moment."""

    now: Callable[[], Sequence[str]]
    """Does the work at once, due or not, and says what came of it: `usher jobs run NAME`."""
