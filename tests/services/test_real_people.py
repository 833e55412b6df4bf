"""One person, and another mapping for everybody, over each kind of real directory (R8, R9)."""

from __future__ import annotations

from functools import partial

import pytest

from connectors.factory import make_readable
from provisioning.domain.errors import NotFoundError
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import ME
from tests.kit.world import make_world


@pytest.fixture
def branch(ldap_server):
    """A part of each kind of directory, with three people."""
    return ldap_server.branch(3)


@pytest.fixture
def world(branch, sqlite_url):
    """An Usher that has read them once."""
    make = partial(make_readable, "corp", "ldap", branch.options())
    directory, mapping = make({})
    world = make_world(sqlite_url, corp={"directory": directory, "mapping": mapping, "make": make})
    world.sync()
    yield world
    world.services.context.database.close()


def test_one_person_is_found_traced_and_done_alone(world, branch):
    """R9: found by name, in scope, mapped, matched, decided; the others stay as they are."""
    branch.modify("u0", "u1", title="Boss")
    on_demand = world.services.on_demand
    trace = on_demand.trace("corp", "U1@corp.example", ME)
    assert (trace.is_decided, trace.match.how) == (True, "linked")
    assert branch.unit("People").lower() in trace.entry.scope.lower()
    [title] = [step for step in trace.rules if step.field == "title"]
    assert (title.raw, title.value) == ({"title": ("Boss",)}, "Boss")
    [update] = trace.decisions
    assert [(c.name, c.old, c.new) for c in update.changes] == [("title", "Engineer", "Boss")]
    done = on_demand.run("corp", trace.entry.id, ME, digest=trace.digest)
    assert done.done
    assert titles(world) == {"Tim U0": "Engineer", "Tim U1": "Boss", "Tim U2": "Engineer"}
    branch.disable("u2")
    [leaving] = on_demand.trace("corp", "u2@corp.example", ME).decisions
    assert leaving.action == "revoke"


def test_whoever_is_out_of_scope_is_explained_and_nothing_follows(world, branch):
    """R9, R2: in another unit, and deleted: neither of them has left by one look."""
    address = f"{branch.base[3:].partition(',')[0]}@corp.example"
    branch.modify("u0", mail=address)
    branch.move("u0", "Contractors")
    trace = world.services.on_demand.trace("corp", address, ME)
    assert "(base_dn)" in trace.entry.scope
    assert (trace.decisions, trace.match) == ((), None)
    branch.delete("u0")
    with pytest.raises(NotFoundError, match="only a complete reading says that somebody left"):
        world.services.on_demand.trace("corp", "Tim U0", ME)
    assert world.states()["Tim U0"] == "invited"


def test_another_mapping_is_counted_over_everybody_with_what_it_reads(world, branch):
    """R8: attributes that only the new rules read are read for it; nothing is written."""
    branch.modify("u1", description="on the moon")
    rules = {"title": {"expr": 'joinNonEmpty([first("title"), first("description")], ", ")'}}
    counted = world.services.mappings.effect("corp", rules)
    assert (counted.effect.read, counted.effect.changed) == (3, 1)
    [title] = counted.effect.fields
    assert [(e.who, e.old, e.new) for e in title.examples] == [
        ("Tim U1", "Engineer", "Engineer, on the moon")
    ]
    assert len(world.services.mappings.test("corp", rules, sample=2)) == 2
    world.services.mappings.save("corp", rules, counted.seen, ME)
    plan = world.sync()
    assert (plan.state, plan.rules_changed, plan.counts["update"]) == ("ready", True, 1)
    world.services.runs.apply(plan.run, ME)
    assert titles(world)["Tim U1"] == "Engineer, on the moon"


def titles(world):
    with world.services.context.database.read() as session:
        return dict(session.query(EmployeeRecord.display_name, EmployeeRecord.title).all())
