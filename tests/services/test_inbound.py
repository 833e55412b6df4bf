"""The inbound log: noted at once, written soon, never lost in silence, never in the way."""

from __future__ import annotations

import multiprocessing
import os
import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from provisioning.services.ignored_report import ignored_attributes
from provisioning.services.inbound import BATCH, InboundLog
from provisioning.services.inbound_rows import InboundRequest
from provisioning.storage.migrate import upgrade
from provisioning.storage.models.inbound import InboundRequestRecord
from provisioning.storage.models.intranets import SourceRecord
from tests.kit.nights import ME, count
from tests.kit.postgres import running_postgres
from tests.kit.world import make_world as make


@pytest.fixture
def source(world):
    """A source that pushes."""
    world.services.tokens.create("idp", ME)
    return source_of(world)


def source_of(world, name="idp"):
    with world.services.context.database.read() as session:
        return session.query(SourceRecord.id).filter_by(name=name).scalar()


def request(world, number=1, **more):
    """A look-up, answered now."""
    values = {
        "source_id": None,
        "token_id": "0a1b2c3d",
        "at": world.clock.now(),
        "method": "GET",
        "path": f"/Users/{number}",
        "status": 200,
        "duration_ms": 1.5,
        **more,
    }
    return InboundRequest(**values)


class Unattended(InboundLog):
    """A log that is written when the test says so; in a process it was forked to, as ever."""

    def __init__(self, *arguments, **options):
        self._home = os.getpid()
        super().__init__(*arguments, **options)

    def _start(self):
        if os.getpid() != self._home:
            super()._start()


def numbers(world):
    """What is written, oldest first: the numbers of `request`, and of gaps how many."""
    rows = reversed(world.services.inbound_reports.requests(limit=100_000))
    return [f"-{row.dropped}" if row.dropped else row.path.rpartition("/")[2] for row in rows]


def test_what_is_noted_is_written_as_it_was(world, source):
    """Every column comes back: who, what, when, how long, and what came of it."""
    user, group, employee = uuid4(), uuid4(), uuid4()
    world.services.inbound.note(
        request(
            world,
            source_id=source,
            query="filter=userName%20eq%20%22ann%22",
            body='{"userName":"ann"}',
            status=409,
            scim_type="uniqueness",
            detail="taken",
            scim_user_id=user,
            scim_group_id=group,
            employee_id=employee,
            quirks=("op_case", "string_boolean"),
            unknown=("favouriteColour",),
            remote_address="192.0.2.7",
        )
    )
    assert world.services.inbound.flush()
    (row,) = world.services.inbound_reports.requests()
    assert (row.source, row.token, row.at) == ("idp", "0a1b2c3d", world.clock.now())
    assert (row.method, row.path, row.query) == ("GET", "/Users/1", 'filter=userName eq "ann"')
    assert (row.status, row.outcome, row.failed) == (409, "taken already", True)
    assert (row.scim_type, row.detail, row.duration_ms) == ("uniqueness", "taken", 1.5)
    assert (row.scim_user_id, row.scim_group_id) == (user, group)
    assert (list(row.quirks), list(row.unknown)) == (
        ["op_case", "string_boolean"],
        ["favouriteColour"],
    )
    assert (row.body, row.remote_address) == ('{"userName":"ann"}', "192.0.2.7")
    assert (row.employee, row.person) == (None, None), "nobody who is not there is linked"
    assert world.services.inbound_reports.request(row.id) == row


def test_a_thread_of_its_own_writes_full_batches(world):
    """Nobody has to ask: a batch that is full is written at once, the rest within a second."""
    written = threading.Event()

    class Watched(InboundLog):
        def flush(self):
            done = super().flush()
            if count(world, InboundRequestRecord) >= BATCH:
                written.set()
            return done

    log = Watched(world.services.context)
    for number in range(BATCH + 1):
        log.note(request(world, number))
    assert written.wait(60)
    log.stop()
    assert numbers(world) == [str(number) for number in range(BATCH + 1)]


def test_closing_writes_what_is_left(world):
    """An orderly end loses nothing; a later note starts anew."""
    log = InboundLog(world.services.context)
    log.note(request(world, 1))
    log.stop()
    assert numbers(world) == ["1"]
    log.note(request(world, 2))
    world.services.context.database.close()
    assert numbers(world) == ["1", "2"]


def test_when_it_is_full_the_oldest_go_and_are_counted(world):
    """Never silently: a row says how many, and so do page and command."""
    log = Unattended(world.services.context, capacity=3)
    for number in range(1, 8):
        log.note(request(world, number))
    assert log.flush()
    assert numbers(world) == ["-4", "5", "6", "7"]
    reports = world.services.inbound_reports
    assert reports.dropped() == 4
    (gap,) = reports.requests(failed=True)
    assert "4 requests could not be noted" in gap.outcome


def test_a_request_no_database_takes_does_not_hold_up_the_others(world, source):
    """One about a source that is gone is counted; the rest are written."""
    for number in range(1, 6):
        gone = uuid4() if number == 3 else source
        world.services.inbound.note(request(world, number, source_id=gone))
    assert world.services.inbound.flush()
    assert numbers(world) == ["1", "2", "4", "5", "-1"]


