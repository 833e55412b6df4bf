"""Brakes: what each says, and what no-dismissals does to a plan."""

import pytest

from provisioning.domain.brakes import Brake
from provisioning.domain.errors import BrakeError
from provisioning.domain.planning import plan_one
from provisioning.domain.seats import Seats
from tests.kit.domain import context, employee, lines, person, plan_of, staged

ONE = Seats(taken=1, limit=1)


@pytest.mark.parametrize("brake", Brake)
def test_a_brake_says_what_it_stops_and_how_it_is_let_go(brake):
    """An error says who, why, what was not done, and what to do."""
    assert brake.sentence
    error = BrakeError(brake, "anna", "a restore")
    assert str(error).startswith(f'anna pulled the brake {brake.value}: "a restore". Nothing')
    assert f"`usher brake off {brake.value}`" in str(error)
    assert error.brake is brake


def test_without_dismissals_every_removal_of_a_run_is_held_and_nothing_else():
    """D5: -, ann, brake pulled: held; what another guard holds keeps its reason."""
    staff = [employee("ann"), employee("bob", protected=True)]
    plan = plan_of([person("cid")], staff, removals_stopped=True)
    assert sorted(lines(plan)) == [
        "dismiss ann, held: brake",
        "dismiss bob, held: protected",
        "invite cid",
    ]


def test_without_dismissals_nobody_gets_the_seat_of_who_stays():
    """L4: a seat that is not freed is not given out."""
    plan = plan_of([person("cid")], [employee("ann")], seats=ONE, removals_stopped=True)
    assert sorted(lines(plan)) == ["dismiss ann, held: brake", "wait cid no_seat"]


def test_one_person_is_held_by_the_same_brake():
    """S3: what a request or a page asks for."""
    gone = staged(person("ann", active=False))
    plan = plan_one(gone, employee("ann"), context(removals_stopped=True))
    assert [action.held for action in plan] == ["brake"]
