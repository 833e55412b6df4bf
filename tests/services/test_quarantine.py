"""A source that keeps failing is left alone by the schedule, and comes back by itself."""

from __future__ import annotations

from contextlib import suppress
from datetime import time, timedelta
from functools import partial
from itertools import pairwise

import pytest

from provisioning.domain.errors import SourceError
from scheduler.jobs import changes, nightly
from tests.kit.nights import ME
from tests.kit.sources import entry

TWO = time(2, 0)
MINUTE = timedelta(minutes=1)
FIVE = timedelta(minutes=5)


@pytest.fixture
def corp(world):
    world.directory.add(entry("ann"), entry("bob"))
    return world.directory


def nights(world, duration):
    """Let the schedule look every ten minutes; returns at which minutes it read, or tried to."""
    tries = []
    for minute in range(0, int(duration / MINUTE), 10):
        before = world.services.run_reports.runs(limit=1)[0].run
        for look in (partial(nightly, world.services, TWO), partial(changes, world.services, FIVE)):
            with suppress(SourceError):
                look()
        if world.services.run_reports.runs(limit=1)[0].run > before:
            tries.append(minute)
        world.clock.advance(10 * MINUTE)
    return tries


def test_the_schedule_leaves_a_failing_source_alone_for_6_12_and_24_hours(world, corp):
    """R7: tried for an hour as ever, then after six, twelve and twenty-four hours."""
    world.sync()
    world.clock.advance(timedelta(hours=14))
    corp.cut_after, corp.broken = 1, True
    tries = nights(world, timedelta(hours=80))
    rests = [later - earlier for earlier, later in pairwise(tries)]
    assert rests == [10] * 6 + [6 * 60, 12 * 60, 24 * 60, 24 * 60]
    connection = world.services.connection("corp")
    assert connection.quarantined_until is not None
    assert connection.quarantined_until - world.clock.now() <= timedelta(hours=24)
    assert world.states() == {"Ann": "invited", "Bob": "invited"}


def test_it_comes_back_by_itself(world, corp):
    """R7: the first reading that succeeds ends it, without anybody."""
    world.sync()
    world.clock.advance(timedelta(hours=14))
    corp.cut_after, corp.broken = 1, True
    nights(world, timedelta(hours=3))
    assert world.services.connection("corp").quarantined_until is not None
    corp.cut_after, corp.broken = None, False
    corp.add(entry("cid"))
    nights(world, timedelta(hours=8))
    assert world.services.connection("corp").failures == 0
    assert world.services.connection("corp").quarantined_until is None
    assert world.states()["Cid"] == "invited"


def test_whoever_asks_by_hand_is_served_in_quarantine(world, corp):
    """R7: a command or a page reads it; one that fails prolongs nothing, one that works ends it."""
    world.sync()
    corp.cut_after = 1
    for _ in range(3):
        with pytest.raises(SourceError):
            world.sync()
        world.clock.advance(timedelta(minutes=40))
    until = world.services.connection("corp").quarantined_until
    assert until is not None
    with pytest.raises(SourceError):
        world.sync()
    assert world.services.connection("corp").quarantined_until == until
    step = world.services.check("corp").steps
    assert any(one.name == "schedule" and "in quarantine until" in one.detail for one in step)
    corp.cut_after = None
    world.services.runs.plan("corp", ME)
    assert world.services.connection("corp").quarantined_until is None
    assert not any(one.name == "schedule" for one in world.services.check("corp").steps)
