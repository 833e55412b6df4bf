"""Whom a reading has news of: a test per row of the table of the stager, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from connectors.cel.compiler import CelCompiler
from provisioning.domain.mapping import compile_mapping
from provisioning.domain.people import RawPerson
from provisioning.services.sources import find_source
from provisioning.storage.models.runs import RunPersonRecord, RunRecord, RunState
from provisioning.storage.presence import Presence
from provisioning.storage.staging import Stager, drop_staged
from tests.kit.sources import entry
from tests.kit.world import RULES


@pytest.fixture
def stage(world):
    """Stage the directory as it is now; returns what was written down, by anchor."""
    context = world.services.context

    def staged(*people, rules=RULES, complete=True):
        with context.database.write() as session:
            source = find_source(session, context, "corp")
            run = RunRecord(
                intranet_id=context.intranet_id, source_id=source.id, state=RunState.FAILED,
                counts={}, started_by="test", started_at=context.now(),
            )  # fmt: skip
            session.add(run)
            session.flush()
        with Presence() as presence:
            stager = Stager(
                database=context.database, run_id=run.id, source_id=source.id, source="corp",
                mapping=compile_mapping(rules, CelCompiler()), now=context.now(),
                presence=presence,
            )  # fmt: skip
            stager.stage(people or world.directory.read())
            if complete:
                stager.stage_missing()
        with context.database.write() as session:
            rows = session.scalars(
                select(RunPersonRecord).where(RunPersonRecord.run_id == run.id)
            ).all()
            drop_staged(session, run.id)
        return {row.anchor: row for row in rows}

    return staged


@pytest.fixture
def staff(world):
    """Ann, Bob and Cid are invited."""
    world.directory.add(entry("ann"), entry("bob"), entry("cid"))
    world.sync()


@pytest.mark.usefixtures("staff")
def test_who_did_not_change_is_written_down_nowhere(stage):
    """R1: a million people who are as they were cost no row."""
    assert stage() == {}


@pytest.mark.usefixtures("staff")
def test_who_changed_or_is_new_is_mapped(world, stage):
    """P1, P7: only they are looked at."""
    world.directory.add(entry("bob", cn="Robert"), entry("dan"))
    rows = stage()
    assert {name: row.person["display_name"] for name, row in rows.items()} == {
        "id-bob": "Robert",
        "id-dan": "Dan",
    }


@pytest.mark.usefixtures("staff")
def test_other_rules_make_everybody_news(stage):
    """R8: another mapping, and everybody is mapped again."""
    assert len(stage(rules=RULES | {"title": "description"})) == 3


@pytest.mark.usefixtures("staff")
def test_who_is_missing_is_written_down_as_such_by_a_complete_reading(world, stage):
    """R2, D1: and by no other."""
    world.directory.remove("ann")
    assert [(row.missing, row.vouched) for row in stage().values()] == [(True, False)]
    assert stage(complete=False) == {}


@pytest.mark.usefixtures("staff")
def test_who_was_dismissed_long_ago_is_missed_by_nobody(world, stage):
    """D1: those who left years ago cost no row, night after night."""
    world.accept("Ann")
    world.directory.remove("ann")
    world.night()
    assert world.states()["Ann"] == "dismissed"
    assert stage() == {}


@pytest.mark.usefixtures("staff")
def test_who_comes_twice_is_unreadable(world, stage):
    """Promise 7: two entries with one id are a finding, not a choice between them."""
    ann = entry("ann")
    twin = RawPerson(ann.anchor, "uid=ann,ou=Elsewhere", ann.attributes)
    rows = stage(ann, entry("bob"), entry("cid"), twin)
    assert [(row.problem, row.person) for row in rows.values()] == [
        ("two entries of the directory have id-ann", None)
    ]


def test_a_night_without_news_writes_nothing_about_people(world):
    """R3: whatever the number of people, no statement but the run's own writes."""
    world.directory.add(*(entry(f"p{number}") for number in range(30)))
    world.sync()
    written = []
    engine = world.services.context.database.engine

    @event.listens_for(engine, "before_cursor_execute")
    def _write_down(_connection, _cursor, statement, *_):
        words = statement.split()
        if words[0] in ("INSERT", "UPDATE", "DELETE"):
            written.append(words[2 if words[0] != "UPDATE" else 1].strip('"'))

    world.clock.advance(timedelta(days=1))
    world.sync()
    assert not {"employee", "event", "address", "invitation", "outbox"} & set(written)
    assert written.count("run_person") <= 1  # what is dropped at the end


@pytest.mark.usefixtures("staff")
def test_a_person_back_under_a_new_id_is_known_by_who_is_absent(world):
    """P2: the old entry is gone for good, so the new one is the same employee."""
    world.directory.add(entry("eve", employeeNumber="7"))
    world.night()
    world.accept("Eve")
    world.directory.remove("eve")
    world.night()
    world.directory.add(entry("eve", anchor="id-new", employeeNumber="7"))
    plan = world.night()
    assert [(action.action, action.person) for action in plan.actions] == [("hire_back", "eve")]
    assert world.states()["Eve"] == "active"
