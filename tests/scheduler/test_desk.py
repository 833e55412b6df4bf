"""The schedule told to people: next and last run, history, pause, run now (R6)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import update

from provisioning.domain.brakes import Brake
from provisioning.domain.errors import BrakeError, NotFoundError, PausedError, SourceError
from provisioning.services.context import SCHEDULER, Actor
from provisioning.services.jobs import LOST_AFTER
from provisioning.storage.models.runs import JobRunRecord
from provisioning.storage.workers import worker_name
from scheduler.desk import Desk
from scheduler.jobs import jobs, nightly
from scheduler.schedule import Schedule

ANNA = Actor("anna", "page")
TWO = time(2, 0)
NIGHT = timedelta(hours=15)


@pytest.fixture
def desk(services):
    return Desk(services, Schedule())


def report(desk, name):
    return next(job for job in desk.jobs() if job.name == name)


def history(desk, name=None):
    return [run for _, run in desk.history(name)]


def test_a_paused_job_runs_nowhere_says_so_and_is_made_up_for(desk, services, clock):
    """R6: by whom, since when and why; the slot stays free, and a late night is a night."""
    assert desk.pause("nightly", ANNA, "the directory moves")
    assert not desk.pause("nightly", ANNA, "again")
    clock.advance(NIGHT)
    nightly(services, TWO)
    told = report(desk, "nightly")
    assert (told.paused.by, told.paused.comment) == ("anna", "the directory moves")
    assert (told.next_run, told.last) == (None, None)
    with pytest.raises(PausedError, match='anna paused the job nightly: "the directory moves"'):
        desk.run("nightly", ANNA)
    assert history(desk) == []
    assert desk.resume("nightly", ANNA)
    assert not desk.resume("nightly", ANNA)
    nightly(services, TWO)
    assert [run.state for run in history(desk, "nightly")] == ["done"]


def test_the_next_run_is_told_in_local_time(desk):
    """R6: noon in London is one o'clock in Berlin; upkeep begins with the quarter hours."""
    due = report(desk, "nightly").next_run
    assert due.isoformat() == "2026-11-24T02:00:00+01:00" == desk.next_night().isoformat()
    assert report(desk, "invitations").next_run == datetime(2026, 11, 23, 12, 15, tzinfo=UTC)
    assert report(desk, "seats").next_run == datetime(2026, 11, 23, 13, tzinfo=UTC)


def test_the_last_run_is_told_with_node_duration_and_error(desk, services, corp, clock):
    """R6: and a failed one is tried again before its next slot."""
    clock.advance(NIGHT)
    corp.cut_after = 1
    corp.while_read = lambda: clock.advance(timedelta(seconds=7))
    with pytest.raises(SourceError):
        nightly(services, TWO)
    told = report(desk, "nightly")
    assert (told.last.state, told.last.source, told.last.slot) == ("failed", "corp", "2026-11-24")
    assert (told.last.node, told.last.attempts) == (worker_name(), 1)
    assert told.last.seconds >= 7
    assert told.last.error
    assert told.next_run == told.last.ended_at + timedelta(minutes=1)


def test_what_somebody_runs_by_hand_is_in_the_history(desk, services):
    """R6: with who wanted it; there is no job of another name."""
    assert desk.run("nightly", ANNA)[0].startswith("corp: run ")
    assert [(run.job, run.asked_by, run.state) for run in history(desk)] == [
        ("nightly", "anna", "done")
    ]
    for at_the_desk in (desk.run, desk.ask, desk.resume):
        with pytest.raises(NotFoundError, match="there are: nightly, changes"):
            at_the_desk("nonsense", ANNA)
    with pytest.raises(NotFoundError):
        desk.history("nonsense")


def test_a_failure_by_hand_is_in_the_history_too(desk, corp):
    """R6: and does not move the next run."""
    corp.cut_after = 1
    with pytest.raises(SourceError):
        desk.run("nightly", ANNA)
    told = report(desk, "nightly")
    assert (told.last.state, told.last.asked_by) == ("failed", "anna")
    assert told.next_run == desk.next_night()


