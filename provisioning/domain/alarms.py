"""What administrators are told of, and how often (R7).

the state              told before   ->  a letter
---------------------  ------------      ------------------------------------------
came about             no                at once
is the same            within a day      none, however many items it is about
is the same            a day ago         again, if it needs a person
is another one         any               at once
is over                any               none; one that did not leave yet never does
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

DAILY = timedelta(days=1)
"""Between two letters about a state that does not change."""


class AlarmKind(StrEnum):
    """What somebody has to know of at once."""

    RUN_HELD = "run_held"
    """A plan waits for a decision."""

    EFFECTS_HELD = "effects_held"
    """What an identity provider asked for waits for a decision."""

    RUN_PARTIAL = "run_partial"
    """A run was applied, but not for everybody."""

    SOURCE_FAILING = "source_failing"
    """Runs of a source fail or end incomplete."""

    SOURCE_QUARANTINED = "source_quarantined"
    """A source failed so often that the schedule leaves it alone."""

    SOURCE_SILENT = "source_silent"
    """An identity provider sends nothing for longer than usual."""

    SEATS_LOW = "seats_low"
    """Fewer seats are free than somebody wants there to be."""

    LETTERS_STUCK = "letters_stuck"
    """Letters or events do not leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One state that stands now, in words."""

    kind: AlarmKind
    subject: str
    """What it is about: a source, or the seats. One alarm of a kind for each."""

    state: str
    """What is told anew when it changes."""

    title: str
    """One line."""

    sentences: Sequence[str]
    """What happened, what did not, and what to do."""

    path: str
    """The page where something can be done, below the public URL."""

    action: str
    """What leads there, as a button."""

    needs_person: bool = True
    """Whether it is told daily until it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told of an alarm, and when."""

    state: str
    at: datetime


def is_due(alarm: Alarm, told: Told | None, now: datetime) -> bool:
    """Whether administrators are to be told of an alarm now."""
    if told is None or told.state != alarm.state:
        return True
    return alarm.needs_person and now - told.at >= DAILY
