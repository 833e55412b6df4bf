"""Nights: ten years of six time zones, one nightly run a local date (R6, safety 23)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.nights import last_night, next_night

DAYS = 3_650
FIRST = date(2010, 1, 1)
MOMENT = timedelta(microseconds=1)
ZONES = {
    "Europe/Berlin": set(),
    "America/New_York": set(),
    "America/Sao_Paulo": set(),  # south, and its clocks changed at midnight
    "Australia/Lord_Howe": set(),  # south, by half an hour
    "Asia/Kolkata": set(),  # half an hour off, and never changes
    "Pacific/Apia": {date(2011, 12, 30)},  # went over the date line
}
HOURS = [time(0), time(2, 30)]


@pytest.mark.parametrize("at", HOURS, ids=str)
@pytest.mark.parametrize("zone", ZONES)
def test_ten_years_have_one_night_a_local_date(zone, at):
    """R6, safety 23: every date there is, once and in order, late and early by a moment."""
    here, dates = ZoneInfo(zone), []
    due = last_night(datetime.combine(FIRST, time(23, 59, 59), tzinfo=here), at, here)
    while len(dates) < DAYS:
        dates.append(due.date())
        following = next_night(due, at, here)
        begins, ends = due.astimezone(UTC), following.astimezone(UTC)
        assert begins < ends
        for now in (begins, begins + (ends - begins) / 2, ends - MOMENT):
            assert last_night(now, at, here) == due
            assert next_night(now, at, here) == following
        due = following
    everyone = (FIRST + timedelta(days=number) for number in range(DAYS + len(ZONES[zone])))
    assert dates == [day for day in everyone if day not in ZONES[zone]]


def test_a_machine_that_looks_every_ten_minutes_runs_once_a_date():
    """R6: also in the hour that comes twice, where the clock goes back over the night's hour."""
    here, slots = ZoneInfo("Australia/Lord_Howe"), []
    now = datetime(2026, 1, 1, tzinfo=UTC)
    while now < datetime(2026, 12, 31, tzinfo=UTC):
        slots.append(last_night(now, time(1, 45), here).date())
        now += timedelta(minutes=10)
    assert slots == sorted(slots)
    assert len(set(slots)) == 365


@given(
    zone=st.sampled_from(sorted(ZONES)),
    start=st.datetimes(min_value=datetime(2009, 1, 1), max_value=datetime(2037, 1, 1)),  # noqa: DTZ001
    at=st.times(),
)
def test_every_moment_belongs_to_one_night_that_is_past(zone, start, at):
    """R6: the last night is due, the next one is not, and no date lies between them but a gap."""
    now, here = start.replace(tzinfo=UTC), ZoneInfo(zone)
    last, following = last_night(now, at, here), next_night(now, at, here)
    assert last.astimezone(UTC) <= now < following.astimezone(UTC)
    skipped = {last.date() + timedelta(days=n) for n in range(1, (following - last).days + 1)}
    assert skipped - {following.date()} <= ZONES[zone]
