"""Nights: read, plan, guard, apply - on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from provisioning.domain.errors import (
    DigestMismatchError,
    HeldError,
    NotFoundError,
    RunStateError,
    SourceError,
)
from provisioning.domain.policy import ContactPolicy, Policy
from provisioning.services.context import Actor, InvitationTimes
from provisioning.storage.models.effects import EventRecord, OutboxRecord
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.runs import RunPersonRecord
from tests.kit.sources import entry

ME = Actor("anna", "cli")


def kinds(plan):
    return {kind: count for kind, count in plan.counts.items() if count}


def count(world, table):
    with world.services.context.database.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_the_first_night_invites_everyone_at_the_corporate_address(world):
    """I1, I2: one letter each, and the contact e-mail is where it went."""
    world.directory.add(entry("ann"), entry("bob"))
    plan = world.sync()
    assert (plan.state, kinds(plan)) == ("applied", {"invite": 2})
    people = world.services.reports.people()
    assert {p.contact_email for p in people} == {"ann@corp.example", "bob@corp.example"}
    assert world.services.delivery.deliver_due() == 2
    assert world.services.delivery.deliver_due() == 0


def test_planning_right_after_applying_gives_an_empty_plan(world):
    """R3: nothing is left to do, for every kind of newcomer."""
    world.directory.add(
        entry("ann"),
        entry("bob", mail=None),
        entry("cid", disabled="yes"),
        entry("dan", mail="same@corp.example"),
        entry("eve", mail="same@corp.example"),
        entry("fay", cn=None),
    )
    first = world.sync()
    assert kinds(first) == {"invite": 2, "flag": 3}
    again = world.sync()
    assert (kinds(again), again.unchanged) == ({}, 6)


def test_unchanged_people_cost_no_write(world):
    """R3: the second night leaves every row as it was."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    events = count(world, EventRecord)
    world.night()
    assert count(world, EventRecord) == events


def test_two_newcomers_with_one_address_are_disputed_and_not_invited(world):
    """P3: nobody is written to, and both are found in the mismatches."""
    world.directory.add(
        entry("ann", mail="same@corp.example"), entry("bob", mail="same@corp.example")
    )
    plan = world.sync()
    assert kinds(plan) == {"flag": 2}
    assert world.states() == {}
    found = world.services.reports.mismatches()
    assert [row.kind for row in found] == ["duplicate_person", "duplicate_person"]


def test_a_dispute_that_is_settled_in_the_directory_ends_by_itself(world):
    """P3, E5: the next night invites, and the findings are closed."""
    world.directory.add(
        entry("ann", mail="same@corp.example"), entry("bob", mail="same@corp.example")
    )
    world.sync()
    world.directory.add(entry("ann"))
    plan = world.night()
    assert kinds(plan) == {"invite": 2}
    assert world.services.reports.mismatches() == []


def test_somebody_without_a_mail_waits_with_the_reason_and_is_invited_when_there_is_one(world):
    """I1: no letter, a finding; the address comes, the letter leaves."""
    world.directory.add(entry("ann", mail=None))
    world.sync()
    assert world.states() == {"Ann": "waiting"}
    assert [row.kind for row in world.services.reports.mismatches()] == ["no_usable_address"]
    world.directory.add(entry("ann"))
    world.night()
    assert world.states() == {"Ann": "invited"}
    assert world.services.reports.mismatches() == []


def test_leaving_after_acceptance_is_a_dismissal_that_keeps_the_row(world):
    """D1, S2: dismissed, never deleted; the seat is free."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.remove("ann")
    plan = world.night()
    assert kinds(plan) == {"dismiss": 1}
    assert world.states() == {"Ann": "dismissed", "Bob": "invited"}
    assert world.services.reports.seats().taken == 1


def test_leaving_before_the_letter_removes_the_row(make_world):
    """D1, I9: nobody was written to, nothing stays but the audit."""
    world = make_world(times=InvitationTimes(grace=timedelta(minutes=10)))
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.directory.remove("ann")
    assert kinds(world.sync()) == {"revoke": 1}
    assert world.states() == {"Bob": "invited"}
    assert world.services.reports.seats().taken == 1
    world.clock.advance(timedelta(minutes=11))
    assert world.services.delivery.deliver_due() == 1
    with world.services.context.database.read() as session:
        assert "removed" in session.scalars(select(EventRecord.kind)).all()


def test_leaving_after_the_letter_keeps_a_dismissed_row(world):
    """D1: who was written to is remembered."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.delivery.deliver_due()
    world.directory.remove("ann")
    world.night()
    assert world.states()["Ann"] == "dismissed"


