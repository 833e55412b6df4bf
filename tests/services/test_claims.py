"""Who applies a run, for how long, and what happens when that goes wrong (R4, R5, R6)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from provisioning.domain.errors import BusyError, RunStateError
from provisioning.services import applying
from provisioning.storage import claims
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.models.intranets import SeatCounterRecord
from provisioning.storage.models.runs import RunRecord
from tests.kit.nights import ME, kinds
from tests.kit.sources import entry


def state_of(world, run):
    with world.services.context.database.read() as session:
        found = session.get_one(RunRecord, run)
        return found.state.value, found.worker


def test_a_run_whose_directory_is_read_again_is_taken_over_by_nobody(world):
    """R6: reading may take long; the second click on Apply is told so."""
    world.directory.add(entry("ann"))
    run = world.services.runs.plan("corp", ME)
    reading, go_on = threading.Event(), threading.Event()
    real = world.directory.read

    def slow():
        reading.set()
        assert go_on.wait(30)
        return real()

    world.directory.read = slow
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(world.services.runs.apply, run, ME)
        assert reading.wait(30)
        try:
            with pytest.raises(BusyError, match="is being applied"):
                world.services.runs.apply(run, ME)
        finally:
            go_on.set()
        assert first.result() == "applied"


def test_a_source_is_read_by_one_process_at_a_time(world):
    """R6: else the older reading could be applied last and undo the newer one."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    reading, go_on = threading.Event(), threading.Event()
    real = world.directory.read

    def slow():
        snapshot = real()
        reading.set()
        assert go_on.wait(30)
        return snapshot

    world.directory.read = slow
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(world.services.runs.sync, "corp", ME)
        assert reading.wait(30)
        try:
            with pytest.raises(BusyError, match="is reading the same source"):
                world.services.runs.sync("corp", ME)
        finally:
            go_on.set()
        first.result()
    world.directory.read = real
    assert world.sync().state == "applied"


def test_applying_does_not_make_a_held_plan_younger(world):
    """R4: a day after it was made it is planned again, whoever touched it meanwhile."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    run = world.night().run
    world.clock.advance(timedelta(hours=20))
    assert world.services.runs.apply(run, ME) == "held"
    world.clock.advance(timedelta(hours=5))
    for late in (world.services.runs.apply, world.services.runs.approve):
        with pytest.raises(RunStateError, match="24 hours"):
            late(run, ME)


def test_a_worker_whose_heart_stopped_is_followed_by_the_next(world):
    """R5: the process is there, and nobody works in it any more."""
    world.directory.add(entry("ann"))
    run = world.services.runs.plan("corp", ME)
    context = world.services.context
    claims._claim(context.database, context.intranet_id, run, context.now())
    world.clock.advance(timedelta(seconds=60))
    assert world.services.runs.apply(run, ME) == "applied"


def test_a_heart_beats_while_a_run_is_applied(world, monkeypatch):
    """R6: a minute of reading is not a death."""
    monkeypatch.setattr(claims, "BEAT_SECONDS", 0.05)
    world.directory.add(entry("ann"))
    run = world.services.runs.plan("corp", ME)
    context = world.services.context
    begun = context.now()
    with claims.applying(context.database, context.intranet_id, run, context.now):
        world.clock.advance(timedelta(minutes=10))
        for _ in range(200):
            with context.database.read() as session:
                heartbeat = session.get_one(RunRecord, run).heartbeat
            if heartbeat is not None and heartbeat > begun:
                return
            threading.Event().wait(0.05)
    raise AssertionError("it did not beat")


def test_a_database_that_hiccups_leaves_a_run_that_anybody_resumes(world, monkeypatch):
    """R5: the error is told, the claim is over, the next run finishes it."""
    world.directory.add(entry("ann"), entry("bob"))
    run = world.services.runs.plan("corp", ME)
    real = applying.Provisioner.perform

    def hiccup(self, action):
        if action.who == "bob":
            raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))
        return real(self, action)

    monkeypatch.setattr(applying.Provisioner, "perform", hiccup)
    with pytest.raises(OperationalError):
        world.services.runs.apply(run, ME)
    assert state_of(world, run) == ("applying", None)
    monkeypatch.undo()
    assert world.services.runs.resume("corp", ME) == run
    assert state_of(world, run) == ("applied", None)
    assert set(world.states()) == {"Ann", "Bob"}


def test_what_a_guard_holds_only_now_can_be_seen_and_approved(world):
    """R4, D5: three leave in the plan that is applied, sixty in the fresh one."""
    people = [entry(f"p{n:02}") for n in range(61)]
    world.directory.add(*people)
    world.sync()
    world.directory.remove("p00", "p01", "p02")
    run = world.services.runs.plan("corp", ME)
    world.directory.remove(*(f"p{n:02}" for n in range(3, 60)))
    assert world.services.runs.apply(run, ME) == "held"
    shown = world.services.run_reports.plan(run)
    assert {action.held for action in shown.actions} == {"mass_removal"}
    assert "It would remove 3 people" in shown.limit_sentence
    assert len(world.states()) == 61
    state = world.services.runs.approve(run, ME, digest=shown.digest, comment="site closed")
    assert state == "applied"
    assert len(world.states()) == 58
    waiting = [row for row in world.services.run_reports.runs() if row.state == "held"]
    assert [row.counts["revoke"] for row in waiting] == [57]


def test_a_ledger_that_is_wrong_keeps_nobody_inside(world):
    """D1, L7: a departure never fails; the difference is audited and the recount corrects it."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("Ann")
    with world.services.context.database.write() as session:
        session.execute(update(SeatCounterRecord).values(taken=0))
    world.directory.remove("ann")
    plan = world.night()
    assert (plan.state, kinds(plan)) == ("applied", {"dismiss": 1})
    assert world.states()["Ann"] == "dismissed"
    with world.services.context.database.read() as session:
        assert "seats_disagree" in session.scalars(select(EventRecord.kind)).all()
    assert world.services.seats.recount() == 1


def test_expired_invitations_are_over_before_a_run_gives_seats_away(make_world):
    """L4: revoke what is over, then invite; nobody waits a quarter of an hour for nothing."""
    world = make_world(seats=1)
    world.directory.add(entry("ann"))
    world.sync()
    world.services.delivery.deliver_due()
    world.clock.advance(timedelta(days=15))
    world.directory.add(entry("bob"))
    assert kinds(world.sync()) == {"invite": 1}
    assert world.states() == {"Ann": "waiting", "Bob": "invited"}
