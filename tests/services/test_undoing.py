"""A run is taken back by a counter-plan, under the same guards (D8)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from provisioning.domain.errors import RunStateError
from provisioning.domain.policy import Policy
from provisioning.services.context import InvitationTimes
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import ME, KilledError, killed_after, kinds
from tests.kit.sources import entry


def undo(world, run, *, approve=False):
    """Plan and apply the undo of a run; returns what came of it."""
    number = world.services.undoing.plan(run, ME)
    (world.services.runs.approve if approve else world.services.runs.apply)(number, ME)
    return world.services.run_reports.plan(number)


def left(report):
    """What an undo left alone, with the reason."""
    return {a.person: a.error for a in report.actions if a.status == "drifted"}


@pytest.fixture
def departed(world):
    """A night on which ann, who is in, and bob, who was written to, left."""
    world.directory.add(entry("ann"), entry("bob"), entry("cid"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.remove("ann", "bob")
    return world.night()


def test_who_was_dismissed_is_in_again_and_who_was_revoked_is_invited(world, departed):
    """D8, S6: with an account at once, without one by a letter; the seats are taken."""
    assert world.states() == {"Ann": "dismissed", "Bob": "dismissed", "Cid": "invited"}
    number = world.services.undoing.plan(departed.run, ME)
    assert world.states()["Ann"] == "dismissed"
    assert kinds(world.services.run_reports.plan(number)) == {"hire_back": 1, "invite": 1}
    assert world.services.runs.apply(number, ME) == "applied"
    assert world.states() == {"Ann": "active", "Bob": "invited", "Cid": "invited"}
    assert world.services.reports.seats().taken == 3
    why = world.services.person(world.services.reports.find("ann")).why
    assert why == f"active because run {departed.run} is undone (D8)."


def test_who_was_removed_without_a_trace_is_invited_again(make_world):
    """D8, D1: the row is gone, what they were is with the run."""
    world = make_world(times=InvitationTimes(grace=timedelta(minutes=10)))
    world.directory.add(entry("ann", departmentNumber="Sales"), entry("bob"))
    world.sync()
    world.directory.remove("ann")
    run = world.sync().run
    assert world.states() == {"Bob": "invited"}
    assert kinds(undo(world, run)) == {"invite": 1}
    assert world.states() == {"Ann": "invited", "Bob": "invited"}
    person = world.services.person(world.services.reports.find("ann"))
    assert person.department == "Sales"


def test_who_was_invited_is_revoked_and_an_unsent_letter_never_leaves(make_world):
    """D8, I9: nobody was written to, and nothing stays but the audit."""
    world = make_world(times=InvitationTimes(grace=timedelta(minutes=10)))
    world.directory.add(entry("ann"))
    report = undo(world, world.sync().run)
    assert (report.state, kinds(report)) == ("applied", {"revoke": 1})
    assert world.states() == {}
    world.clock.advance(timedelta(minutes=11))
    assert world.services.delivery.deliver_due() == 0
    assert world.services.reports.seats().taken == 0


def test_who_joined_since_is_not_put_out_silently(world):
    """D8: held with the reason, and dismissed only by an approval."""
    world.directory.add(entry("ann"), entry("bob"))
    run = world.sync().run
    world.accept("ann@corp.example")
    report = undo(world, run)
    assert (report.state, world.states()) == ("held", {"Ann": "active", "Bob": "dismissed"})
    assert [a.held for a in report.actions if a.held] == ["joined"]
    assert world.services.runs.approve(report.run, ME) == "applied"
    assert world.states()["Ann"] == "dismissed"


def test_changed_fields_are_as_before_and_what_changed_since_is_left_and_told(world):
    """D8, P1: field by field."""
    world.directory.add(entry("ann", departmentNumber="Sales", title="Head"))
    world.sync()
    world.directory.add(entry("ann", departmentNumber="Law", title="Chief"))
    run = world.night().run
    world.directory.add(entry("ann", departmentNumber="Law", title="President"))
    world.night()
    report = undo(world, run)
    person = world.services.person(world.services.reports.find("ann"))
    assert (person.department, person.title) == ("Sales", "President")
    assert left(report) == {"ann": "changed since: title"}


def test_who_was_hired_back_meanwhile_is_left_alone_and_told(world, departed):
    """D8, R4: what changed since is nobody's to take back."""
    world.directory.add(entry("ann"))
    world.night()
    report = undo(world, departed.run)
    assert left(report) == {"ann": "changed since: they are active"}
    assert world.states() == {"Ann": "active", "Bob": "invited", "Cid": "invited"}


def test_what_changes_between_the_plan_and_its_apply_has_drifted(world, departed):
    """R4: the undo is planned afresh from what is there."""
    number = world.services.undoing.plan(departed.run, ME)
    world.directory.add(entry("ann"))
    world.night()
    world.services.runs.apply(number, ME)
    report = world.services.run_reports.plan(number)
    assert left(report) == {"ann": "changed since: they are active"}
    assert world.states()["Bob"] == "invited"


