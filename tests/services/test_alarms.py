"""Administrators are told of what came about: at once, daily while it needs them, no more."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import update

from provisioning.domain.errors import DeliveryError, SourceError
from provisioning.services.context import SCHEDULER
from provisioning.services.invitations import INVITATION_LETTER
from provisioning.storage.models.accounts import RoleGrantRecord, RoleName
from tests.kit.nights import ME, KilledError
from tests.kit.postbox import deliver
from tests.kit.sources import entry

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
STAFF = [entry(f"p{number}") for number in range(10)]


@pytest.fixture
def alarmed(world):
    """A world with an administrator whom letters reach, and ten people."""
    world.services.accounts.create_administrator("anna@corp.example")
    world.directory.add(*STAFF)
    world.sync()
    world.services.delivery.deliver_due()
    return world


def told(world):
    """Look, and return what was written so far: (topic, to), the oldest first."""
    world.services.alarms.look()
    rows = world.services.outbox.messages(limit=500)
    return [(row.topic, row.to) for row in reversed(rows) if row.topic != INVITATION_LETTER]


def newest_letter(world):
    """The newest letter, as text."""
    row = world.services.outbox.messages(limit=1)[0]
    letter = world.services.delivery.letter(row.id)
    return letter["Subject"], letter.get_body(("plain",)).get_content()


def fail(world):
    """Let the directory break off in the middle once more."""
    world.directory.cut_after = 1
    with pytest.raises(SourceError):
        world.sync()
    world.directory.cut_after = None


HELD = ("letter.run_held", "anna@corp.example")
FAILING = ("letter.source_failing", "anna@corp.example")
QUARANTINED = ("letter.source_quarantined", "anna@corp.example")


def test_a_held_plan_is_told_at_once_and_daily_until_it_is_decided(alarmed):
    """R7, R4: one letter however many are held; again with the next night's plan; then none."""
    assert told(alarmed) == []
    alarmed.directory.remove(*(f"p{number}" for number in range(6)))
    run = alarmed.sync()
    assert run.held == 6
    assert told(alarmed) == [HELD]
    subject, text = newest_letter(alarmed)
    assert subject == f"Plan {run.run} of corp needs you: 6 actions are held"
    assert f"https://intranet.example/admin/runs/{run.run}?digest={run.digest}" in text
    alarmed.clock.advance(23 * HOUR)
    assert told(alarmed) == [HELD]
    second = alarmed.night()
    assert told(alarmed) == [HELD, HELD]
    assert f"/admin/runs/{second.run}?digest={second.digest}" in newest_letter(alarmed)[1]
    alarmed.services.runs.reject(second.run, ME, "a wrong filter")
    alarmed.clock.advance(DAY)
    assert told(alarmed) == [HELD, HELD]
    assert alarmed.services.alarms.open() == []


def test_a_letter_that_is_not_true_any_more_does_not_leave(alarmed):
    """R7: what was decided before it left troubles nobody."""
    alarmed.directory.remove(*(f"p{number}" for number in range(6)))
    run = alarmed.sync()
    assert told(alarmed) == [HELD]
    alarmed.services.runs.reject(run.run, ME, "a wrong filter")
    assert told(alarmed) == [HELD]
    assert alarmed.services.delivery.deliver_due() == 0
    assert alarmed.services.outbox.messages(limit=1)[0].error == "no longer wanted"


def test_what_the_next_try_mends_is_no_news_and_what_it_does_not_is(alarmed):
    """R7, R2: told with the second failure in a row, once, and that nothing was changed."""
    fail(alarmed)
    assert told(alarmed) == []
    alarmed.sync()
    fail(alarmed)
    assert told(alarmed) == []
    fail(alarmed)
    fail(alarmed)
    assert told(alarmed) == [FAILING]
    text = newest_letter(alarmed)[1].replace("\n", " ")
    assert "sizeLimitExceeded" in text
    assert "Nothing was changed" in text
    alarmed.sync()
    fail(alarmed)
    fail(alarmed)
    assert told(alarmed)[:1] == [FAILING]


def test_quarantine_is_told_at_its_start_and_daily(alarmed):
    """R7: one letter for all its stages; none after it is over."""
    for _ in range(2):
        fail(alarmed)
    assert told(alarmed) == [FAILING]
    alarmed.clock.advance(HOUR)
    fail(alarmed)
    assert told(alarmed) == [FAILING, QUARANTINED]
    subject, text = newest_letter(alarmed)
    assert subject == "corp is in quarantine: it failed 3 times"
    assert "usher sync corp" in text
    for _ in range(4):
        alarmed.clock.advance(6 * HOUR)
        fail(alarmed)
        told(alarmed)
    assert told(alarmed) == [FAILING, QUARANTINED, QUARANTINED]
    alarmed.sync()
    alarmed.clock.advance(2 * DAY)
    assert told(alarmed) == [FAILING, QUARANTINED, QUARANTINED]


