"""Dates as directories write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

_GENERALIZED = re.compile(
    r"(?P<day>\d{8})(?P<hour>\d{2})(?:(?P<minute>\d{2})(?P<second>\d{2})?)?(?:[.,]\d+)?"
    r"(?P<zone>Z|[+-]\d{2}(?:\d{2})?)?"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}")
_FILETIME = re.compile(r"0|\d{15,19}")
_FILETIME_BEGIN = datetime(1601, 1, 1, tzinfo=UTC)
_FILETIME_NEVER = frozenset({0, 2**63 - 1})


def parse_moment(text: str, *, end_of_day: bool = False) -> datetime | None:
    """Return the aware moment a text means, or None for "never".

    Generalized time (RFC 4517 section 3.3.13), ISO 8601, and Active Directory's hundreds of
    nanoseconds since 1601, where 0 and the largest number mean never. A date alone begins its
    day, or with `end_of_day` ends it: somebody's last day is a day they may still work on.
    Without a time zone it is UTC.

    >>> str(parse_moment("20261101120000Z"))
    '2026-11-01 12:00:00+00:00'
    >>> str(parse_moment("2026-11-01", end_of_day=True))
    '2026-11-01 23:59:59.999999+00:00'
    >>> parse_moment("9223372036854775807") is None
    True

    Raises:
        ValueError: The text is none of these.
    """
    if _FILETIME.fullmatch(text):
        return _filetime(int(text))
    if _DATE.fullmatch(text):
        day = date.fromisoformat(text)
        return datetime.combine(day, time.max if end_of_day else time.min, UTC)
    generalized = _GENERALIZED.fullmatch(text)
    try:
        moment = (
            _generalized(generalized) if generalized is not None else datetime.fromisoformat(text)
        )
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _filetime(ticks: int) -> datetime | None:
    if ticks in _FILETIME_NEVER:
        return None
    try:
        return _FILETIME_BEGIN + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None


def _generalized(match: re.Match[str]) -> datetime:
    day, hour, minute, second, zone = match.group("day", "hour", "minute", "second", "zone")
    moment = datetime.combine(
        date.fromisoformat(day), time(int(hour), int(minute or 0), min(int(second or 0), 59))
    )
    return moment.replace(tzinfo=_zone(zone or "Z"))


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5] or 0))
    return timezone(-offset if text[0] == "-" else offset)