def test_texts_no_database_keeps_are_kept_as_well_as_can_be(world, source):
    """NUL and half characters are marked, whatever a client or a lane hands over."""
    world.services.inbound.note(
        request(
            world,
            "x\x00\ud800",
            source_id=source,
            detail="a\x00b",
            query="%00=%ff",
            unknown=("\x00\ud800",),
        )
    )
    assert world.services.inbound.flush()
    (row,) = world.services.inbound_reports.requests()
    assert row.path == "/Users/x\ufffd\ufffd"
    assert list(row.unknown) == ["\ufffd\ufffd"]


def test_a_database_that_is_away_loses_nothing():
    """A real PostgreSQL, stopped and started again: notes wait, oldest first, each once."""
    with running_postgres() as server:
        url = server.url(server.create_database())
        upgrade(url)
        world = make(url)
        log = Unattended(world.services.context, capacity=4)
        log.note(request(world, 1))
        server.stop()
        assert not log.flush()
        for number in (2, 3):
            log.note(request(world, number))
        assert not log.flush()
        for number in (4, 5, 6):
            log.note(request(world, number))
        assert not log.flush()
        server.start()
        assert log.flush()
        assert numbers(world) == ["-2", "3", "4", "5", "6"]
        world.services.context.database.close()


def test_old_requests_are_forgotten_a_batch_at_a_time(world):
    """Kept for some days, from the newest on."""
    log = world.services.inbound
    for number in range(BATCH + 10):
        log.note(request(world, number))
    log.flush()
    world.clock.advance(timedelta(days=30))
    log.note(request(world, "new"))
    log.flush()
    assert log.forget_old(timedelta(days=30)) == 0
    world.clock.advance(timedelta(seconds=1))
    assert log.forget_old(timedelta(days=30)) == BATCH + 10
    assert numbers(world) == ["new"]


def test_many_threads_note_at_once_and_nothing_is_twice(world):
    """Whoever notes does not wait for whoever writes."""
    log = world.services.inbound

    def work(part):
        for number in range(200):
            log.note(request(world, part * 1000 + number))

    threads = [threading.Thread(target=work, args=(part,)) for part in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.flush()
    found = numbers(world)
    assert len(found) == len(set(found)) == 1000


def test_a_forked_worker_writes_its_own_and_not_its_parents(world):
    """Notes belong to who took them; the thread of a worker is its own."""
    log = Unattended(world.services.context)
    log.note(request(world, 1))

    def child():
        world.services.context.database.engine.dispose(close=False)
        log.note(request(world, 2))
        alive = log._writer is not None and log._writer.is_alive()
        world.services.context.database.close()
        raise SystemExit(0 if alive else 1)

    worker = multiprocessing.get_context("fork").Process(target=child)
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0
    assert numbers(world) == ["2"]
    assert log.flush()
    assert numbers(world) == ["2", "1"]


def test_lists_are_narrowed_and_come_in_pages(world, source):
    """By source, outcome and time; by number from page to page."""
    log, reports = world.services.inbound, world.services.inbound_reports
    log.note(request(world, 1, source_id=source))
    log.note(request(world, 2, status=401))
    world.clock.advance(timedelta(hours=2))
    log.note(request(world, 3, source_id=source, status=500))
    log.flush()

    def shown(**chosen):
        return [row.path[7:] for row in reports.requests(**chosen)]

    assert shown() == ["3", "2", "1"]
    assert shown(source="idp") == ["3", "1"]
    assert shown(failed=True) == ["3", "2"]
    assert shown(source="idp", failed=True) == ["3"]
    assert shown(since=world.clock.now() - timedelta(hours=1)) == ["3"]
    first = reports.requests(limit=2)
    assert shown(before=first[-1].id) == ["1"]
    assert [row.path[7:] for row in reports.all_requests(source="idp")] == ["3", "1"]


def test_what_is_ignored_is_listed_by_source(world, source):
    """What a client sends and nobody maps is told, with how often and when last."""
    world.services.tokens.create("other", ME)
    log, other = world.services.inbound, source_of(world, "other")
    log.note(request(world, source_id=source, unknown=("b", "a")))
    log.note(request(world, source_id=other, unknown=("c",)))
    log.note(request(world, source_id=source))
    world.clock.advance(timedelta(hours=1))
    log.note(request(world, source_id=source, unknown=("a",)))
    log.flush()
    found = ignored_attributes(world.services.context, "idp")
    now = world.clock.now()
    assert [(each.name, each.requests, each.last_at) for each in found] == [
        ("a", 2, now),
        ("b", 1, now - timedelta(hours=1)),
    ]
    reports = world.services.inbound_reports
    for name, expected in (("a", 2), ("b", 1), ("c", 0), ('a"', 0), ("%", 0)):
        assert len(reports.requests(source="idp", ignored=name)) == expected
    assert len(list(reports.all_requests(ignored="a"))) == 2
