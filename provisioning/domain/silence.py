"""How long a source that sends by itself is usually silent, by its own history (R7).

heard for      silences of the last weeks  ->  an alarm after
-------------  --------------------------      ---------------------------------------
under 14 days  any                             never: its weekends are not known yet
14 days        none of an hour                 6 hours, the least
14 days        62 h, once                      6 hours: what happened once is not usual
14 days        62 h, 62 h, 14 h, ...           93 hours: half as long again as weekends
14 days        2 h, 1 h                        6 hours, the least
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

LEAST_HEARD = timedelta(days=14)
"""How long a source has to be known: two weekends are among its silences then."""

REMEMBERED = timedelta(days=28)
"""Silences that ended longer ago tell nothing of today."""

WORTH_NOTING = timedelta(hours=1)
"""Shorter silences are not written down."""

LEAST_SILENCE = timedelta(hours=6)
"""No shorter silence is told of."""

_TWICE = 2


def longest_usual_silence(silences: Collection[timedelta]) -> timedelta:
    """Return the longest silence that was reached twice; none if there is no such.

    >>> longest_usual_silence([timedelta(hours=62), timedelta(hours=14), timedelta(hours=14)])
    datetime.timedelta(seconds=50400)
    """
    if len(silences) < _TWICE:
        return timedelta(0)
    return sorted(silences)[-_TWICE]


def alarming_silence(silences: Collection[timedelta], heard_for: timedelta) -> timedelta | None:
    """Return how long a source may be silent before somebody is told; None: for ever.

    Args:
        silences: Those of an hour or longer within the last weeks.
        heard_for: Since when requests have been coming.
    """
    if heard_for < LEAST_HEARD:
        return None
    return max(LEAST_SILENCE, longest_usual_silence(silences) * 3 / 2)
