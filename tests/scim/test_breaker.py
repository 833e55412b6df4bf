"""Too many dismissals over SCIM: answered as set, held in effect, told once (D6)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from provisioning.domain.actions import HoldReason
from provisioning.domain.errors import DecidedError
from provisioning.domain.findings import FindingKind
from provisioning.domain.policy import Policy
from provisioning.services.context import InvitationTimes
from provisioning.storage.holds import open_hold
from provisioning.storage.models.holds import HoldEnd
from provisioning.storage.models.runs import RemovalRecord
from tests.kit.nights import ME, count
from tests.kit.scim_client import OURS, ScimClient, employee_of, operation, outcome
from tests.kit.services import make_services

BREAKER = HoldReason.BREAKER


@pytest.fixture
def staff(world, idp):
    """The resources of eight people who were written to; three may leave at once."""
    people = [idp.create(f"p{number}") for number in range(8)]
    world.services.delivery.deliver_due()
    return people


def leave(idp, *people):
    """Dismiss them one by one; returns what became of each."""
    return [outcome(idp.activate(one["id"], False))["state"] for one in people]


def held(world):
    """Of whom something is held."""
    return [row.display_name for row in world.services.hold_reports.held()]


def findings(world, kind):
    return [found.person for found in world.services.reports.mismatches(kind=kind)]


def letters(world):
    """To whom administrators' letters went."""
    world.services.alarms.look()
    messages = world.services.outbox.messages()
    return sorted(letter.to for letter in messages if letter.topic == "letter.effects_held")


def test_the_first_ones_go_and_whoever_comes_after_is_held(world, idp, staff):
    """D6: max(3, 5 %); the client sees what it set, the employee stays as they were."""
    assert leave(idp, *staff[:5]) == ["dismissed"] * 3 + ["invited"] * 2
    shown = idp.get(staff[4]["id"])
    assert shown["active"] is False
    assert idp.find('userName eq "p4@corp.example"') == [shown]
    assert world.services.reports.seats().taken == 5
    assert held(world) == ["P3", "P4"]
    row = world.services.hold_reports.held()[0]
    assert (row.source, row.action, row.reason) == ("idp", "revoke", "breaker")
    assert "active=false from idp (D1)" in row.because
    (group,) = world.services.hold_reports.groups()
    assert "3 of at most 3 people were removed within a day" in group.budget


def test_a_deletion_counts_and_is_held_like_any_dismissal(world, idp, staff):
    """D6, D1: 204 and hidden at once, names free; only the effect waits."""
    for one in staff[:4]:
        idp.delete(one["id"])
    assert idp.list()["totalResults"] == 4
    assert idp.find('userName eq "p3@corp.example"') == []
    assert world.states()["P3"] == "invited"
    assert held(world) == ["P3"]
    assert world.services.holds.approve(world.services.hold_reports.held()[0].id, ME) == "approved"
    assert world.states()["P3"] == "dismissed"


def test_sixteen_at_once_never_exceed_the_limit(make_idp):
    """D6: measured in the transaction that spends it, on every kind of database."""
    world, idp = make_idp()
    people = [idp.create(f"p{number}") for number in range(16)]
    world.services.delivery.deliver_due()

    def one(number):
        client = ScimClient(idp.app, idp.services, idp.token)
        path = f"/Users/{people[number]['id']}"
        if number % 2:
            return client("DELETE", path).status_code
        return client.try_patch(people[number]["id"], operation("replace", "active", False))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, range(16)))
    assert {getattr(answer, "status_code", answer) for answer in answers} == {200, 204}
    assert Counter(world.states().values()) == {"dismissed": 3, "invited": 13}
    assert count(world, RemovalRecord) == 3
    assert len(held(world)) == 13
    assert world.services.seats.recount() == 0


def test_administrators_are_told_once_and_not_for_each(world, idp, staff):
    """D6: one finding and one letter a state, to those who may decide."""
    world.services.accounts.create_administrator("anna@corp.example")
    leave(idp, *staff)
    assert findings(world, FindingKind.REMOVALS_HELD) == ["idp"]
    assert findings(world, FindingKind.DEPARTED_STILL_ACTIVE) == []
    assert letters(world) == ["anna@corp.example"]
    (first,) = [m for m in world.services.outbox.messages() if m.topic == "letter.effects_held"]
    letter = world.services.delivery.letter(first.id)
    assert letter is not None
    assert "idp" in letter["Subject"]
    assert "https://intranet.example/admin/held" in str(letter.get_body(("plain",)))
    assert world.services.delivery.deliver_due() == 1
    world.services.holds.reject_all("idp", BREAKER, 5, ME, "a wrong filter")
    assert findings(world, FindingKind.REMOVALS_HELD) == []
    assert letters(world) == ["anna@corp.example"]
    leave(idp, staff[7])
    assert letters(world) == ["anna@corp.example"] * 2, "a new state is told anew"


def test_nobody_is_told_of_what_was_decided_before_the_letter_left(world, idp, staff):
    """D6: a letter that is not true any more does not leave."""
    world.services.accounts.create_administrator("anna@corp.example")
    leave(idp, *staff[:4])
    assert letters(world) == ["anna@corp.example"]
    world.services.holds.approve_all("idp", BREAKER, 1, ME)
    world.services.alarms.look()
    assert world.services.delivery.deliver_due() == 0


def test_a_connection_test_costs_nothing(make_idp):
    """I9, D6: made and deleted within the grace, again and again; the budget is untouched."""
    world, idp = make_idp(times=InvitationTimes(grace=timedelta(minutes=10)))
    people = [idp.create(f"p{number}") for number in range(4)]
    world.clock.advance(timedelta(hours=1))
    world.services.delivery.deliver_due()
    for number in range(6):
        idp.delete(idp.create(f"test{number}")["id"])
    assert count(world, RemovalRecord) == 0
    assert world.services.delivery.deliver_due() == 0
    assert world.services.reports.seats().taken == len(world.states()) == 4
    assert leave(idp, *people) == ["dismissed"] * 3 + ["invited"]
    assert leave(idp, idp.create("late")) == ["none"], "even while the breaker holds others"


