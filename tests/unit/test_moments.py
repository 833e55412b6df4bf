"""Dates as directories write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.moments import parse_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20261101120000Z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("202611011200Z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026110112Z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("20261101120000.0Z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("20261101120000,5+0200", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("20261101120000-05", datetime(2026, 11, 1, 17, tzinfo=UTC)),
        ("20161231235960Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-11-01T12:00:00Z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01T12:00:00+02:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01 12:00", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("20261101", datetime(2026, 11, 1, tzinfo=UTC)),
        ("134064720000000000", datetime(2025, 11, 1, 12, tzinfo=UTC)),
        ("0", None),
        ("9223372036854775807", None),
        ("9223372036854775806", None),
    ],
)
def test_dates_are_read_as_directories_write_them(text, moment):
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "20261301120000Z", "20261101250000Z", "000001010000Z", "12",
             "20261101120000+9900"]
)  # fmt: skip
def test_what_is_no_date_is_not_guessed(text):
    with pytest.raises(ValueError):  # noqa: PT011 - its words differ, its kind is the promise
        parse_moment(text)


@given(st.timedeltas(timedelta(days=40_000), timedelta(days=2_000_000)))
def test_a_moment_survives_every_notation(age):
    moment = datetime(1601, 1, 1, tzinfo=UTC) + age
    ticks = age // timedelta(microseconds=1) * 10
    assert parse_moment(moment.isoformat()) == moment
    assert parse_moment(str(ticks)) == moment
    assert parse_moment(f"{moment:%Y%m%d%H%M%S}Z") == moment.replace(microsecond=0)