def test_who_comes_back_is_hired_back_with_their_history(world):
    """S6: the same employee, active at once because an account is bound."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    before = world.services.reports.find("ann@corp.example")
    ann = world.directory.people["id-ann"]
    world.directory.remove("ann")
    world.night()
    world.directory.add(ann)
    plan = world.night()
    assert kinds(plan) == {"hire_back": 1}
    assert world.states()["Ann"] == "active"
    assert world.services.reports.find("ann@corp.example") == before


def test_a_night_of_grace_and_back_in_time_is_nothing(make_world):
    """D2: marked, not dismissed; back, and the mark is gone."""
    world = make_world(policy=Policy(missing_grace_nights=1))
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    ann = world.directory.people["id-ann"]
    world.directory.remove("ann")
    assert kinds(world.night()) == {"flag": 1}
    assert kinds(world.sync()) == {}
    world.directory.add(ann)
    assert kinds(world.night()) == {}
    world.directory.remove("ann")
    assert kinds(world.night()) == {"flag": 1}
    assert kinds(world.night()) == {"dismiss": 1}


def test_a_truncated_reading_changes_nothing(world):
    """R2: incomplete, 0 changes, and the run says why."""
    world.directory.add(*(entry(f"p{n}") for n in range(20)))
    world.sync()
    world.directory.cut_after = 5
    with pytest.raises(SourceError, match="sizeLimitExceeded"):
        world.night()
    latest = world.services.run_reports.runs(limit=1)[0]
    assert (latest.state, latest.counts) == ("incomplete", {})
    assert set(world.states().values()) == {"invited"}
    assert count(world, RunPersonRecord) == 0


def test_an_empty_reading_changes_nothing(world):
    """R2: zero people is never "they all left", at any company size."""
    world.directory.add(entry("ann"))
    world.sync()
    world.directory.remove("ann")
    with pytest.raises(SourceError, match=r"returned 0 people\. The last good run saw 1"):
        world.night()
    assert world.states() == {"Ann": "invited"}


def test_too_many_at_once_are_held_and_additions_go_on(world):
    """D5: 4 of 20 is more than max(3, 5 %); the newcomer is invited all the same."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    world.directory.add(entry("new"))
    plan = world.night()
    assert plan.state == "held"
    assert [a.held for a in plan.actions] == ["mass_removal"] * 4 + [None]
    assert world.states()["New"] == "invited"
    assert sorted(set(world.states().values())) == ["invited"]


def test_approving_the_held_plan_by_its_digest_does_exactly_that(world):
    """R4: planned afresh, applied where both agree."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    plan = world.night()
    state = world.services.runs.approve(plan.run, ME, digest=plan.digest, comment="closed")
    assert state == "applied"
    assert len(world.states()) == 16
    assert kinds(world.sync()) == {}


def test_a_wrong_digest_approves_nothing(world):
    """R4: approval is of one plan."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    plan = world.night()
    with pytest.raises(DigestMismatchError):
        world.services.runs.approve(plan.run, ME, digest="0" * 64)
    assert world.services.run_reports.plan(plan.run).state == "held"


def test_an_approval_expires_after_a_day(world):
    """R4: what was true yesterday is planned again."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    plan = world.night()
    world.clock.advance(timedelta(hours=25))
    with pytest.raises(RunStateError, match="24 hours"):
        world.services.runs.approve(plan.run, ME)


def test_who_came_back_before_the_approval_has_drifted(world):
    """R4: what is gone is reported, what is new is a plan of its own."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    back = world.directory.people["id-p00"]
    world.directory.remove("p00", "p01", "p02", "p03", "p04")
    plan = world.night()
    world.directory.add(back)
    world.directory.add(entry("new"))
    world.services.runs.approve(plan.run, ME)
    after = world.services.run_reports.plan(plan.run)
    assert sorted(a.status for a in after.actions) == ["done"] * 4 + ["drifted"]
    assert world.states()["P00"] == "invited"
    assert "New" not in world.states()
    newest = world.services.run_reports.runs(limit=1)[0]
    assert (newest.state, newest.counts["invite"]) == ("ready", 1)


