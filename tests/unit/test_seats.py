"""Seats: who takes one, who gets one, and who waits (L)."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.employees import EmployeeState
from provisioning.domain.policy import Policy
from provisioning.domain.seats import Seats, takes_seat
from tests.kit.domain import employee, lines, person, plan_of

S = EmployeeState
ANN, BOB, CID = person("ann"), person("bob"), person("cid")


def full(limit, **values):
    """A licence without a free seat."""
    return Seats(taken=limit, limit=limit, **values)


def test_the_invited_and_the_active_take_a_seat():
    """L1: the dismissed and the waiting take none, and nobody who is not there."""
    assert {state for state in S if takes_seat(state)} == {S.INVITED, S.ACTIVE}
    assert not takes_seat(None)


@pytest.mark.parametrize(
    "ledger",
    [
        {"taken": -1, "limit": 1},
        {"taken": 0, "limit": -1},
        {"taken": 0, "limit": None, "queued": -1},
    ],
)
def test_a_ledger_that_cannot_be_is_refused(ledger):
    """L1: seats are never negative."""
    with pytest.raises(ValueError, match="seats cannot be negative"):
        Seats(**ledger)


@pytest.mark.parametrize(
    ("seats", "free", "for_newcomers"),
    [
        (Seats(taken=3, limit=None), None, None),
        (Seats(taken=3, limit=10), 7, 9),
        (Seats(taken=3, limit=10, queued=4), 7, 5),
        (Seats(taken=3, limit=10, queued=40), 7, 0),
        (Seats(taken=12, limit=10), 0, 0),
        (Seats(taken=0, limit=0), 0, 2),
    ],
)
def test_seats_are_what_is_left_of_the_licence(seats, free, for_newcomers):
    """L1, L3, L6: over a lowered limit there are none; who waits comes first."""
    assert seats.free == free
    assert seats.for_newcomers(freed=2) == for_newcomers


def test_without_a_licence_limit_everybody_is_invited():
    """L1: unlimited."""
    assert lines(plan_of([ANN, BOB])) == ["invite ann", "invite bob"]


def test_past_the_seat_limit_people_wait():
    """L3: no seat, no letter, but a place in the line."""
    plan = plan_of([ANN, BOB], seats=Seats(taken=0, limit=1))
    assert lines(plan) == ["invite ann", "wait bob no_seat"]
    assert plan.actions[1].because.text.startswith("no seat is left of 1; new in corp")


def test_without_any_seat_everybody_waits():
    """L3: the table's last row but one."""
    plan = plan_of([ANN, BOB], seats=full(0))
    assert lines(plan) == ["wait ann no_seat", "wait bob no_seat"]


def test_who_has_been_waiting_comes_before_newcomers():
    """L3: two seats are free and two people are in the line already."""
    waiting = Seats(taken=0, limit=2, queued=2)
    assert lines(plan_of([ANN], seats=waiting)) == ["wait ann no_seat"]


def test_a_seat_that_is_freed_tonight_is_given_away_tonight():
    """L4: dismissals and revocations come first."""
    staff = [employee("zoe"), employee("yan", "invited")]
    plan = plan_of([ANN, BOB, CID], staff, seats=full(2))
    assert lines(plan) == [
        "revoke yan",
        "dismiss zoe",
        "invite ann",
        "invite bob",
        "wait cid no_seat",
    ]


@pytest.mark.parametrize(
    "leaving",
    [
        employee("zoe", "waiting", state_reason="lapsed"),
        employee("zoe", "awaiting_confirmation"),
        employee("zoe", protected=True),
    ],
    ids=["waiting", "awaiting confirmation", "protected"],
)
def test_only_a_departure_that_happens_frees_a_seat(leaving):
    """L4, D4: who held none gives none back, and a held departure frees nothing."""
    plan = plan_of([ANN], [leaving], seats=full(2))
    assert lines(plan)[-1] == "wait ann no_seat"


def test_a_marked_employee_keeps_the_seat():
    """D2, L4: missing is not gone."""
    zoe = employee("zoe", authoritative=False, other_sources=1)
    assert "wait ann no_seat" in lines(plan_of([ANN], [zoe], seats=full(2)))


def test_held_departures_free_no_seats():
    """D5, L4: nobody is invited on the seat of somebody who stays."""
    staff = [employee(f"p{n}") for n in range(4)]
    assert "wait ann no_seat" in lines(plan_of([ANN], staff, seats=full(4)))


def test_who_is_hired_back_comes_before_newcomers():
    """L4: one seat, and it is theirs."""
    plan = plan_of([ANN, BOB], [employee("bob", "dismissed")], seats=Seats(taken=0, limit=1))
    assert lines(plan) == ["hire_back bob", "wait ann no_seat"]


def test_newcomers_are_seated_by_their_first_day_then_by_id():
    """L3: one moment is one moment, in whichever time zone it is written."""

    def starting(name, moment):
        return person(name, starts_at=datetime.fromisoformat(moment))

    people = [
        starting("dan", "2026-12-01T00:00:00+00:00"),
        starting("ann", "2026-12-01T00:00:00+02:00"),
        starting("bob", "2026-11-30T23:00:00+00:00"),
        starting("cid", "2026-12-01T00:00:00+00:00"),
    ]
    plan = plan_of(people, seats=Seats(taken=0, limit=3))
    assert lines(plan) == ["invite ann", "invite bob", "invite cid", "wait dan no_seat"]


def test_departments_with_priority_are_seated_first():
    """L3: the policy's priority, then the first day, then the id; who is hired back still first."""
    soon = datetime.fromisoformat("2026-12-01T00:00:00+00:00")
    people = [
        person("ann", starts_at=soon),
        person("bob", department="Sales"),
        person("cid", department="Board"),
        person("dan", department="Sales", starts_at=soon),
        person("eve"),
    ]
    policy = Policy(seat_priority=("Board", "Sales"))
    plan = plan_of(
        people, [employee("eve", "dismissed")], seats=Seats(taken=0, limit=3), policy=policy
    )
    assert lines(plan) == [
        *("hire_back eve", "invite cid", "invite dan"),
        *("wait bob no_seat", "wait ann no_seat"),
    ]


def test_an_update_needs_no_seat():
    """L2: who is inside stays inside, however full it is."""
    plan = plan_of([person("ann", department="Sales")], [employee("ann")], seats=full(1))
    assert lines(plan) == ["update ann"]


def test_a_lowered_limit_dismisses_nobody_and_invites_nobody():
    """L6: over the limit, one leaves, and it still does not fit."""
    plan = plan_of([ANN, BOB], [employee("bob"), employee("cid")], seats=Seats(taken=4, limit=3))
    assert lines(plan) == ["dismiss cid", "wait ann no_seat"]


@given(
    taken=st.integers(0, 9),
    limit=st.integers(0, 9),
    queued=st.integers(0, 9),
    freed=st.integers(0, 9),
)
def test_newcomers_never_get_more_than_the_licence_leaves(taken, limit, queued, freed):
    """L1, L3: with those who wait served first, nobody sits on anybody's seat."""
    seats = Seats(taken=taken, limit=limit, queued=queued)
    given_away = seats.for_newcomers(freed)
    assert given_away is not None
    assert given_away >= 0
    assert given_away == 0 or taken - freed + queued + given_away <= limit
