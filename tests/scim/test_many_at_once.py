"""Many requests at once, through the whole stack: none is lost, and names stay unique."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioning.domain.errors import StaleWriteError
from provisioning.domain.policy import Policy, WhenFull
from provisioning.services import pushing, scim_users
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import count
from tests.kit.scim_client import (
    ENTERPRISE,
    GROUP,
    ScimClient,
    connect,
    operation,
    outcome,
    refusal,
    taken,
    user,
)

WRITERS = 8


@pytest.fixture
def at_once(idp):
    """Return a function that sends requests in parallel, each with a client of its own."""

    def send(requests, client=idp):
        def one(request):
            return ScimClient(client.app, client.services, client.token)(*request)

        with ThreadPoolExecutor(WRITERS) as pool:
            return list(pool.map(one, requests))

    return send


def patching(id_, *operations):
    return ("PATCH", f"/Users/{id_}", {"Operations": list(operations)})


def test_parallel_patches_of_one_person_are_all_kept(idp, at_once):
    """Safety 6: each adds an address of its own; all succeed, all are there, each once."""
    ann = idp.create("ann", emails=[{"value": "ann@corp.example", "primary": True}])
    added = [f"a{number}@corp.example" for number in range(16)]
    answers = at_once(
        patching(ann["id"], operation("add", "emails", [{"value": address, "type": "other"}]))
        for address in added
    )
    tags = [taken(answer)["meta"]["version"] for answer in answers]
    assert tags == [answer.headers["ETag"] for answer in answers]
    assert sorted(tags) == sorted(f'W/"{number}"' for number in range(2, 18))
    found = idp.get(ann["id"])
    assert sorted(email["value"] for email in found["emails"][1:]) == sorted(added)
    assert found["meta"]["version"] == 'W/"17"'


def test_only_one_of_those_who_saw_the_same_version_writes(idp, at_once):
    """RFC 7644 3.14: If-Match is what makes a client lose, and only that."""
    ann = idp.create("ann")
    change = {"Operations": [operation("replace", "title", "Chief")]}

    def one(_number):
        client = ScimClient(idp.app, idp.services, idp.token)
        return client("PATCH", f"/Users/{ann['id']}", change, If_Match='W/"1"').status_code

    with ThreadPoolExecutor(WRITERS) as pool:
        assert Counter(pool.map(one, range(WRITERS))) == {200: 1, 412: WRITERS - 1}


def test_of_many_who_create_one_name_exactly_one_does(world, idp, at_once):
    """201 once, 409 for everybody else, naming the one; one employee, one seat, one letter."""
    answers = at_once(
        ("POST", "/Users", user("ann", externalId=f"x{number}")) for number in range(WRITERS)
    )
    created = [answer for answer in answers if answer.status_code == 201]
    assert len(created) == 1
    id_ = taken(created[0], 201)["id"]
    for answer in answers:
        if answer is not created[0]:
            assert id_ in refusal(answer, 409, "uniqueness")
    assert idp.list()["totalResults"] == 1
    assert count(world, EmployeeRecord) == world.services.reports.seats().taken == 1
    assert world.services.delivery.deliver_due() == 1


def test_of_many_who_take_one_name_exactly_one_does(idp, at_once):
    """A rename meets the same wall."""
    ids = [idp.create(f"p{number}")["id"] for number in range(WRITERS)]
    answers = at_once(patching(id_, operation("replace", "userName", "boss")) for id_ in ids)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: WRITERS - 1}
    assert len(idp.find('userName eq "boss"')) == 1


def test_many_newcomers_are_counted_and_placed_exactly(world, idp, at_once):
    """The first requests of a source, all at once: nobody is lost, nobody shares a place."""
    answers = at_once(("POST", "/Users", user(f"p{number}")) for number in range(24))
    assert Counter(answer.status_code for answer in answers) == {201: 24}
    page = idp.list()
    assert page["totalResults"] == len({found["id"] for found in page["Resources"]}) == 24
    assert idp.list(startIndex=2, count=3)["Resources"] == page["Resources"][1:4]
    assert world.services.seats.recount() == 0


def test_one_human_sent_twice_at_once_is_not_invited_twice(world, idp, at_once):
    """P3: two resources with one employee number; the second meets the first, and is disputed."""
    answers = at_once(
        ("POST", "/Users", user(f"p{number}", **{ENTERPRISE: {"employeeNumber": "7"}}))
        for number in range(WRITERS)
    )
    states = Counter(outcome(taken(answer, 201))["state"] for answer in answers)
    assert states == {"invited": 1, "none": WRITERS - 1}
    assert count(world, EmployeeRecord) == world.services.reports.seats().taken == 1


def test_the_last_seat_is_given_once(make_idp, at_once):
    """L1, L3: of eight at once one gets it; the others are told no, and leave nothing."""
    policy = Policy(when_full=WhenFull.REJECT)
    world, idp = make_idp(seats=1, policy=policy)
    requests = [("POST", "/Users", user(f"p{number}")) for number in range(WRITERS)]
    answers = at_once(requests, idp)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 403: WRITERS - 1}
    assert idp.list()["totalResults"] == count(world, EmployeeRecord) == 1


def test_coming_and_going_at_once_keeps_every_number_right(make_idp, at_once):
    """L1, L2: seats, totals and lists agree after a storm of creations and departures."""
    world, idp = make_idp(seats=6)
    ids = [idp.create(f"old{number}")["id"] for number in range(6)]
    requests = [("DELETE", f"/Users/{id_}") for id_ in ids[:3]]
    requests += [patching(id_, operation("replace", "active", False)) for id_ in ids[3:]]
    requests += [("POST", "/Users", user(f"new{number}")) for number in range(8)]
    answers = at_once(requests[::2] + requests[1::2], idp)
    assert {answer.status_code for answer in answers} <= {200, 201, 204}
    every = idp.list()
    assert every["totalResults"] == len(every["Resources"]) == 11
    world.services.waiting.serve()
    seats = world.services.reports.seats()
    assert (seats.taken, seats.invited, seats.waiting) == (6, 6, 2)
    assert world.services.seats.recount() == 0


def test_two_tokens_of_one_source_are_one_source(world, idp):
    """Both clients meet at the same row."""
    other = connect(world.services, app=idp.app)
    ann = idp.create("ann")
    with ThreadPoolExecutor(2) as pool:
        titles = pool.map(
            lambda pair: pair[0].patch(ann["id"], operation("add", *pair[1])),
            [(idp, ("title", "Chief")), (other, ("nickName", "Annie"))],
        )
        assert len(list(titles)) == 2
    found = idp.get(ann["id"])
    assert (found["title"], found["nickName"]) == ("Chief", "Annie")


def test_a_name_taken_between_look_and_write_is_a_conflict_too(idp, monkeypatch):
    """The unique index is the wall; whoever hits it is told the same 409."""
    ann, bob = idp.create("ann"), idp.create("bob")
    look = scim_users.require_unique
    looks = []

    def blind_at_first(*arguments):
        looks.append(arguments)
        if len(looks) % 2 == 0:
            look(*arguments)

    monkeypatch.setattr(scim_users, "require_unique", blind_at_first)
    posted = idp("POST", "/Users", user("ann", externalId="new"))
    renamed = idp.try_patch(bob["id"], operation("replace", "userName", "ann@corp.example"))
    for answer in (posted, renamed):
        assert ann["id"] in refusal(answer, 409, "uniqueness")
    assert idp.list()["Resources"] == [ann, bob]


@pytest.mark.parametrize("named", [None, 'W/"1"'])
def test_whoever_meets_another_writer_starts_over(idp, monkeypatch, named):
    """An employee changed meanwhile is planned for afresh, with or without If-Match."""
    ann = idp.create("ann")
    perform, failures = pushing.Provisioner.perform, []

    def stale(_self, action):
        if len(failures) < 2:
            failures.append(action)
            raise StaleWriteError("somebody else was faster")
        return perform(_self, action)

    monkeypatch.setattr(pushing.Provisioner, "perform", stale)
    change = operation("replace", "title", "Chief")
    assert taken(idp.try_patch(ann["id"], change, If_Match=named))["title"] == "Chief"
    assert len(failures) == 2


def test_whoever_meets_writers_without_end_is_asked_to_come_again(idp, monkeypatch):
    """412 is for those who named a version (RFC 7644 3.14); anybody else gets 503."""
    ann = idp.create("ann")

    def stale(*_args):
        raise StaleWriteError("somebody else was faster")

    monkeypatch.setattr(pushing.Provisioner, "perform", stale)
    change = operation("replace", "title", "Chief")
    answer = idp.try_patch(ann["id"], change)
    assert "the same user right now; nothing was changed" in refusal(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    refusal(idp.try_patch(ann["id"], change, If_Match='W/"1"'), 412)
    assert idp.get(ann["id"]) == ann


@pytest.mark.parametrize(
    ("method", "verb"), [("POST", "create"), ("PUT", "change"), ("DELETE", "delete")]
)
def test_a_group_others_are_writing_is_called_a_group(idp, monkeypatch, method, verb):
    """Whatever is done to it: the sentence is about what the request was about."""
    group = {"schemas": [GROUP], "displayName": "sales"}
    made = idp("POST", "/Groups", group).json

    def stale(*_args, **_more):
        raise StaleWriteError("somebody else was faster")

    monkeypatch.setattr(idp.services.scim_groups, verb, stale)
    path = "/Groups" if method == "POST" else f"/Groups/{made['id']}"
    assert "the same group right now; nothing was changed" in refusal(idp(method, path, group), 503)
