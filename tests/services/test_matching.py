"""People nobody could place, and what an administrator says about them (P2-P5, E5)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from provisioning.domain.errors import DecidedError, MatchError, NotFoundError, SeatLimitError
from provisioning.domain.policy import ContactPolicy, Policy, WhenFull
from provisioning.services.context import Actor
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.models.employees import MatchRecord
from tests.kit.matching import (
    IGNORE,
    NEW,
    SAME,
    decide,
    doubtful,
    events,
    findings,
    only_question,
    with_zoe,
)
from tests.kit.nights import ME, count, kinds
from tests.kit.scim_client import connect, outcome
from tests.kit.sources import entry


@pytest.fixture
def idp(world):
    """A provider whose Zoe was here first, and has joined."""
    return with_zoe(world)


def test_a_weak_key_is_a_question_with_its_evidence(world, idp):
    """P2, P3: who it may be, by which keys, and how they stand; nothing was written."""
    row = doubtful(world)
    assert (row.source, row.directory_id, row.name) == ("corp", "id-zoe", "Zoe")
    (candidate,) = row.candidates
    assert (candidate.name, candidate.state, candidate.keys) == ("Zoe", "active", ["mail"])
    assert candidate.employee == str(world.services.reports.find("zoe@corp.example"))
    assert findings(world) == ["duplicate_person"]
    assert world.states() == {"Zoe": "active", "Ann": "invited"}
    assert kinds(world.night()) == {}


def test_the_same_person_is_linked_at_once_and_keeps_login_and_contact(make_world):
    """P5, E2: even if the contact e-mail follows the directory; the evidence is on the timeline."""
    policy = Policy(missing_grace_nights=0, contact_email=ContactPolicy.FOLLOW_DIRECTORY)
    world = make_world(policy=policy)
    with_zoe(world, displayName="Zoe Z", emails=[{"value": "z@corp.example"}])
    world.directory.add(entry("zoe@corp.example", mail="zoe@new.example", departmentNumber="9"))
    world.sync()
    said = decide(world, only_question(world), SAME, "Zoe Z")
    assert said == "Zoe@Corp.Example of corp is linked to Zoe Z, who is active"
    person = world.services.person(world.services.reports.find("z@corp.example"))
    shown = {line.role: line.value for line in person.addresses}
    assert (shown["login"], shown["contact"]) == ("z@corp.example", "z@corp.example")
    assert (person.department, len(person.links)) == ("9", 2)
    assert events(world, "z@corp.example")[-1] == ("linked", "is Zoe Z: anna decided (P5)")
    assert "duplicate_person" not in findings(world)
    assert world.services.matches.rows() == []
    assert (kinds(world.night()), kinds(world.night())) == ({}, {})
    assert world.services.reports.seats().taken == 1


def test_a_new_person_is_invited_at_once_or_waits(make_world):
    """P5, L3: the seat gate of every door."""
    world = make_world(seats=3)
    with_zoe(world)
    row = doubtful(world, cn="Zoe Other")
    assert "of corp is invited" in decide(world, row, NEW)
    assert world.states() == {"Zoe": "active", "Ann": "invited", "Zoe Other": "invited"}
    world.directory.add(entry("zoe3", mail="zoe@corp.example"))
    world.night()
    decide(world, only_question(world), NEW)
    assert world.states()["Zoe3"] == "waiting"
    assert findings(world).count("duplicate_person") == 0
    assert kinds(world.night()) == {}


def test_without_a_seat_a_new_person_is_refused_if_nobody_may_wait(make_world):
    """L3: nothing is decided, and the question stays open."""
    world = make_world(seats=2, policy=Policy(when_full=WhenFull.REJECT))
    with_zoe(world)
    row = doubtful(world)
    with pytest.raises(SeatLimitError, match="all 2 seats are taken"):
        decide(world, row, NEW)
    assert only_question(world).decision is None
    assert findings(world) == ["duplicate_person"]


def test_who_is_ignored_is_not_asked_about_again_until_somebody_asks(world, idp):
    """P5, E5: no finding, no letter; taken back, the question is open as it was."""
    row = doubtful(world)
    decide(world, row, IGNORE)
    assert (findings(world), world.services.matches.rows()) == ([], [])
    world.directory.add(entry("zoe", departmentNumber="9"))
    assert kinds(world.night()) == {}
    world.services.matching.reopen(row.id, ME)
    again = only_question(world)
    assert (again.id, again.department) == (row.id, "9")
    assert findings(world) == ["duplicate_person"]
    with pytest.raises(MatchError, match="is open"):
        world.services.matching.reopen(row.id, ME)
    assert kinds(world.night()) == {}


def test_what_was_done_is_not_taken_back(world, idp):
    """P5: a letter cannot be unsent; the sentence says so."""
    row = doubtful(world)
    decide(world, row, NEW)
    with pytest.raises(MatchError, match="cannot be taken back"):
        world.services.matching.reopen(row.id, ME)
    with pytest.raises(DecidedError, match=r"anna decided .* before: new person"):
        decide(world, row, IGNORE)


def test_every_decision_is_an_event_with_the_evidence(world, idp):
    """S4, P5: who said what about whom, and on what it rested."""
    row = doubtful(world)
    decide(world, row, IGNORE)
    world.services.matching.reopen(row.id, ME)
    decide(world, row, SAME, "Zoe")
    with world.services.context.database.read() as session:
        query = select(EventRecord).where(EventRecord.kind.like("match%")).order_by(EventRecord.id)
        found = session.scalars(query).all()
    assert [event.kind for event in found] == ["match_decided", "match_reopened", "match_decided"]
    assert {event.actor for event in found} == {"anna"}
    assert found[0].because == "Zoe of corp is to be ignored (P5)"
    assert found[2].because == "Zoe of corp is Zoe (P5)"
    assert found[2].after["candidates"][0]["keys"] == ["mail"]


def test_a_question_is_renewed_when_a_later_night_sees_other_evidence(world, idp):
    """P3, R3: one row and one finding, with what is true now."""
    row = doubtful(world)
    same = {"anchor": "id-zoe", "mail": "zoe@corp.example", "cn": "Zoe"}
    world.directory.add(entry("zoe@corp.example", **same))
    assert kinds(world.night()) == {"flag": 1}
    again = only_question(world)
    assert (again.id, again.opened_at) == (row.id, row.opened_at)
    assert [one.keys for one in again.candidates] == [["user name", "mail"]]
    assert findings(world) == ["duplicate_person"]
    (finding,) = world.services.reports.mismatches()
    assert "Zoe has the same user name" in finding.evidence["because"]
    assert kinds(world.night()) == {}


def test_a_question_ends_by_itself_when_the_person_leaves(world, idp):
    """E5: gone or disabled, there is nobody to place; back, it is asked again."""
    row = doubtful(world)
    world.directory.remove("zoe")
    world.night()
    assert (world.services.matches.rows(), findings(world)) == ([], [])
    with pytest.raises(NotFoundError, match="settled meanwhile, or the person left"):
        decide(world, row, NEW)
    world.directory.add(entry("zoe"))
    assert kinds(world.night()) == {"flag": 1}
    world.directory.add(entry("zoe", disabled="yes"))
    world.night()
    assert (world.services.matches.rows(), findings(world)) == ([], [])


def test_nobody_has_left_for_an_export_without_its_end(world, idp):
    """R2: who is missing from an unproven reading stays in the queue."""
    doubtful(world)
    world.directory.remove("zoe")
    world.directory.proven = False
    world.night()
    assert only_question(world).directory_id == "id-zoe"


def test_a_question_ends_by_itself_when_nobody_is_alike_any_more(world, idp):
    """E5, P7: the address was corrected in the directory; the next night invites."""
    doubtful(world)
    world.directory.add(entry("zoe", mail="zoe.other@corp.example", cn="Zoe Other"))
    assert kinds(world.night()) == {"invite": 1}
    assert world.states()["Zoe Other"] == "invited"
    assert (count(world, MatchRecord), findings(world)) == (0, [])


def test_a_decision_outlives_whom_it_was_about(world, idp):
    """P5: an invitation nobody was written for is forgotten, the word "new person" is not."""
    row = doubtful(world)
    decide(world, row, NEW)
    world.directory.remove("zoe")
    world.night()
    assert world.states() == {"Zoe": "active", "Ann": "invited"}
    world.directory.add(entry("zoe", cn="Zoe Other"))
    assert kinds(world.night()) == {"invite": 1}
    assert world.states()["Zoe Other"] == "invited"


def test_a_decision_for_somebody_who_was_removed_is_asked_anew(world):
    """P5: the employee is gone, so the question is open again."""
    idp = connect(world.services)
    zoe = idp.create("zoe")
    row = doubtful(world)
    decide(world, row, SAME, "Zoe")
    world.directory.remove("zoe")
    world.night()
    idp.delete(zoe["id"])
    assert world.states() == {"Ann": "invited"}
    idp.create("zoe", displayName="Zoe Two")
    world.directory.add(entry("zoe"))
    assert kinds(world.night()) == {"flag": 1}
    assert only_question(world).id == row.id


def test_the_queue_is_read_page_by_page(world):
    """Nobody is shown twice or left out, and each intranet sees its own."""
    pairs = [(f"a{n}", f"b{n}", f"m{n}@corp.example") for n in range(4)]
    for one, other, mail in pairs:
        world.directory.add(entry(one, mail=mail), entry(other, mail=mail))
    world.sync()
    reports = world.services.matches
    first = reports.rows(limit=5)
    assert len(first) == 5
    assert len(reports.rows(after=first[-1].id, limit=5)) == 3
    assert len(list(reports.everything())) == reports.open_questions() == 8
    decide(world, first[0], IGNORE)
    assert [row.id for row in reports.everything(decided=True)] == [first[0].id]
    assert reports.find("corp", "id-a0") == reports.find("corp", "a0")
    with pytest.raises(NotFoundError, match="usher matches"):
        reports.find("corp", "nobody")


def test_the_decision_of_a_pushed_person_shows_in_their_resource(world):
    """P3, P5: 201 while the queue decides, then the employee's own state."""
    world.directory.add(entry("zoe"), entry("ann"))
    world.sync()
    world.accept("Zoe")
    idp = connect(world.services)
    zoe = idp.create("zoe")
    assert outcome(zoe)["state"] == "none"
    row = only_question(world)
    assert (row.source, row.directory_id) == ("idp", zoe["id"])
    decide(world, row, SAME, "Zoe")
    assert outcome(idp.get(zoe["id"]))["state"] == "active"
    idp.activate(zoe["id"], active=False)
    assert world.states()["Zoe"] == "dismissed"


def test_who_decides_is_told_by_name(world, idp):
    """S4: the actor of the decision is the actor of what it does."""
    row = doubtful(world)
    decide(world, row, NEW, actor=Actor("kim", "page"))
    decided = world.services.matches.one(row.id)
    assert (decided.decided_by, decided.decision) == ("kim", "new_person")
