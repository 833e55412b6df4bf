"""R7: how often administrators are told of a state, and how long a silence is usual."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.alarms import Alarm, AlarmKind, Told, is_due
from provisioning.domain.silence import LEAST_SILENCE, alarming_silence

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
HELD = Alarm(
    kind=AlarmKind.RUN_HELD,
    subject="corp",
    state="mass_removal",
    title="Plan 1 needs you",
    sentences=("6 actions are held.",),
    path="/admin/runs/1",
    action="See who",
)


@pytest.mark.parametrize(
    ("alarm", "told", "at", "due"),
    [
        (HELD, None, NOON, True),
        (HELD, Told(state="mass_removal", at=NOON), NOON + DAY - MINUTE, False),
        (HELD, Told(state="mass_removal", at=NOON), NOON + DAY, True),
        (HELD, Told(state="protected", at=NOON), NOON + MINUTE, True),
        (replace(HELD, needs_person=False), Told(state="mass_removal", at=NOON), NOON + DAY, False),
    ],
)
def test_the_table_of_letters(alarm, told, at, due):
    """R7: at once, daily while it needs a person, and anew when it is another state."""
    assert is_due(alarm, told, at) is due


def hours(*numbers):
    return [timedelta(hours=number) for number in numbers]


@pytest.mark.parametrize(
    ("days", "silences", "after"),
    [
        (13.9, hours(62, 62), None),
        (14, (), 6),
        (14, hours(62), 6),
        (14, hours(62, 62, 14, 14), 93),
        (14, hours(2, 1), 6),
        (28, hours(100, 62, 14), 93),
    ],
)
def test_the_table_of_silences(days, silences, after):
    """R7: measured by the source's own history; what happened once is not usual."""
    found = alarming_silence(silences, timedelta(days=days))
    assert found == (None if after is None else timedelta(hours=after))


@given(silences=st.lists(st.timedeltas(min_value=timedelta(0), max_value=30 * DAY)))
def test_a_silence_that_came_twice_alarms_nobody(silences):
    """R7: whatever the history, at most one silence in it would have been told of."""
    usual = alarming_silence(silences, 28 * DAY)
    assert usual is not None
    assert usual >= LEAST_SILENCE
    assert sum(silence > usual for silence in silences) <= 1
