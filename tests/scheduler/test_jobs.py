"""Jobs: once per slot, late if need be, once per local date (R6)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cel.compiler import CelCompiler
from provisioning.domain.errors import SourceError
from provisioning.domain.mapping import compile_mapping
from provisioning.services.context import ConfiguredSource
from scheduler.jobs import ACTOR, Schedule, changes, jobs, last_night, nightly
from scheduler.local import LocalScheduler
from tests.kit.services import FakeClock, make_services
from tests.kit.sources import MemoryDirectory, entry

TWO = time(2, 0)


@pytest.fixture
def corp():
    return MemoryDirectory("corp", [entry("ann"), entry("bob")])


@pytest.fixture
def clock():
    return FakeClock(datetime(2026, 11, 23, 12, tzinfo=UTC))


@pytest.fixture
def services(database_url, corp, clock):
    rules = {"user_name": "uid", "mail": "mail", "display_name": "cn"}
    source = ConfiguredSource(
        name="corp",
        kind="ldap",
        first_run="apply",
        directory=corp,
        mapping=compile_mapping(rules, CelCompiler()),
    )
    services = make_services(
        database_url, clock=clock, sources={"corp": source}, time_zone="Europe/Berlin"
    )
    yield services
    services.context.database.close()


def runs(services):
    return len(services.run_reports.runs())


def test_a_new_source_has_no_night_to_make_up_for(services):
    """R6: made at noon, its first night is the next one."""
    nightly(services, TWO)
    assert runs(services) == 0


def test_a_night_happens_once_however_often_it_is_looked_at(services, clock):
    """R6: the unique row of the slot decides, not the ticks."""
    clock.advance(timedelta(hours=14))
    for _ in range(5):
        nightly(services, TWO)
        clock.advance(timedelta(minutes=1))
    assert runs(services) == 1


def test_a_machine_that_slept_through_the_night_does_it_when_it_wakes(services, clock):
    """R6: a late night still runs, and only the latest of several."""
    clock.advance(timedelta(days=3))
    nightly(services, TWO)
    nightly(services, TWO)
    assert runs(services) == 1


def test_a_failed_night_is_tried_again_within_the_slot_at_growing_distances(services, corp, clock):
    """R6, R7: after a minute, five, a quarter, half an hour, an hour; then it is in quarantine."""
    clock.advance(timedelta(hours=15))
    corp.cut_after = 1
    for tries, minutes in enumerate((1, 5, 15, 30, 60, 360), start=1):
        with pytest.raises(SourceError):
            nightly(services, TWO)
        clock.advance(timedelta(minutes=minutes, seconds=-1))
        nightly(services, TWO)
        assert runs(services) == tries
        clock.advance(timedelta(seconds=1))
    corp.cut_after = None
    nightly(services, TWO)
    assert [row.state for row in services.slots.history()] == ["done"]


def test_two_schedulers_at_once_run_one_night(services, clock):
    """R6, safety 14: both look at the same moment."""
    clock.advance(timedelta(hours=15))
    gate = threading.Barrier(4)

    def look():
        gate.wait()
        nightly(services, TWO)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(services) == 1


@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    start=st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2027, 1, 1)),  # noqa: DTZ001
    at=st.times(),
)
def test_every_moment_belongs_to_one_night_that_is_past(zone, start, at):
    """R6: the date of the slot moves by one day at most, and never back."""
    moment = start.replace(tzinfo=UTC)
    dates = []
    for _ in range(60):
        local = moment.astimezone(ZoneInfo(zone))
        due = last_night(local, at)
        assert due.replace(tzinfo=None) <= local.replace(tzinfo=None)
        dates.append(due.date())
        moment += timedelta(minutes=30)
    gaps = {(b - a).days for a, b in pairwise(dates)}
    assert gaps <= {0, 1, -1}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_across_a_change_of_clocks_a_local_date_runs_once(zone):
    """R6: 02:30 twice in autumn, never in spring; one slot a date all the same."""
    at, slots = time(2, 30), []
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment < datetime(2026, 12, 31, tzinfo=UTC):
        slot = last_night(moment.astimezone(ZoneInfo(zone)), at).date()
        if slot not in slots[-3:]:
            slots.append(slot)
        moment += timedelta(minutes=10)
    assert slots == sorted(set(slots))
    assert len(slots) == 365


def test_every_job_can_be_done_at_once(services):
    """`usher jobs run NAME`: due or not."""
    found = jobs(services, Schedule())
    for job in found.values():
        job.now()
    assert runs(services) == 1
    assert services.reports.seats().invited == 2


def test_changes_are_applied_once_a_period_on_any_number_of_nodes(services, corp, clock):
    """R6: between the nights, in a slot of each source; nothing before the first night."""
    five = timedelta(minutes=5)
    changes(services, five)
    assert runs(services) == 0
    services.runs.sync("corp", ACTOR)
    corp.add(entry("cid"))
    clock.advance(five)
    changes(services, five)
    corp.add(entry("dan"))
    changes(services, five)
    assert services.reports.seats().invited == 3
    clock.advance(five)
    changes(services, five)
    assert services.reports.seats().invited == 4


def test_a_source_that_is_being_read_is_left_alone(services, corp, clock):
    """R6: one run at a time per source; whoever reads it reads the changes too."""
    services.runs.sync("corp", ACTOR)
    corp.add(entry("cid"))
    clock.advance(timedelta(minutes=5))
    corp.while_read = partial(changes, services, timedelta(minutes=5))
    services.runs.plan("corp", ACTOR)
    assert services.reports.seats().invited == 2
    assert [row.state for row in services.slots.history()] == ["done"]


def test_a_directory_that_tells_no_changes_is_not_asked(services, corp, clock):
    """R6: an export is read at night, and never in between."""
    services.runs.sync("corp", ACTOR)
    corp.offers_changes = False
    clock.advance(timedelta(minutes=5))
    changes(services, timedelta(minutes=5))
    assert services.slots.history() == []


def test_upkeep_runs_once_a_period(services):
    """R6: the slot of an interval is its number."""
    invitations = jobs(services, Schedule())["invitations"]
    invitations.tick()
    invitations.tick()
    assert len(services.slots.history()) == 1


def test_the_scheduler_finishes_what_a_dead_process_left_and_stops(services):
    """R5: resumed at the start; `stop` waits for what runs."""

    class Killed(BaseException):
        pass

    def die(_done, _all):
        raise Killed

    run = services.runs.plan("corp", ACTOR)
    with pytest.raises(Killed):
        services.runs.apply(run, ACTOR, die)
    scheduler = LocalScheduler(services, Schedule(delivery=timedelta(hours=1)))
    scheduler.start()
    scheduler.stop()
    assert services.run_reports.plan(run).state == "applied"