def test_what_the_client_takes_back_is_not_held_any_more(world, idp, staff):
    """D6: active true again meanwhile, or sent again after a deletion."""
    leave(idp, *staff[:5])
    idp.delete(staff[5]["id"])
    first = world.services.hold_reports.held()[0]
    back = idp.activate(staff[3]["id"], True)
    assert (back["active"], outcome(back)["state"]) == (True, "invited")
    with pytest.raises(DecidedError, match="withdrawn; nothing was done"):
        world.services.holds.approve(first.id, ME)
    again = idp.create("p5")
    assert employee_of(world.services, again) == employee_of(world.services, staff[5])
    assert held(world) == ["P4"]
    idp.activate(staff[4]["id"], True)
    assert held(world) == []
    assert findings(world, FindingKind.REMOVALS_HELD) == []
    assert world.states()["P3"] == world.states()["P5"] == "invited"


def test_whoever_is_held_stays_held_until_somebody_decides(world, idp, staff):
    """D6: asking again, with room again, lets nobody slip through."""
    leave(idp, *staff[:4])
    world.clock.advance(timedelta(days=8))
    gone = idp.patch(staff[3]["id"], operation("replace", "title", "Chief"))
    assert outcome(gone)["state"] == "invited"
    assert leave(idp, staff[4]) == ["dismissed"], "the week is over for everybody else"
    assert held(world) == ["P3"]


def test_one_is_approved_and_the_others_still_wait(world, idp, staff):
    """D6: done now, on the timeline with who said so; it costs nothing and frees nothing."""
    leave(idp, *staff[:5])
    first = world.services.hold_reports.held()[0]
    assert world.services.holds.approve(first.id, ME, "left in May") is HoldEnd.APPROVED
    assert held(world) == ["P4"]
    assert world.states()["P3"] == "dismissed"
    timeline = world.services.person(first.employee).timeline
    assert [event.kind for event in timeline[:3]] == ["dismissed", "hold_approved", "held"]
    assert "approved by anna" in timeline[0].because
    assert "left in May" in timeline[1].because
    assert leave(idp, staff[5]) == ["invited"]
    assert count(world, RemovalRecord) == 3


def test_releasing_the_breaker_does_all_and_measures_the_next_anew(world, idp, staff):
    """D6: what was looked at counts no more; the fourth after it is held again."""
    leave(idp, *staff[:5])
    with pytest.raises(DecidedError, match="2 are held of idp for this reason, not 3"):
        world.services.holds.approve_all("idp", BREAKER, 3, ME)
    assert held(world) == ["P3", "P4"]
    decided = world.services.holds.approve_all("idp", BREAKER, 2, ME, "office closed")
    assert (decided.done, decided.left) == (2, ())
    assert Counter(world.states().values()) == {"dismissed": 5, "invited": 3}
    assert findings(world, FindingKind.REMOVALS_HELD) == []
    more = [idp.create(f"new{number}") for number in range(2)]
    world.services.delivery.deliver_due()
    assert leave(idp, *staff[5:], *more) == ["dismissed"] * 3 + ["invited"] * 2


def test_a_rejected_dismissal_goes_back_to_what_is_in_effect(world, idp, staff):
    """D6: active with a new version, and a finding until the source vouches again."""
    leave(idp, *staff[:4])
    before = idp.get(staff[3]["id"])
    (row,) = world.services.hold_reports.held()
    world.services.holds.reject(row.id, ME, "she is here")
    after = idp.get(staff[3]["id"])
    assert (after["active"], outcome(after)["state"]) == (True, "invited")
    assert after["meta"]["version"] != before["meta"]["version"]
    told = {"active", "meta", OURS}
    kept = {name: value for name, value in before.items() if name not in told}
    assert {name: value for name, value in after.items() if name not in told} == kept
    assert idp.find('active eq true and userName eq "p3@corp.example"') == [after]
    assert findings(world, FindingKind.DEPARTED_STILL_ACTIVE) == ["p3@corp.example"]
    with pytest.raises(DecidedError, match="is rejected"):
        world.services.holds.approve(row.id, ME)
    assert leave(idp, staff[3]) == ["invited"], "measured again, and there is still no room"
    idp.activate(staff[3]["id"], True)
    assert findings(world, FindingKind.DEPARTED_STILL_ACTIVE) == []


def test_a_rejected_deletion_keeps_the_employee_and_not_the_resource(world, idp, staff):
    """D6, D1: 404 stays 404; the finding says that somebody stays whom the source deleted."""
    for one in staff[:4]:
        idp.delete(one["id"])
    world.services.holds.reject_all("idp", BREAKER, 1, ME, "a mistake")
    assert idp.list()["totalResults"] == 4
    assert world.states()["P3"] == "invited"
    assert findings(world, FindingKind.DEPARTED_STILL_ACTIVE) == ["p3@corp.example"]


def test_what_is_held_survives_a_restart(world, idp, staff, database_url):
    """D6: it is a row, and so is the budget."""
    leave(idp, *staff[:4])
    twin = make_services(database_url, clock=world.clock, policy=Policy())
    (row,) = twin.hold_reports.held()
    twin.holds.approve(row.id, ME)
    with twin.context.database.read() as session:
        assert open_hold(session, world.services.context.intranet_id, row.employee) is None
    twin.context.database.close()
    assert world.states()["P3"] == "dismissed"
    assert leave(idp, staff[4]) == ["invited"]
