"""Nights: from the clock, an hour and a time zone to the one nightly run of a local date (R6).

the local clock                        a night at 02:30 of that date is due
-------------------------------------  ---------------------------------------------------
shows 02:30 once                       then
shows 02:30 twice (autumn)             the first time
goes from 02:00 to 03:00 (spring)      when it would have been: now called 03:30
skips the whole date                   never: there is no such date
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
NOON = time(12)


def last_night(now: datetime, at: time, zone: tzinfo) -> datetime:
    """Return the latest night that is due by now: its date, and the local hour on it.

    The date is that of the night; the moment, compared as UTC, is when it was due.

    >>> from zoneinfo import ZoneInfo
    >>> noon, berlin = datetime(2026, 11, 24, 11, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    >>> last_night(noon, time(2), berlin).isoformat()
    '2026-11-24T02:00:00+01:00'
    >>> last_night(noon, time(23), berlin).isoformat()
    '2026-11-23T23:00:00+01:00'
    """
    # The date may go back with the clock: begin one later than what it shows.
    day = now.astimezone(zone).date() + DAY
    while not (_exists(day, zone) and _due(day, at, zone) <= now):
        day -= DAY
    return datetime.combine(day, at, tzinfo=zone)


def next_night(now: datetime, at: time, zone: tzinfo) -> datetime:
    """Return the first night that is not due yet, in the same form.

    >>> from zoneinfo import ZoneInfo
    >>> samoa = ZoneInfo("Pacific/Apia")
    >>> next_night(datetime(2011, 12, 29, 20, tzinfo=UTC), time(2), samoa).isoformat()
    '2011-12-31T02:00:00+14:00'
    """
    day = last_night(now, at, zone).date() + DAY
    while not _exists(day, zone):
        day += DAY
    return datetime.combine(day, at, tzinfo=zone)


def _due(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _exists(day: date, zone: tzinfo) -> bool:
    """Whether a zone has a date: one that crosses the date line skips one."""
    return _due(day, NOON, zone).astimezone(zone).date() == day
