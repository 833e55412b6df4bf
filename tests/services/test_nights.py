"""Nights: read, plan, guard, apply - on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from provisioning.domain.errors import (
    NotFoundError,
)
from provisioning.domain.policy import ContactPolicy, Policy
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.models.employees import LinkRecord
from tests.kit.nights import ME, count, kinds
from tests.kit.sources import entry


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