def test_a_rejected_plan_is_never_applied(world):
    """R4: and the people stay."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(20)))
    world.sync()
    world.directory.remove("p00", "p01", "p02", "p03")
    plan = world.night()
    world.services.runs.reject(plan.run, ME, "a mistake")
    with pytest.raises(RunStateError):
        world.services.runs.approve(plan.run, ME)
    assert len(world.states()) == 20


def test_a_first_run_only_plans_until_it_is_released(make_world):
    """I10: apply is refused with the command that helps; after the release it works."""
    world = make_world(first_run="plan")
    world.directory.add(entry("ann"))
    plan = world.sync()
    assert (plan.state, world.states()) == ("ready", {})
    with pytest.raises(HeldError, match="usher release corp"):
        world.services.runs.apply(plan.run, ME)
    world.services.invitations.release("corp", ME)
    assert world.services.runs.apply(plan.run, ME) == "applied"
    assert world.states() == {"Ann": "invited"}


def test_applying_twice_is_applying_once(world):
    """R5: the second time there is nothing to do."""
    world.directory.add(entry("ann"))
    run = world.services.runs.plan("corp", ME)
    assert world.services.runs.apply(run, ME) == "applied"
    assert world.services.runs.apply(run, ME) == "applied"
    assert count(world, EmployeeRecord) == 1
    assert count(world, OutboxRecord) == 1


def test_past_the_seat_limit_people_wait_and_are_served_by_themselves(make_world):
    """L3, L4: two seats, three people; a departure lets the third in the same night."""
    world = make_world(seats=2)
    world.directory.add(entry("ann"), entry("bob"), entry("cid"))
    assert kinds(world.sync()) == {"invite": 2, "wait": 1}
    assert world.services.reports.seats().taken == 2
    assert [row.position for row in world.services.reports.waitlist()] == [1]
    world.directory.remove("ann")
    world.night()
    assert world.states() == {"Bob": "invited", "Cid": "invited"}
    assert world.services.reports.seats().taken == 2


def test_a_raised_limit_serves_the_waiting_list(make_world):
    """L3: as soon as a seat is free, without a run."""
    world = make_world(seats=1)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.seats.set_limit(2, ME)
    assert world.services.waiting.serve() == 1
    assert set(world.states().values()) == {"invited"}


def test_a_lowered_limit_dismisses_nobody_and_invites_nobody(make_world):
    """L6: a finding, and the next newcomer waits."""
    world = make_world(seats=2)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.seats.set_limit(1, ME)
    world.directory.add(entry("cid"))
    assert kinds(world.night()) == {"wait": 1}
    assert [r.kind for r in world.services.reports.mismatches()] == ["over_seat_limit"]
    world.services.seats.set_limit(5, ME)
    assert world.services.reports.mismatches() == []


def test_a_changed_address_before_acceptance_is_invited_anew(world):
    """I5: the old link opens nothing, one new letter leaves."""
    world.directory.add(entry("ann"))
    world.sync()
    world.services.delivery.deliver_due()
    world.directory.add(entry("ann", mail="ann.weber@corp.example"))
    assert kinds(world.night()) == {"update": 1}
    assert world.services.delivery.deliver_due() == 1
    person = world.services.person(world.services.reports.find("ann"))
    assert person.invitation["address"] == "ann.weber@corp.example"
    assert world.services.reports.seats().taken == 1


def test_an_expired_invitation_frees_the_seat_and_does_not_loop(world):
    """I4: lapsed, and no run invites them again without a new fact."""
    world.directory.add(entry("ann"))
    world.sync()
    world.services.delivery.deliver_due()
    world.clock.advance(timedelta(days=15))
    assert world.services.invitations.expire_due() == 1
    assert world.services.reports.seats().taken == 0
    assert kinds(world.night()) == {}
    world.directory.add(entry("ann", departmentNumber="Sales"))
    assert kinds(world.night()) == {"invite": 1}


def test_a_directory_that_changes_the_mail_of_an_active_person_is_a_finding(world):
    """E2, E3: the contact e-mail stays; somebody should look."""
    world.directory.add(entry("ann"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.add(entry("ann", mail="ann.weber@corp.example"))
    assert kinds(world.night()) == {"update": 1}
    found = {row.kind for row in world.services.reports.mismatches()}
    assert "contact_differs_from_directory" in found
    world.directory.add(entry("ann"))
    world.night()
    assert world.services.reports.mismatches() == []


def test_a_policy_may_let_the_contact_follow_the_directory(make_world):
    """E2: but the login never does."""
    policy = Policy(contact_email=ContactPolicy.FOLLOW_DIRECTORY)
    world = make_world(policy=policy)
    world.directory.add(entry("ann"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.add(entry("ann", mail="ann.weber@corp.example"))
    world.night()
    person = world.services.person(world.services.reports.find("ann"))
    assert {line.role: line.value for line in person.addresses} == {
        "login": "ann@corp.example",
        "contact": "ann.weber@corp.example",
        "mailbox": None,
        "directory": "ann.weber@corp.example",
    }


def test_a_reborn_entry_with_the_employee_number_is_the_same_employee(world):
    """P2: a strong key links the new entry, and nobody is dismissed for the old one."""
    world.directory.add(entry("ann", employeeNumber="7"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.remove("ann")
    world.directory.add(entry("ann", employeeNumber="7", anchor="id-reborn"))
    plan = world.night()
    assert kinds(plan) == {"update": 1}
    assert world.states()["Ann"] == "active"
    assert kinds(world.night()) == {}


def test_two_entries_with_one_id_are_a_finding_not_a_failed_run(world):
    """R2: the others are served, this one is looked at."""

    class Doubled(type(world.directory)):
        def _reading(self):
            yield next(iter(self.people.values()))
            return (yield from super()._reading())

    world.directory.__class__ = Doubled
    world.directory.add(entry("ann"), entry("bob"))
    plan = world.sync()
    assert kinds(plan) == {"invite": 1, "flag": 1}
    assert [row.kind for row in world.services.reports.mismatches()] == ["unreadable_entry"]


def test_an_unknown_source_or_run_is_named(world):
    """Bad input: a sentence that says what there is instead."""
    with pytest.raises(NotFoundError, match='no source "copr"; there are: corp'):
        world.services.runs.plan("copr", ME)
    with pytest.raises(NotFoundError, match="no run 999"):
        world.services.runs.apply(999, ME)


def test_every_state_has_a_because(world):
    """S4: one sentence with its rule for everybody, in every state."""
    world.directory.add(entry("ann"), entry("bob"), entry("cid", mail=None))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.remove("bob")
    world.night()
    for row in world.services.reports.people(search="@") + world.services.reports.people():
        assert row.because.endswith(")"), row
    why = world.services.person(world.services.reports.find("ann")).why
    assert why == "active because accepted the invitation sent to ann@corp.example (I6)."


def test_links_remember_what_was_applied(world):
    """P1: the hash of the entry is the link's."""
    world.directory.add(entry("ann"))
    world.sync()
    with world.services.context.database.read() as session:
        link = session.scalars(select(LinkRecord)).one()
    assert link.raw_hash == world.directory.people["id-ann"].raw_hash()


