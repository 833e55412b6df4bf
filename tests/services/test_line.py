"""The line for a seat: its order, and an administrator's hand in it (L3)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioning.domain.errors import NotInLineError
from provisioning.domain.policy import Policy
from tests.kit.nights import ME, kinds
from tests.kit.sources import entry


def names(world):
    """Who is in the line, in order."""
    return [row.display_name for row in world.services.reports.waitlist() if row.position]


def waiting(make_world, *people, **policy):
    """A world in which they wait."""
    world = make_world(seats=0, policy=Policy(missing_grace_nights=0, **policy))
    for person in people:
        world.directory.add(person)
        world.sync()
    return world


def five(make_world):
    """Five who wait in the order of their names."""
    return waiting(make_world, *map(entry, ("ann", "bob", "cid", "dan", "eve")))


def find(world, name):
    return world.services.reports.find(name)


def test_priority_comes_before_time(make_world):
    """L3: policy priority, then waiting since; seats are given in that order."""
    world = waiting(
        make_world,
        entry("ann"),
        entry("bob", departmentNumber="Sales"),
        entry("cid", departmentNumber="Board"),
        entry("dan", departmentNumber="Sales"),
        seat_priority=("Board", "Sales"),
    )
    assert names(world) == ["Cid", "Bob", "Dan", "Ann"]
    world.services.seats.set_limit(2, ME)
    assert world.services.waiting.serve() == 2
    assert names(world) == ["Dan", "Ann"]


@pytest.mark.parametrize(
    ("who", "to", "place", "order"),
    [
        ("Eve", 1, 1, ["Eve", "Ann", "Bob", "Cid", "Dan"]),
        ("Ann", 3, 3, ["Bob", "Cid", "Ann", "Dan", "Eve"]),
        ("Bob", 99, 5, ["Ann", "Cid", "Dan", "Eve", "Bob"]),
        ("Cid", 3, 3, ["Ann", "Bob", "Cid", "Dan", "Eve"]),
    ],
)
def test_somebody_is_moved(make_world, who, to, place, order):
    """L3: up, down, past the end, nowhere; who comes later comes after."""
    world = five(make_world)
    assert world.services.line.move(find(world, who), to, ME) == place
    assert names(world) == order
    world.directory.add(entry("abe"))
    world.sync()
    assert names(world) == [*order, "Abe"]


def test_two_moves_add_up_and_can_be_forgotten(make_world):
    """L3, S4: each is on the timeline; the rules' order comes back."""
    world = five(make_world)
    line = world.services.line
    line.move(find(world, "Eve"), 2, ME)
    line.move(find(world, "Dan"), 1, ME)
    assert names(world) == ["Dan", "Ann", "Eve", "Bob", "Cid"]
    event = world.services.person(find(world, "Dan")).timeline[0]
    assert (event.kind, event.before, event.after) == ("moved_in_line", {"place": 5}, {"place": 1})
    assert line.forget_places(ME) == 3
    assert names(world) == ["Ann", "Bob", "Cid", "Dan", "Eve"]
    assert line.forget_places(ME) == 0


def test_a_place_ends_with_the_wait(make_world):
    """L3: whoever comes to wait again stands where the rules put them."""
    world = five(make_world)
    world.services.line.move(find(world, "Eve"), 1, ME)
    world.services.seats.set_limit(1, ME)
    world.services.waiting.serve()
    assert world.states()["Eve"] == "invited"
    world.directory.add(entry("eve", mail="eve@elsewhere.example"))
    world.sync()
    assert not any(row.placed for row in world.services.reports.waitlist())


def test_places_given_at_once_are_places_of_one_line(make_world):
    """L3: nobody is lost, nobody twice."""
    world = five(make_world)
    ids = [find(world, name) for name in names(world)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda one: world.services.line.move(one, 1, ME), ids))
    assert sorted(names(world)) == ["Ann", "Bob", "Cid", "Dan", "Eve"]
    assert [row.position for row in world.services.reports.waitlist()] == [1, 2, 3, 4, 5]


def test_who_is_taken_out_of_the_line_gets_no_seat(make_world):
    """L3, S2, R3: nor by the next run, nor by news from the source; they stay registered."""
    world = five(make_world)
    world.services.line.take_out(find(world, "Ann"), ME, "not before spring")
    assert names(world) == ["Bob", "Cid", "Dan", "Eve"]
    world.services.seats.set_limit(None, ME)
    world.services.waiting.serve()
    assert kinds(world.night()) == {}
    world.directory.add(entry("ann", departmentNumber="Sales", mail="anna@corp.example"))
    assert kinds(world.night()) == {"update": 1}
    report = world.services.person(find(world, "Ann"))
    assert (
        report.why.startswith(
            "waiting (taken out) because anna took them out of the line: not before spring"
        )
        or "not before spring" in report.why
    )
    assert world.states()["Ann"] == "waiting"


def test_an_administrator_brings_them_back(make_world):
    """L3, I4: by inviting them again, through the seat gate."""
    world = five(make_world)
    world.services.line.take_out(find(world, "Ann"), ME, "a mistake")
    assert world.services.invite_again(find(world, "Ann"), ME) == "waiting"
    assert "Ann" in names(world)


def test_who_was_taken_out_departs_like_anybody(make_world):
    """D1: never written to, so the row is removed."""
    world = five(make_world)
    world.services.line.take_out(find(world, "Ann"), ME, "no")
    world.directory.remove("ann")
    world.night()
    assert "Ann" not in world.states()


def test_only_who_is_in_the_line_has_a_place(make_world):
    """L3: others are refused, and nothing is changed."""
    world = make_world(seats=1)
    world.directory.add(entry("ann"), entry("bob", mail=None))
    world.sync()
    line = world.services.line
    with pytest.raises(NotInLineError, match=r"Ann is not in the line for a seat \(invited\)"):
        line.move(find(world, "Ann"), 1, ME)
    with pytest.raises(NotInLineError, match="waiting: no usable address"):
        line.take_out(find(world, "Bob"), ME, "no")
