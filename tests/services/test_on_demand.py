"""Provision on demand: one person alone, every step shown, the rules and gates of a run (R9)."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import (
    ConfigurationError,
    NotFoundError,
)
from provisioning.domain.people import RawPerson
from provisioning.domain.policy import Policy
from provisioning.storage.models.effects import EventRecord
from tests.kit.nights import ME, count
from tests.kit.sources import entry


def shown(world, words):
    return world.services.on_demand.trace("corp", words, ME)


def done(world, words, **choices):
    return world.services.on_demand.run("corp", words, ME, **choices)


def actions(trace):
    return [(step.action, step.held) for step in trace.decisions]


def said(trace):
    return {effect.kind: effect.sentence for effect in trace.effects}


def test_a_newcomer_is_shown_with_every_step_and_nothing_is_changed(make_world):
    """R9: read, scope, rules, match, decision, effects; looking leaves nothing behind."""
    world = make_world(seats=3)
    world.directory.add(entry("ann", departmentNumber="Sales"))
    events = count(world, EventRecord)
    trace = shown(world, "ann")
    assert trace.entry.attributes["departmentNumber"] == ("Sales",)
    assert (trace.entry.in_scope, trace.entry.scope) == (True, "in memory")
    assert {step.field: step.value for step in trace.rules}["department"] == "Sales"
    assert (trace.match.how, trace.match.employee) == ("nobody", None)
    assert actions(trace) == [("invite", None)]
    effects = said(trace)
    assert effects["state"] == "Ann is new here and invited"
    assert effects["seat"] == "one is taken: then 1 of 3 are"
    assert effects["invitation"].startswith("one to ann@corp.example; its letter leaves at 2026-11")
    assert effects["link"] == "corp vouches for Ann by this id"
    assert (trace.done, trace.conclusion) == (False, "invite")
    assert world.states() == {}
    assert count(world, EventRecord) == events
    assert world.services.reports.seats().taken == 0
    assert world.services.delivery.deliver_due() == 0


def test_what_was_shown_is_done(make_world):
    """R9, S4: the same steps, and an event that says who ran them alone."""
    world = make_world(seats=3)
    world.directory.add(entry("ann"), entry("bob"))
    before = shown(world, "ann@corp.example")
    trace = done(world, "ann@corp.example", digest=before.digest)
    assert (trace.decisions, trace.effects) == (before.decisions, before.effects)
    assert trace.done
    assert world.states() == {"Ann": "invited"}
    assert world.services.delivery.deliver_due() == 1
    person = world.services.person(world.services.reports.find("ann"))
    assert {event.kind for event in person.timeline} >= {"run_alone", "invited"}
    [alone] = [event for event in person.timeline if event.kind == "run_alone"]
    assert alone.because == "anna ran corp for this person only (R9): invite"
    # R3: what is known need not be looked at again tonight.
    plan = world.night()
    assert {action.person for action in plan.actions} == {"bob"}


def test_an_employee_is_found_as_they_are_known_here(world):
    """R9: by the id, the place and every name; by the number, the id and the name here."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    person = world.services.person(world.services.reports.find("ann"))
    for words in ("id-ann", "uid=ann,ou=People,dc=corp,dc=example", "ann", "ann@corp.example",
                  str(person.number), str(person.id), "Ann"):  # fmt: skip
        trace = shown(world, words)
        assert (trace.name, trace.match.how, trace.match.employee) == ("Ann", "linked", person.id)
        assert trace.match.sentence.startswith("Ann, who is invited; linked by this id since 2026-")
        assert actions(trace) == []
        assert trace.conclusion == "nothing is to be done, corp says what it said before"


def test_a_change_is_told_field_by_field(world):
    """R9: old and new, and a new invitation where the address is another (I5)."""
    world.directory.add(entry("ann", departmentNumber="Sales"))
    world.sync()
    world.directory.add(entry("ann", departmentNumber="Ops", mail="a@corp.example"))
    trace = done(world, "id-ann")
    changes = {one.name: (one.old, one.new) for one in trace.decisions[0].changes}
    assert changes["department"] == ("Sales", "Ops")
    assert changes["mail"] == ("ann@corp.example", "a@corp.example")
    invitations = [effect.sentence for effect in trace.effects if effect.kind == "invitation"]
    assert invitations[0] == "the one to ann@corp.example ends"
    assert world.services.person(trace.match.employee).department == "Ops"