def test_without_a_seat_who_comes_back_waits_and_is_served_later(make_world):
    """D8, L1, L3: an undo takes no seat that is not there."""
    world = make_world(seats=2)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.remove("ann")
    world.directory.add(entry("cid"))
    run = world.night().run
    world.services.seats.set_limit(1, ME)
    report = undo(world, run)
    assert world.services.reports.seats().taken == 1
    assert world.states() == {"Ann": "waiting", "Bob": "invited"}
    assert report.state == "applied"


def test_too_many_removals_of_an_undo_are_held(world):
    """D8, D5: half an undo is still an undo: all of them wait for an approval."""
    world.directory.add(*(entry(f"p{n}") for n in range(4)))
    run = world.sync().run
    report = undo(world, run)
    assert report.state == "held"
    assert {a.held for a in report.actions} == {"mass_removal"}
    assert set(world.states().values()) == {"invited"}
    assert world.services.runs.approve(report.run, ME, digest=report.digest) == "applied"
    assert world.states() == {}


def test_the_protected_are_held(make_world):
    """D8, D4: by name."""
    world = make_world(policy=Policy(missing_grace_nights=0, protected=frozenset({"ann"})))
    world.directory.add(entry("ann"))
    report = undo(world, world.sync().run)
    assert [a.held for a in report.actions] == ["protected"]
    assert world.states() == {"Ann": "invited"}


def test_the_next_night_does_not_do_again_what_was_undone(world):
    """D8, R8: it is shown, and done only when an administrator applies it."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.remove("ann")
    run = world.night().run
    undo(world, run)
    for _ in range(2):
        report = world.night()
        assert (report.state, kinds(report)) == ("ready", {"dismiss": 1})
        assert (report.undone, report.rules_changed) == (run, False)
        assert world.states()["Ann"] == "active"
    assert world.services.runs.sync_changes("corp", ME) is None
    assert world.services.runs.apply(report.run, ME) == "applied"
    assert world.states()["Ann"] == "dismissed"
    world.directory.add(entry("dan"))
    assert world.night().state == "applied"


def test_removals_that_were_undone_count_in_the_seven_days(world, departed):
    """D8, D5: two that were taken back and the same two again are more than three."""
    undo(world, departed.run)
    report = world.night()
    assert (report.state, report.actions[0].held) == ("held", "rolling_share")


def test_a_plan_that_waits_is_not_applied_over_an_undo(world, departed):
    """D8, R4: it is of the day before."""
    world.directory.add(entry("dan"))
    waiting = world.services.runs.plan("corp", ME)
    undo(world, departed.run)
    with pytest.raises(RunStateError, match="expired"):
        world.services.runs.apply(waiting, ME)


def test_a_run_can_be_undone_for_thirty_days(world, departed):
    """D8: not a moment longer; nor an undo, nor a run that did nothing."""
    world.clock.advance(timedelta(days=30))
    number = world.services.undoing.plan(departed.run, ME)
    with pytest.raises(RunStateError, match="undo of run"):
        world.services.undoing.plan(number, ME)
    world.clock.advance(timedelta(seconds=1))
    with pytest.raises(RunStateError, match="more than 30 days old"):
        world.services.undoing.plan(departed.run, ME)
    with pytest.raises(RunStateError, match="changed nobody"):
        world.services.undoing.plan(world.services.runs.plan("corp", ME), ME)


def test_an_undo_that_was_killed_is_finished(world):
    """R5: what was done stays done, the rest is done by whoever comes next."""
    world.directory.add(*(entry(f"p{n}") for n in range(80)))
    world.sync()
    world.services.delivery.deliver_due()
    world.directory.remove("p1", "p2", "p3")
    number = world.services.undoing.plan(world.night().run, ME)

    with pytest.raises(KilledError):
        world.services.runs.apply(number, ME, killed_after(1))
    assert list(world.states().values()).count("dismissed") == 2
    report = world.night()
    assert world.services.run_reports.plan(number).state == "applied"
    assert kinds(report) == {"revoke": 3}
    assert world.services.reports.seats().taken == 80


def test_undoing_twice_finds_nothing_to_do(world, departed):
    """D8: what is undone is not undone again, and the first one is in the audit."""
    undo(world, departed.run)
    assert kinds(undo(world, departed.run)) == {}
    with world.services.context.database.read() as session:
        kinds_of = session.scalars(select(EventRecord.kind)).all()
    assert kinds_of.count("run_undone") == 1


def test_who_somebody_else_dismissed_stays_out(world, departed):
    """S7: the undo of a run is not the word of whoever dismissed them later."""
    with world.services.context.database.write() as session:
        session.execute(
            update(EmployeeRecord)
            .where(EmployeeRecord.display_name == "Ann")
            .values(dismissed_by_source=None)
        )
    report = undo(world, departed.run)
    assert left(report) == {"ann": "somebody else dismissed them since (S7)"}
    assert world.states()["Ann"] == "dismissed"
