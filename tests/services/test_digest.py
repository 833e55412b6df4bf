"""The daily letter, which is only written if there is something to say."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from scheduler.jobs import digest
from tests.kit.nights import ME
from tests.kit.sources import entry

SEVEN = time(7, 0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def told(world):
    """Return the look of a scheduler at seven or later, and what was written so far."""
    world.services.accounts.create_administrator("anna@corp.example")
    world.clock.advance(6 * HOUR)

    def look():
        digest(world.services, SEVEN)
        rows = world.services.outbox.messages(limit=500)
        return [row for row in rows if row.topic == "letter.digest"]

    return look


def text(world, row):
    letter = world.services.delivery.letter(row.id)
    return " ".join(letter.get_body(("plain",)).get_content().split())


def test_a_day_on_which_nothing_happened_is_not_told(world, told):
    """R7: no news, no letter, however often one looks."""
    for _ in range(5):
        world.clock.advance(DAY)
        assert told() == []


def test_a_day_is_told_once_with_what_happened_and_what_waits(world, told):
    """R6, R7: once per local date; the numbers are of that day alone."""
    people = [entry(f"p{number}") for number in range(10)]
    world.directory.add(*people, entry("nix", mail=None))
    world.sync()
    assert told() == []
    world.clock.advance(DAY)
    (row,) = told()
    assert told() == [row]
    assert "10 invited" in text(world, row)
    assert "no usable address" in text(world, row)
    assert "Seats taken: 10." in text(world, row)
    world.accept("P0", "P1")
    world.directory.remove(*(f"p{number}" for number in range(6)))
    run = world.sync()
    world.services.alarms.look()
    world.clock.advance(DAY)
    second = text(world, told()[0])
    assert "2 joined" in second
    assert "invited" not in second
    assert f"Needs you: Plan {run.run} of corp needs you: 6 actions are held" in second
    world.services.runs.reject(run.run, ME, "a wrong filter")
    world.services.alarms.look()
    world.clock.advance(DAY)
    assert len(told()) == 2


def test_a_late_digest_is_about_its_own_day(world, told):
    """R6: a machine that slept tells of the day that ended at seven, not of what came after."""
    world.clock.advance(DAY)
    assert told() == []
    world.clock.advance(13 * HOUR)
    world.directory.add(entry("ann"))
    world.sync()
    assert told() == []
    world.clock.advance(DAY)
    assert len(told()) == 1