def test_nobody_left_because_one_search_did_not_find_them(world):
    """R2, R9: only a complete reading says that somebody left."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.directory.remove("ann")
    for words in ("ann", "1", "nobody", "no\0body"):
        with pytest.raises(NotFoundError, match="only a complete reading says that somebody left"):
            done(world, words)
    with pytest.raises(NotFoundError, match="ann is linked to the id id-ann, which is not there"):
        shown(world, "Ann")
    assert world.states() == {"Ann": "invited", "Bob": "invited"}


def test_nothing_follows_from_an_entry_out_of_scope(world):
    """R9: it is shown with its rules, and no run would read it."""
    world.directory.add(entry("ann"))
    world.directory.outside = {"id-ann"}
    trace = done(world, "ann")
    assert not trace.is_decided
    assert (trace.match, trace.done) == (None, False)
    assert trace.rules
    assert trace.conclusion == "no run would read this entry, so nothing follows from it"
    assert world.states() == {}


def test_several_who_are_called_so_are_listed(world):
    """R9: nobody is chosen by chance."""
    world.directory.add(entry("ann"), entry("bob", mail="ann"))
    trace = done(world, "ann")
    assert [step.id for step in trace.found] == ["id-ann", "id-bob"]
    assert (trace.entry, trace.is_decided, trace.done) == (None, False, False)
    assert world.states() == {}


def test_two_newcomers_with_one_address_are_a_question_for_one_of_them_too(world):
    """P3: what a run would ask about, one person alone asks about."""
    world.directory.add(
        entry("ann", mail="same@corp.example"), entry("bob", mail="same@corp.example")
    )
    trace = done(world, "id-ann")
    assert actions(trace) == [("flag", None)]
    assert trace.match.sentence == "nobody can tell: Bob has the same mail (P2, P3)"
    assert said(trace)["finding"] == "duplicate person is opened"
    assert world.states() == {}
    again = done(world, "id-ann")
    assert again.conclusion.endswith("the question who they are waits on the Matching page")


def test_an_employee_with_the_same_number_is_taken_over(world):
    """P2: by a strong key if the old entry is gone, as a complete reading would see it."""
    world.directory.add(entry("ann", employeeNumber="7"))
    world.sync()
    world.directory.add(entry("anna", employeeNumber="7"))
    trace = shown(world, "anna")
    assert trace.match.how == "disputed"
    assert "Ann has the same employee number" in trace.match.sentence
    world.directory.remove("ann")
    trace = done(world, "anna")
    assert (trace.match.how, trace.match.sentence) == ("alike", "Ann, by employee number (P2)")
    assert actions(trace) == [("update", None)]
    assert said(trace)["link"] == "corp vouches for Anna by this id"
    assert set(world.states().values()) == {"invited"}


def test_whoever_was_missing_and_is_found_is_missing_no_more(make_world):
    """D2: back in time, nothing happened."""
    world = make_world(policy=Policy(missing_grace_nights=3))
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.directory.remove("ann")
    world.night()
    world.directory.add(entry("ann"))
    trace = done(world, "ann")
    assert said(trace) == {
        "mark": "Ann is not missing any more",
        "finding": "missing from source is closed",
    }
    assert world.services.person(trace.match.employee).links[0].missing_since is None


def test_an_entry_that_cannot_be_mapped_is_a_finding_for_that_person(world):
    """R9: the field that is refused is named, the others are shown."""
    world.directory.add(RawPerson("id-ann", "cn=ann", {"cn": ("Ann",)}))
    trace = done(world, "id-ann")
    assert trace.problem.startswith("uid: is empty")
    assert actions(trace) == [("flag", None)]
    assert said(trace) == {"finding": "unreadable entry is opened"}
    assert done(world, "id-ann").conclusion == (
        "nothing is to be done, the entry cannot be used, and that is known"
    )


def test_somebody_disabled_whom_nobody_knows_is_nobody_s_business(world):
    world.directory.add(entry("ann", disabled="yes"))
    trace = done(world, "ann")
    assert trace.conclusion.endswith("not active in corp, and nobody here is linked to them")


def test_a_source_that_pushes_cannot_be_asked(world):
    """R9 is for sources that are read; a provider has its own provision on demand."""
    world.services.add_identity_provider("entra", "entra", ME)
    with pytest.raises(ConfigurationError, match="sends its people by itself"):
        world.services.on_demand.trace("entra", "ann", ME)
