"""The inbound log as it grows: each request once, whatever order it is written in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from provisioning.domain.errors import NotFoundError
from provisioning.services.inbound_following import PATIENCE, InboundFollower
from provisioning.services.inbound_rows import InboundRequest, row_of
from provisioning.storage.models.inbound import InboundRequestRecord


@pytest.fixture
def log(world):
    """Return a maker of rows, written at once."""

    def write(number, **more):
        world.services.inbound.note(request(world, number, **more))
        assert world.services.inbound.flush()

    return write


def request(world, number, **more):
    values = {
        "source_id": None, "token_id": None, "at": world.clock.now(), "method": "GET",
        "path": f"/Users/{number}", "status": 200, "duration_ms": 1.0, **more,
    }  # fmt: skip
    return InboundRequest(**values)


def follower(world, **chosen):
    return InboundFollower(world.services.context, world.services.inbound_reports, **chosen)


def told(following):
    return [row.path[7:] for row in following.new()]


def test_what_is_new_is_told_once_and_in_order(world, log):
    """Nothing from before, nothing twice, nothing left out."""
    log(1)
    following = follower(world)
    assert told(following) == []
    log(2)
    log(3)
    assert told(following) == ["2", "3"]
    for number in range(4, 20):
        log(number)
        world.clock.advance(PATIENCE / 3)
        assert told(following) == [str(number)]


def test_it_begins_where_one_asks_it_to(world, log):
    """--since: what was answered from then on, and then what comes."""
    for number in range(4):
        log(number)
        world.clock.advance(timedelta(minutes=1))
    following = follower(world, since=world.clock.now() - timedelta(minutes=2))
    assert told(following) == ["2", "3"]
    log(4)
    assert told(following) == ["4"]


def test_it_is_narrowed_as_the_list_is(world, log):
    """By outcome, person and source; a source that is not there is told at once."""
    following = follower(world, failed=True)
    log(1)
    log(2, status=409)
    assert told(following) == ["2"]
    with pytest.raises(NotFoundError):
        follower(world, source="nobody")


def test_more_than_a_batch_is_told_whole(world):
    """A burst between two looks."""
    following = follower(world)
    for number in range(1_203):
        world.services.inbound.note(request(world, number))
    assert world.services.inbound.flush()
    assert told(following) == [str(number) for number in range(1_203)]


def test_a_reader_that_stops_halfway_goes_on_there(world, log):
    """What was not taken is not lost."""
    following = follower(world)
    for number in (1, 2, 3):
        log(number)
    assert next(following.new()).path == "/Users/1"
    assert told(following) == ["2", "3"]


@pytest.mark.parametrize("before", [True, False], ids=["before", "while following"])
def test_a_process_that_writes_slowly_is_not_overlooked(postgresql_url, make_world_at, before):
    """Two processes number their rows at once; the lower numbers may be seen last."""
    world = make_world_at(postgresql_url)
    database, intranet = world.services.context.database, world.services.context.intranet_id
    following = None if before else follower(world)
    with database.write() as slow:
        slow.execute(insert(InboundRequestRecord), [row_of(request(world, "slow"), intranet)])
        world.services.inbound.note(request(world, "fast"))
        assert world.services.inbound.flush()
        following = following or follower(world)
        seen = told(following)
        world.clock.advance(PATIENCE - timedelta(seconds=1))
        assert told(following) == []
    assert (seen, told(following)) == ([] if before else ["fast"], ["slow"])
    world.clock.advance(PATIENCE)
    assert told(following) == []


@pytest.fixture
def make_world_at():
    """Return a maker of worlds on a database of one kind."""
    from tests.kit.world import make_world

    worlds = []

    def making(url):
        worlds.append(make_world(url))
        return worlds[-1]

    yield making
    for each in worlds:
        each.services.context.database.close()
