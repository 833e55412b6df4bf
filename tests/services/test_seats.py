"""Seats: taken, waited for, freed, raised and lowered (L)."""

from __future__ import annotations

from tests.kit.nights import ME, kinds
from tests.kit.sources import entry


def test_past_the_seat_limit_people_wait_and_are_served_by_themselves(make_world):
    """L3, L4: two seats, three people; a departure lets the third in the same night."""
    world = make_world(seats=2)
    world.directory.add(entry("ann"), entry("bob"), entry("cid"))
    assert kinds(world.sync()) == {"invite": 2, "wait": 1}
    assert world.services.reports.seats().taken == 2
    assert [row.position for row in world.services.reports.waitlist()] == [1]
    world.directory.remove("ann")
    world.night()
    assert world.states() == {"Bob": "invited", "Cid": "invited"}
    assert world.services.reports.seats().taken == 2


def test_a_long_line_has_a_place_for_everybody(make_world):
    """L3: page by page, the same order and the same places."""
    world = make_world(seats=0)
    world.directory.add(*(entry(f"p{n:03}") for n in range(120)), entry("zoe", mail=None))
    world.sync()
    reports = world.services.reports
    rows = [*reports.waitlist(limit=50), *reports.waitlist(offset=50)]
    assert [row.position for row in rows] == [*range(1, 121), None]
    assert rows == list(reports.waitlist())


def test_a_raised_limit_serves_the_waiting_list(make_world):
    """L3: as soon as a seat is free, without a run."""
    world = make_world(seats=1)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.seats.set_limit(2, ME)
    assert world.services.waiting.serve() == 1
    assert set(world.states().values()) == {"invited"}


def test_a_lowered_limit_dismisses_nobody_and_invites_nobody(make_world):
    """L6: a finding, and the next newcomer waits."""
    world = make_world(seats=2)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.seats.set_limit(1, ME)
    world.directory.add(entry("cid"))
    assert kinds(world.night()) == {"wait": 1}
    assert [r.kind for r in world.services.reports.mismatches()] == ["over_seat_limit"]
    world.services.seats.set_limit(5, ME)
    assert world.services.reports.mismatches() == []
