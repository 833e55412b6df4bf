"""What a write asks of the database: how many statements, not how many milliseconds.

Each number is an upper bound without the look at the token; whoever raises one says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from provisioning.services import budget
from provisioning.services.sources import find_source
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.runs import seated_people
from tests.kit.nights import count
from tests.kit.scim_client import PATCH, operation, outcome, taken, user

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"

CREATE, CHANGE, UNCHANGED = 20, 12, 7
"""With the turns and locks of PostgreSQL; SQLite needs one fewer.

One asks which brakes are on: in the transaction, so that nothing begins after one was pulled.
One of those about somebody who is known asks whether a departure or a return is held (D6, S7).
"""


@contextmanager
def counting(world) -> Iterator[list[str]]:
    """Collect the statements of a block, without those that begin and check the token."""
    said: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith("BEGIN") and " token" not in statement:
            said.append(statement)

    database = world.services.context.database
    engines = {database.engine}
    with database.read() as reading:
        engines.add(reading.get_bind())
    database.look(lambda connection: engines.add(connection.engine))
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def test_a_newcomer_costs_a_bounded_number_of_statements(world, idp):
    """P7, I1, L2: looked up by every key, seated, linked, invited and noted."""
    idp.create("bob")
    with counting(world) as said:
        assert outcome(idp.create("ann"))["state"] == "invited"
    assert len(said) <= CREATE, said


@pytest.mark.parametrize("aliases", [0, 5])
def test_a_change_costs_a_bounded_number_of_statements(world, idp, aliases):
    """P1: one attribute of somebody, however many addresses they have."""
    ann = idp.create("ann")
    others = [{"value": f"ann{number}@corp.example"} for number in range(aliases)]
    idp.put(ann["id"], user("ann", emails=[*user("ann")["emails"], *others]))
    idp.patch(ann["id"], operation("replace", "title", "Engineer"))
    with counting(world) as said:
        idp.patch(ann["id"], operation("replace", "title", "Chief"))
    assert len(said) <= CHANGE, said


def test_a_write_that_says_nothing_new_is_not_planned_for(world, idp):
    """R3: PUT and PATCH of what is there, and of what is nobody's business but the client's."""
    ann = idp.create("ann")
    idp.patch(ann["id"], operation("replace", "nickName", "Annie"))
    events = count(world, EventRecord)
    for change in (
        lambda: idp.put(ann["id"], user("ann", nickName="Annie")),
        lambda: idp.patch(ann["id"], operation("replace", "displayName", "Ann")),
        lambda: idp.patch(ann["id"], operation("replace", "nickName", "Anna")),
    ):
        with counting(world) as said:
            change()
        assert len(said) <= UNCHANGED, said
    assert count(world, EventRecord) == events


def test_dismissals_are_not_slowed_by_what_others_have_open(world, idp):
    """D1, D7: a departure costs the same, however many people there are."""
    costs = []
    for name in ("ann", "bob"):
        left = idp.create(name)
        world.accept(name.title())
        for number in range(3):
            idp.create(f"{name}{number}")
        with counting(world) as said:
            assert outcome(idp.activate(left["id"], False))["state"] == "dismissed"
        costs.append(len(said))
    assert costs[0] == costs[1]


def test_counting_the_seated_stops_where_the_limit_is_sure(world, idp):
    """D6: it costs as many people as are needed, however large the company is."""
    for number in range(9):
        idp.create(f"p{number}")
    context = world.services.context
    with context.database.read() as session:
        source = find_source(session, context, idp.source)
        counts = [seated_people(session, source, at_most=most) for most in (None, 20, 9, 4)]
    assert counts == [9, 9, 9, 4]


def test_a_removal_is_judged_without_counting_everybody(world, idp, monkeypatch):
    """D6: the first three count nobody, the fourth as many as make five percent of four."""
    asked = []

    def noting(session, source, *, at_most=None):
        asked.append(at_most)
        return seated_people(session, source, at_most=at_most)

    monkeypatch.setattr(budget, "seated_people", noting)
    people = [idp.create(f"p{number}") for number in range(5)]
    world.services.delivery.deliver_due()
    for one in people[:4]:
        idp.activate(one["id"], False)
    assert asked == [77]


def test_a_bulk_request_reads_no_resource_it_does_not_answer(world, idp):
    """RFC 7644 3.7: place and version; who is in a group costs another look alone."""
    ann = idp.create("ann")
    idp.group("Sales", ann)
    with counting(world) as alone:
        idp.patch(ann["id"], operation("replace", "title", "Engineer"))
    change = {"schemas": [PATCH], "Operations": [operation("replace", "title", "Chief")]}
    path = f"/Users/{ann['id']}"
    one = {"method": "PATCH", "path": path, "data": change}
    with counting(world) as together:
        taken(idp("POST", "/Bulk", {"schemas": [BULK], "Operations": [one]}))
    assert len(together) == len(alone) - 1
