"""The matching queue while others write: one decision, one employee, nothing lost (P3, P5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import select

from provisioning.domain.errors import DecidedError, MatchError, NotFoundError, ProvisioningError
from provisioning.domain.policy import Policy
from provisioning.services.context import Actor
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.scim import ScimUserRecord
from tests.kit.matching import IGNORE, NEW, SAME, decide, doubtful, findings, only_question
from tests.kit.nights import ME, count, kinds
from tests.kit.scim_client import connect, outcome, user
from tests.kit.sources import entry


@pytest.fixture
def idp(world):
    """A provider whose Zoe was here first, and has joined."""
    idp = connect(world.services)
    idp.create("zoe")
    world.accept("Zoe")
    return idp


def at_once(*works):
    """Let everybody begin at the same moment; returns what each got, or was told."""
    start = Barrier(len(works))

    def begin(work):
        start.wait()
        try:
            return work()
        except ProvisioningError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))


def test_of_administrators_who_decide_at_once_one_decides(world, idp):
    """P5: the others are told who was first, and only one thing was done."""
    row = doubtful(world)
    answers = [(NEW, None), (SAME, "Zoe"), (IGNORE, None), (NEW, None), (SAME, "Zoe")]
    said = at_once(
        *(
            lambda n=n, decision=decision, who=who: decide(
                world, row, decision, who, Actor(f"admin{n}", "page")
            )
            for n, (decision, who) in enumerate(answers)
        )
    )
    assert [isinstance(one, str) for one in said].count(True) == 1
    assert all(isinstance(one, DecidedError) for one in said if not isinstance(one, str))
    decided = world.services.matches.one(row.id)
    new, same = decided.decision == "new_person", decided.decision == "same_person"
    assert count(world, EmployeeRecord) == 2 + new
    assert count(world, LinkRecord) == 2 + (new or same)
    assert world.services.seats.recount() == 0
    assert kinds(world.night()) == {}


@pytest.mark.parametrize(("decision", "who"), [(NEW, None), (SAME, "Zoe"), (IGNORE, None)])
def test_a_decision_during_a_night_is_what_counts(world, idp, decision, who):
    """P5, R4: what the night had planned for the same person has drifted."""
    row = doubtful(world)
    world.directory.add(entry("aaa"), entry("zoe", mail="zoe.other@corp.example"))
    run = world.services.runs.plan("corp", ME)
    assert kinds(world.services.run_reports.plan(run)) == {"invite": 2}

    def say(done, _all):
        if done == 1:
            decide(world, row, decision, who)

    world.services.runs.apply(run, ME, say)
    report = world.services.run_reports.plan(run)
    assert [action.status for action in report.actions] == ["done", "drifted"]
    assert world.services.matches.one(row.id).decision == decision
    assert count(world, EmployeeRecord) == 3 + (decision is NEW)
    assert "duplicate_person" not in findings(world)
    world.night()
    assert kinds(world.night()) == {}
    assert count(world, EmployeeRecord) == 3 + (decision is NEW)


def test_a_night_that_ends_while_somebody_decides_withdraws_nothing_decided(world, idp):
    """P5, E5: a reading without the person closes questions, not answers."""
    row = doubtful(world)
    world.directory.remove("zoe")
    run = world.services.runs.plan("corp", ME)
    decide(world, row, IGNORE)
    world.services.runs.apply(run, ME)
    assert world.services.matches.one(row.id).decision == "ignore"


def test_a_departure_planned_before_the_link_takes_nobody_out(make_world):
    """P5, D1: the old entry is gone, but the employee has a new one since."""
    world = make_world(policy=Policy(missing_grace_nights=1))
    world.directory.add(entry("zoe"), entry("ann"), entry("bob"))
    world.sync()
    world.accept("Zoe", "Bob")
    world.directory.remove("zoe", "bob")
    world.directory.add(entry("zed", mail="zoe@corp.example", cn="Zoe"))
    assert kinds(world.night()) == {"flag": 3}
    row = only_question(world)
    world.clock.advance(timedelta(days=1))
    run = world.services.runs.plan("corp", ME)

    def say(done, _all):
        if done == 1:
            decide(world, row, SAME, "Zoe")

    world.services.runs.apply(run, ME, say)
    report = world.services.run_reports.plan(run)
    assert [(one.action, one.person, one.status) for one in report.actions] == [
        ("dismiss", "bob", "done"),
        ("dismiss", "zoe", "drifted"),
    ]
    assert world.states() == {"Zoe": "active", "Ann": "invited", "Bob": "dismissed"}
    assert kinds(world.night()) == {}


def pushed_question(world):
    """A pushed Zoe whom corp knows already; returns the provider and the resource."""
    world.directory.add(entry("zoe"), entry("ann"))
    world.sync()
    world.accept("Zoe")
    idp = connect(world.services)
    return idp, idp.create("zoe")


def test_a_resource_is_deleted_while_somebody_decides(world):
    """P5, D1: either it was nobody any more, or the employee it became has left; no half state."""
    _, zoe = pushed_question(world)
    row = only_question(world)
    id_ = UUID(zoe["id"])
    source_id = world_source(world, id_)
    said, _ = at_once(
        lambda: decide(world, row, SAME, "Zoe"),
        lambda: world.services.scim_users.delete(source_id, id_, ME),
    )
    with world.services.context.database.read() as session:
        link = session.get(LinkRecord, (source_id, zoe["id"]))
        assert session.get_one(ScimUserRecord, id_).hidden_at is not None
    if isinstance(said, NotFoundError):
        assert link is None
        assert world.states()["Zoe"] == "active"
    else:
        assert link is not None
        assert link.hidden
        assert world.states()["Zoe"] == "dismissed"
    assert world.services.matches.rows() == []
    assert "duplicate_person" not in findings(world)
    assert world.services.seats.recount() == 0


def world_source(world, id_):
    """The source of a resource."""
    with world.services.context.database.read() as session:
        query = select(ScimUserRecord.source_id).where(ScimUserRecord.id == id_)
        return session.scalars(query).one()


def test_the_employee_is_removed_while_the_page_is_open(world):
    """P5: whom the page showed is gone; the sentence says so and nothing was decided."""
    idp = connect(world.services)
    zoe = idp.create("zoe")
    row = doubtful(world)
    employee_id = world.services.reports.find("Zoe")
    idp.delete(zoe["id"])
    assert world.services.matches.rows()[0].candidates[0].state == "removed"
    with pytest.raises(NotFoundError, match="they were removed meanwhile"):
        world.services.matching.decide(row.id, SAME, ME, employee_id=employee_id)
    assert only_question(world).decision is None


def test_the_employee_is_linked_while_the_page_is_open(world, idp):
    """P3, P5: another person of the same source is Zoe since; two cannot be."""
    row = doubtful(world)
    world.directory.add(entry("zed", mail="zoe@corp.example", cn="Zed"))
    world.night()
    other = next(one for one in world.services.matches.rows() if one.id != row.id)
    decide(world, other, SAME, "Zoe")
    with pytest.raises(MatchError, match="two people of one source cannot be one employee"):
        decide(world, row, SAME, "Zed")
    assert only_question(world).id == row.id


def test_pushes_and_decisions_of_one_person_at_once_lose_nothing(world):
    """P5: every push is answered, and the last word of the provider is what the employee has."""
    idp, zoe = pushed_question(world)
    row = only_question(world)
    clients = [connect(world.services, app=idp.app) for _ in range(3)]
    pushes = [
        lambda client=client, n=n: client.put(zoe["id"], user("zoe", title=f"Title {n}"))
        for n, client in enumerate(clients)
    ]
    at_once(lambda: decide(world, row, SAME, "Zoe"), *pushes)
    now = idp.get(zoe["id"])
    assert outcome(now)["state"] == "active"
    person = world.services.person(world.services.reports.find("Zoe"))
    assert person.title == now["title"]
    assert world.services.matches.rows() == []
