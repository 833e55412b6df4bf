"""R7: how long a source that keeps failing is left alone, and how it comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.quarantine import Health, after_failure, after_success

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def failed(*minutes, everyone=True):
    """The health of a source that failed so many minutes after noon."""
    health = Health()
    for each in minutes:
        health = after_failure(health, NOON + timedelta(minutes=each), everyone=everyone)
    return health


@pytest.mark.parametrize(
    ("minutes", "hours"),
    [
        ((0,), None),
        ((0, 90), None),
        ((0, 1, 6, 21, 51), None),
        ((0, 1, 6, 21, 51, 111), 6),
        ((0, 30, 60), 6),
        ((0, 30, 60, 420), 12),
        ((0, 30, 60, 420, 1140), 24),
        ((0, 30, 60, 420, 1140, 2580), 24),
    ],
)
def test_the_table_of_back_off(minutes, hours):
    """R7: 6, 12, 24 hours, for what fails three times and for an hour."""
    health = failed(*minutes)
    until = NOON + timedelta(minutes=minutes[-1], hours=hours) if hours else None
    assert health.quarantined_until == until


def test_an_attempt_by_hand_that_fails_prolongs_nothing():
    """R7: whoever tries while it is in quarantine does no harm."""
    before = failed(0, 30, 60)
    during = after_failure(before, NOON + 2 * HOUR, everyone=True)
    assert during.quarantined_until == before.quarantined_until
    assert during.quarantines == 1


def test_a_source_that_is_read_again_is_well():
    """R7: it comes back by itself, whoever asked for the reading."""
    assert after_success(failed(0, 30, 60), everyone=True) == Health()
    assert after_success(failed(0, 30, 60, everyone=False), everyone=False) == Health()


def test_changes_that_arrive_are_not_cut_off_because_everyone_cannot_be_read():
    """R7: departures that still come in are worth more than a rest."""
    health = failed(0, 30)
    for minutes in range(35, 600, 30):
        health = after_success(health, everyone=False)
        health = after_failure(health, NOON + timedelta(minutes=minutes), everyone=True)
        assert health.quarantined_until is None
    assert health.failures > 2
    assert after_success(health, everyone=True) == Health()


steps = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(0, 3_000)), min_size=1, max_size=40
)


@given(steps=steps)
def test_whatever_happens_a_source_is_never_left_alone_for_more_than_a_day(steps):
    """R7: quarantines last 6, 12 or 24 hours, begin with a failure, and a full reading ends all."""
    health, now = Health(), NOON
    for fails, everyone, minutes in steps:
        now += timedelta(minutes=minutes)
        before = health
        if fails:
            health = after_failure(health, now, everyone=everyone)
            assert health.failures == before.failures + 1
        else:
            health = after_success(health, everyone=everyone)
            assert not health.is_quarantined_at(now)
            assert health == Health() or not everyone
        until = health.quarantined_until
        if until != before.quarantined_until and until is not None:
            assert not before.is_quarantined_at(now)
            assert (until - now) / HOUR in (6, 12, 24)
            earlier = before.quarantined_until and before.quarantines
            assert (until - now) / HOUR >= (12 if earlier else 6)
        assert until is None or until - now <= 24 * HOUR
