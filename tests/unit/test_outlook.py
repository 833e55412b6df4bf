"""What seats will do: the forecast and a plan's what-if (L8)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.outlook import OutlookKind, SeatDay, outlook, what_if
from provisioning.domain.seats import Seats

TODAY = date(2026, 11, 25)
K = OutlookKind


def days(*counts):
    """Known counts of the days before today, the last one yesterday."""
    first = TODAY - timedelta(days=len(counts))
    return [SeatDay(first + timedelta(days=n), taken) for n, taken in enumerate(counts)]


@pytest.mark.parametrize(
    ("taken", "limit", "history", "kind"),
    [
        (10, None, [], K.UNLIMITED),
        (10, 10, [], K.FULL),
        (12, 10, [], K.FULL),
        (10, 20, [], K.TOO_SOON),
        (10, 20, days(*[8] * 13), K.TOO_SOON),
        (10, 20, days(*[10] * 14), K.NO_GROWTH),
        (10, 20, days(*[12] * 20), K.NO_GROWTH),
        (40, 60, days(*[10] * 20), K.UNEVEN),
        (11, 60, days(*[10] * 20), K.LASTING),
        (20, 24, days(*range(1, 21)), K.RUNS_OUT),
    ],
)
def test_every_row_of_the_table(taken, limit, history, kind):
    """L8: it says so when it cannot tell."""
    assert outlook(Seats(taken=taken, limit=limit), history, TODAY).kind is kind


def test_the_day_is_counted_from_the_pace():
    """L8: 14 more in 14 days is one a day; ten seats are free."""
    found = outlook(Seats(taken=24, limit=34), days(*range(10, 24)), TODAY)
    assert (found.kind, found.growth, found.days) == (K.RUNS_OUT, 14, 14)
    assert found.day == date(2026, 12, 5)
    assert found.sentence == (
        "At the present pace (+14 in the last 14 days) seats run out on 2026-12-05."
    )


def test_the_pace_is_that_of_the_last_four_weeks():
    """L8: what was before does not count, and a day that is not known is no gap."""
    long_ago = [SeatDay(TODAY - timedelta(days=29), 0)]
    recent = [SeatDay(TODAY - timedelta(days=28), 21), SeatDay(TODAY - timedelta(days=9), 22)]
    found = outlook(Seats(taken=24, limit=26), [*long_ago, *recent], TODAY)
    assert (found.growth, found.days) == (3, 28)
    assert found.day == TODAY + timedelta(days=19)


def test_every_kind_has_a_sentence_but_the_unlimited():
    """L8: an administrator reads why there is no date."""
    free = Seats(taken=10, limit=20)
    assert "13 of 14 days are known" in outlook(free, days(*[8] * 13), TODAY).sentence
    assert "do not run out" in outlook(free, days(*[10] * 14), TODAY).sentence
    assert "on one day" in outlook(Seats(taken=40, limit=60), days(*[10] * 20), TODAY).sentence
    assert outlook(Seats(taken=1, limit=None), [], TODAY).sentence == ""
    assert (
        "more than a year" in outlook(Seats(taken=11, limit=60), days(*[10] * 20), TODAY).sentence
    )


def test_a_plan_says_what_more_seats_would_do():
    """L8, L6: the line and a lowered limit come first; nobody waits: nothing is said."""
    full = Seats(taken=10, limit=10)
    found = what_if(full, invited=3, waiting=9, freed=3, stale=5)
    assert (found.invited_without_stale, found.seats_wanted) == (8, 9)
    behind = what_if(Seats(taken=10, limit=10, queued=4), invited=0, waiting=2, freed=0, stale=5)
    assert (behind.invited_without_stale, behind.seats_wanted) == (1, 6)
    over = what_if(Seats(taken=12, limit=10), invited=0, waiting=1, freed=0, stale=2)
    assert over.sentence == (
        "0 invited now, 1 wait; removing 2 stale invitations: 0 invited; with 3 more seats: all 1."
    )
    assert what_if(full, invited=3, waiting=0, freed=3, stale=5).sentence == ""
    plain = what_if(full, invited=0, waiting=1, freed=0, stale=0)
    assert plain.sentence == "0 invited now, 1 wait; with 1 more seat: all 1."


@given(
    taken=st.integers(0, 20), limit=st.integers(0, 20), queued=st.integers(0, 9),
    newcomers=st.integers(1, 9), freed=st.integers(0, 9), stale=st.integers(0, 9),
)  # fmt: skip
def test_removing_stale_invitations_is_as_good_as_that_many_seats(
    taken, limit, queued, newcomers, freed, stale
):
    """L8, L1: what is promised is what the seat gate would give."""
    seats = Seats(taken=taken, limit=limit, queued=queued)
    invited = min(newcomers, seats.for_newcomers(freed) or 0)
    waiting = newcomers - invited
    found = what_if(seats, invited=invited, waiting=waiting, freed=freed, stale=stale)
    assert found.invited_without_stale == min(newcomers, seats.for_newcomers(freed + stale) or 0)
    enough = seats.for_newcomers(freed + found.seats_wanted)
    assert not waiting or enough == newcomers