def test_a_plan_that_nobody_has_seen_the_like_of_is_told(make_world):
    """R7, I10: the first plan of a source waits for its release, and says so every day."""
    world = make_world(first_run="plan")
    world.services.accounts.create_administrator("anna@corp.example")
    world.directory.add(*STAFF)
    world.services.runs.plan("corp", ME)
    assert told(world) == [], "whoever plans by hand knows"
    run = world.services.runs.sync("corp", SCHEDULER)
    assert told(world) == [HELD]
    assert newest_letter(world)[0] == f"Plan {run} of corp waits for you"
    world.services.invitations.release("corp", ME)
    world.services.runs.apply(run, ME)
    world.clock.advance(DAY)
    assert told(world) == [HELD]


def test_runs_that_are_killed_night_after_night_are_told(alarmed):
    """R7: nobody else would say so; one that is killed by an update is no news."""

    def die():
        raise KilledError

    for _ in range(2):
        assert told(alarmed) == []
        alarmed.clock.advance(DAY)
        alarmed.directory.while_read = die
        with pytest.raises(KilledError):
            alarmed.sync()
        alarmed.clock.advance(HOUR)
    assert told(alarmed) == [FAILING]
    assert newest_letter(alarmed)[0] == "Runs of corp are interrupted"
    alarmed.directory.while_read = lambda: None
    alarmed.sync()
    alarmed.clock.advance(DAY)
    assert told(alarmed) == [FAILING]


def test_letters_that_do_not_leave_are_told_after_an_hour(alarmed):
    """R7: one letter, however many wait; what the next tries mend is no news."""
    alarmed.directory.add(entry("late"))
    alarmed.sync()
    deliver(alarmed, DeliveryError("relay: 451 try later", permanent=False))
    assert told(alarmed) == []
    alarmed.clock.advance(HOUR + timedelta(minutes=1))
    stuck = [("letter.letters_stuck", "anna@corp.example")]
    assert told(alarmed) == stuck
    subject, text = newest_letter(alarmed)
    assert subject == "1 message does not leave the outbox"
    assert "451 try later" in text
    assert deliver(alarmed)[0]["To"].addresses[0].addr_spec == "late@corp.example"
    assert told(alarmed) == stuck
    assert alarmed.services.alarms.open() == []


def test_schedulers_that_look_at_once_tell_of_it_once(alarmed):
    """R7, safety 14: on either database, whoever comes first."""
    alarmed.directory.remove(*(f"p{number}" for number in range(6)))
    alarmed.sync()
    gate = threading.Barrier(4)

    def look():
        gate.wait()
        alarmed.services.alarms.look()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told(alarmed) == [HELD]


def test_seats_are_told_when_few_are_left_and_when_somebody_waits(make_world):
    """R7: a change of state each; daily only while people wait."""
    world = make_world(seats=10, seats_free_below=3)
    world.services.accounts.create_administrator("anna@corp.example")
    low = ("letter.seats_low", "anna@corp.example")
    world.directory.add(*STAFF[:7])
    world.sync()
    assert told(world) == []
    world.directory.add(STAFF[7])
    world.sync()
    assert told(world) == [low]
    assert newest_letter(world)[0] == "2 of 10 seats are free"
    world.clock.advance(3 * DAY)
    assert told(world) == [low]
    world.directory.add(*STAFF[8:], entry("late"))
    world.sync()
    assert told(world) == [low] * 2
    assert "1 person waits" in newest_letter(world)[1]
    world.clock.advance(DAY)
    assert told(world) == [low] * 3


@pytest.mark.parametrize("role", RoleName)
def test_only_those_who_may_decide_are_told(alarmed, role):
    """R7, A7: approvers and administrators; whoever only looks or operates is not."""
    with alarmed.services.context.database.write() as session:
        session.execute(update(RoleGrantRecord).values(role=role))
    alarmed.directory.remove(*(f"p{number}" for number in range(6)))
    alarmed.sync()
    decides = role in (RoleName.APPROVER, RoleName.ADMIN)
    assert told(alarmed) == ([HELD] if decides else [])
    assert [alarm.kind for alarm in alarmed.services.alarms.open()] == ["run_held"]