def test_what_a_page_asks_for_is_done_by_a_scheduler(desk, services):
    """R6: once; a job that is paused meanwhile waits until it is resumed."""
    does = {name: job.now for name, job in jobs(services, Schedule()).items()}
    desk.ask("seats", ANNA)
    desk.ask("nightly", ANNA)
    desk.pause("seats", ANNA, "later")
    services.slots.do_asked(does)
    services.slots.do_asked(does)
    assert [(run.job, run.state) for run in history(desk)] == [
        ("nightly", "done"),
        ("seats", "asked"),
    ]
    desk.resume("seats", ANNA)
    services.slots.do_asked(does)
    assert {run.state for run in history(desk)} == {"done"}
    assert [run.attempts for run in history(desk)] == [1, 1]


def test_read_only_stops_every_job_and_each_is_made_up_for(desk, services, clock):
    """R6: no slot is used up while the brake is on."""
    services.switches.pull(Brake.READ_ONLY, ANNA, "a restore")
    clock.advance(NIGHT)
    found = jobs(services, Schedule())
    for job in found.values():
        job.tick()
    assert history(desk) == []
    assert {told.stopped.comment for told in desk.jobs()} == {"a restore"}
    assert {told.next_run for told in desk.jobs()} == {None}
    with pytest.raises(BrakeError, match="anna pulled the brake read-only"):
        desk.ask("seats", ANNA)
    services.let_go(Brake.READ_ONLY, ANNA)
    for job in found.values():
        job.tick()
    done = {run.job for run in history(desk)}
    assert done >= {"nightly", "invitations", "waiting", "seats", "findings", "history"}


def test_delivery_has_one_row_a_day(desk, services, clock):
    """R6: it looks every few seconds; only letters leave a trace."""
    services.runs.sync("corp", SCHEDULER)
    deliver = jobs(services, Schedule())["delivery"].tick
    deliver()
    assert history(desk) == []
    clock.advance(timedelta(minutes=10))
    deliver()
    deliver()
    (row,) = history(desk, "delivery")
    assert (row.slot, row.state, row.attempts) == ("2026-11-23", "done", 1)


def test_a_slot_of_a_process_that_is_gone_is_taken_over_at_once(desk, services, clock):
    """R5, R6: nobody waits two hours for a process of this machine that was killed."""
    clock.advance(NIGHT)
    nightly(services, TWO)
    here, _, _ = worker_name().partition(":")
    begun = update(JobRunRecord).values(state="running", ended_at=None)
    with services.context.database.write() as session:
        session.execute(begun)
    nightly(services, TWO)
    assert [run.attempts for run in history(desk)] == [1]
    with services.context.database.write() as session:
        session.execute(begun.values(node=f"{here}:1:0"))
    nightly(services, TWO)
    assert [(run.state, run.attempts) for run in history(desk)] == [("done", 2)]


def test_a_run_that_never_ended_is_told_as_lost(desk, services, clock):
    """R6: a process of another machine that went silent."""
    desk.run("seats", ANNA)
    with services.context.database.write() as session:
        session.execute(update(JobRunRecord).values(state="running", ended_at=None))
    assert report(desk, "seats").last.state == "running"
    clock.advance(LOST_AFTER + timedelta(seconds=1))
    assert report(desk, "seats").last.state == "lost"


def test_who_runs_the_schedule_is_told_until_they_leave(desk, services, clock):
    """R6: a process that says nothing for a while does not run any more."""
    assert desk.nodes() == []
    services.nodes.beat()
    clock.advance(timedelta(minutes=1))
    services.nodes.beat()
    (node,) = desk.nodes()
    assert (node.name, node.lives) == (worker_name(), True)
    assert node.beat_at - node.started_at == timedelta(minutes=1)
    clock.advance(timedelta(minutes=2))
    assert not desk.nodes()[0].lives
    services.nodes.leave()
    assert desk.nodes() == []