def test_a_mark_and_its_finding_go_when_they_are_back(make_world):
    """D2, E5: somebody missing for a night is to be seen, and then not."""
    world = make_world(policy=Policy(missing_grace_nights=2))
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    ann = world.directory.people["id-ann"]
    world.directory.remove("ann")
    world.night()
    assert [row.kind for row in world.services.reports.mismatches()] == ["missing_from_source"]
    world.directory.add(ann)
    world.night()
    assert world.services.reports.mismatches() == []


def test_who_comes_back_without_an_address_waits_for_one(world):
    """S6, I1: never accepted and dismissed; back without mail, they cannot be invited."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.delivery.deliver_due()
    world.directory.remove("ann")
    world.night()
    world.directory.add(entry("ann", mail=None))
    assert kinds(world.night()) == {"flag": 1}
    assert world.states()["Ann"] == "waiting"
    assert kinds(world.night()) == {}
    world.directory.add(entry("ann"))
    assert kinds(world.night()) == {"invite": 1}


def test_a_bug_with_one_person_keeps_nobody_else_inside(world, monkeypatch):
    """R5: the action is failed and named, the others are done, the run is partial."""
    from provisioning.services import provision

    world.directory.add(entry("ann"), entry("bob"), entry("cid"))
    real = provision.new_employee

    def broken(session, context, person, change):
        if person.user_name == "bob":
            raise KeyError("a bug")
        return real(session, context, person, change)

    monkeypatch.setattr(provision, "new_employee", broken)
    plan = world.sync()
    assert plan.state == "partial"
    assert [a.error for a in plan.actions if a.error] == ["internal error: KeyError"]
    assert world.states() == {"Ann": "invited", "Cid": "invited"}
    monkeypatch.undo()
    assert kinds(world.night()) == {"invite": 1}
