"""SIGTERM in the middle of work: a good place to stop, nothing lost, nothing twice (R5)."""

from __future__ import annotations

import threading
from datetime import time, timedelta

import pytest

from provisioning.domain.errors import StoppedError
from provisioning.services.context import SCHEDULER
from scheduler import local
from scheduler.jobs import nightly
from scheduler.local import LocalScheduler
from scheduler.schedule import Schedule

TWO = time(2, 0)


def test_a_run_stops_between_two_people_and_is_resumed(services, clock):
    """R5, safety 21: the rest is done in the same slot, by whoever looks next."""
    clock.advance(timedelta(hours=15))
    with pytest.raises(StoppedError, match="after 1 of 2 people"):
        nightly(services, TWO, lambda: True)
    assert services.reports.seats().invited == 1
    clock.advance(timedelta(minutes=1))
    nightly(services, TWO)
    assert services.reports.seats().invited == 2
    assert [run.state for run in services.run_reports.runs()] == ["applied", "applied"]
    assert [row.attempts for row in services.slots.history()] == [2]
    clock.advance(timedelta(minutes=10))
    assert services.delivery.deliver_due() == 2


def test_letters_stop_between_two_and_leave_later(services, clock):
    """R5: what was claimed is free again in two minutes."""
    services.runs.sync("corp", SCHEDULER)
    clock.advance(timedelta(minutes=10))
    answers = iter([False, False, True, True])
    assert services.delivery.deliver_due(lambda: next(answers)) == 1
    clock.advance(timedelta(minutes=2))
    assert services.delivery.deliver_due() == 1


def test_a_stopped_scheduler_says_goodbye(services):
    """Safety 21: it is no node any more, and everything ended in time."""
    scheduler = LocalScheduler(services, Schedule())
    scheduler.start()
    assert [node.lives for node in services.nodes.nodes()] == [True]
    assert scheduler.stop()
    assert services.nodes.nodes() == []


def test_a_job_that_does_not_stop_is_not_waited_for_for_ever(services, corp, clock, monkeypatch):
    """Safety 21: the process leaves, and says that it did not end in good order."""
    monkeypatch.setattr(local, "DRAIN_SECONDS", 0.01)
    clock.advance(timedelta(hours=15))
    reading, over = threading.Event(), threading.Event()

    def read():
        reading.set()
        over.wait()

    corp.while_read = read
    scheduler = LocalScheduler(services, Schedule())
    scheduler.start()
    reading.wait()
    try:
        assert not scheduler.stop()
    finally:
        over.set()
        scheduler._scheduler._executors["default"]._pool.shutdown(wait=True)
