"""Jobs: once per slot, late if need be, once per local date (R6)."""

from __future__ import annotations

import threading
from datetime import time, timedelta
from functools import partial

import pytest

from provisioning.domain.errors import SourceError
from provisioning.services.context import SCHEDULER
from scheduler.jobs import changes, jobs, nightly
from scheduler.local import LocalScheduler
from scheduler.schedule import Schedule
from tests.kit.nights import KilledError, killed_after
from tests.kit.sources import entry

TWO = time(2, 0)


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
    services.runs.sync("corp", SCHEDULER)
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
    services.runs.sync("corp", SCHEDULER)
    corp.add(entry("cid"))
    clock.advance(timedelta(minutes=5))
    corp.while_read = partial(changes, services, timedelta(minutes=5))
    services.runs.plan("corp", SCHEDULER)
    assert services.reports.seats().invited == 2
    assert [row.state for row in services.slots.history()] == ["done"]


def test_a_directory_that_tells_no_changes_is_not_asked(services, corp, clock):
    """R6: an export is read at night, and never in between."""
    services.runs.sync("corp", SCHEDULER)
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

    run = services.runs.plan("corp", SCHEDULER)
    with pytest.raises(KilledError):
        services.runs.apply(run, SCHEDULER, killed_after(1))
    scheduler = LocalScheduler(services, Schedule(delivery=timedelta(hours=1)))
    scheduler.start()
    scheduler.stop()
    assert services.run_reports.plan(run).state == "applied"
