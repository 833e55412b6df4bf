"""Many writers at once: no interleaving takes a seat too many, loses a write, or runs twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from provisioning.domain.errors import BusyError, StaleWriteError
from provisioning.services.context import Actor
from provisioning.storage.claims import _claim
from provisioning.storage.models.accounts import InvitationRecord
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import SeatCounterRecord, SourceRecord
from provisioning.storage.models.runs import RunActionRecord, RunRecord, RunState
from provisioning.storage.workers import _start_of, worker_name
from tests.kit.nights import KilledError, count, killed_after
from tests.kit.scim_people import scim_person
from tests.kit.sources import entry

ME = Actor("anna", "cli")


def test_sixteen_writers_and_fifty_seats_seat_exactly_fifty(make_world):
    """L1, L2, L3: 1,000 joins over SCIM at once; 950 wait in the order in which they came."""
    world = make_world(seats=50)
    services = world.services
    services.tokens.create("idp", ME, first_run="apply")
    with services.context.database.read() as session:
        source_id = session.scalars(select(SourceRecord.id).where(SourceRecord.name == "idp")).one()

    def join(number):
        return services.scim_users.create(source_id, scim_person(number), ME)

    with ThreadPoolExecutor(16) as pool:
        views = list(pool.map(join, range(1_000)))
    assert len({view.uuid for view in views}) == 1_000
    seats = services.reports.seats()
    assert (seats.taken, seats.invited, seats.waiting, seats.queued) == (50, 50, 950, 950)
    line = services.reports.waitlist()
    assert [row.position for row in line] == list(range(1, 951))
    assert [row.number for row in line] == list(range(51, 1_001))
    assert count(world, InvitationRecord) == 50
    assert services.seats.recount() == 0
    services.seats.set_limit(60, ME)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: services.waiting.serve(), range(4))) == 10
    assert [row.number for row in services.reports.waitlist()] == list(range(61, 1_001))
    assert services.seats.recount() == 0


def test_parallel_changes_of_one_person_all_count(make_world):
    """L1, R5: sixteen changes under the row lock, sixteen versions."""
    services = make_world().services
    services.tokens.create("idp", ME, first_run="apply")
    with services.context.database.read() as session:
        source_id = session.scalars(select(SourceRecord.id).where(SourceRecord.name == "idp")).one()
    view = services.scim_users.create(source_id, scim_person(1), ME)

    def change(number):
        def rewrite(_old, id_, _active):
            return replace(scim_person(1)(id_), document=b"{%d}" % number)

        return services.scim_users.change(source_id, view.uuid, rewrite, ME).version

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(change, range(16)))
    assert (view.version, sorted(versions)) == (1, list(range(2, 18)))
    again = services.scim_users.change(
        source_id, view.uuid, lambda old, id_, _: replace(scim_person(1)(id_), document=old), ME
    )
    assert again.version == 17


def test_if_match_refuses_a_version_that_is_gone(make_world):
    """A stale write is refused, and says which version there is."""
    services = make_world().services
    services.tokens.create("idp", ME, first_run="apply")
    with services.context.database.read() as session:
        source_id = session.scalars(select(SourceRecord.id).where(SourceRecord.name == "idp")).one()
    view = services.scim_users.create(source_id, scim_person(1), ME)
    with pytest.raises(StaleWriteError, match="read it again"):
        services.scim_users.change(
            source_id,
            view.uuid,
            lambda _old, id_: scim_person(1)(id_),
            ME,
            expected_version=view.version + 1,
        )


def set_worker(context, name):
    with context.database.write() as session:
        session.execute(update(RunRecord).values(worker=name))


def test_a_living_process_keeps_its_run(world):
    """R6: the same run cannot be applied by two processes."""
    world.directory.add(entry("ann"))
    run_id = world.services.runs.plan("corp", ME)
    context = world.services.context
    _claim(context.database, context.intranet_id, run_id, context.now())
    host = worker_name().partition(":")[0]
    set_worker(context, f"{host}:1:{_start_of(1)}")
    with pytest.raises(BusyError, match="is being applied by"):
        world.services.runs.apply(run_id, ME)


def test_a_process_that_got_the_number_of_a_dead_one_does_not_keep_its_run(world):
    """R5: in a container every process has the number of the one before."""
    world.directory.add(entry("ann"))
    run_id = world.services.runs.plan("corp", ME)
    context = world.services.context
    _claim(context.database, context.intranet_id, run_id, context.now())
    host = worker_name().partition(":")[0]
    set_worker(context, f"{host}:1:12345678901")
    assert world.services.runs.apply(run_id, ME) == RunState.APPLIED


def test_two_runs_of_one_source_are_never_applied_at_once(world):
    """R6: the database refuses the second, whatever the code thought."""
    world.directory.add(entry("ann"))
    first = world.services.runs.plan("corp", ME)
    second = world.services.runs.plan("corp", ME)
    context = world.services.context
    _claim(context.database, context.intranet_id, first, context.now())
    with pytest.raises(BusyError, match="another run"):
        _claim(context.database, context.intranet_id, second, context.now())


def test_a_run_of_a_dead_process_is_resumed_where_it_stopped(world):
    """R5: what was done stays done, the rest is done now."""
    world.directory.add(*(entry(f"p{n}") for n in range(6)))
    run_id = world.services.runs.plan("corp", ME)

    with pytest.raises(KilledError):
        world.services.runs.apply(run_id, ME, killed_after(3))
    assert len(world.states()) == 3
    assert world.services.runs.resume("corp", ME) == run_id
    assert len(world.states()) == 6
    assert world.services.run_reports.plan(run_id).state == "applied"


def test_an_employee_changed_since_planning_is_left_for_the_next_run(world):
    """R4: a stale action has drifted; it is not forced."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.directory.add(entry("ann", departmentNumber="Sales"))
    run_id = world.services.runs.plan("corp", ME)
    context = world.services.context
    _claim(context.database, context.intranet_id, run_id, context.now())
    with context.database.write() as session:
        ann = session.scalars(
            select(EmployeeRecord).where(EmployeeRecord.display_name == "Ann")
        ).one()
        ann.pinned = True
        run = session.get_one(RunRecord, run_id)
        run.settled = True
        session.execute(update(RunActionRecord).values(status="due"))
    world.services.runs.resume("corp", ME)
    report = world.services.run_reports.plan(run_id)
    assert [action.status for action in report.actions] == ["drifted"]
    assert report.state == RunState.APPLIED


def test_the_ledger_cannot_go_below_zero(world):
    """L1: the database refuses what no code should ask."""
    context = world.services.context
    with pytest.raises(Exception, match=r"taken_not_negative|CHECK"), context.database.write() as s:
        s.execute(update(SeatCounterRecord).values(taken=-1))


def test_a_recount_corrects_the_ledger_and_says_so(world):
    """L7: the difference is audited."""
    world.directory.add(entry("ann"))
    world.sync()
    with world.services.context.database.write() as session:
        session.execute(update(SeatCounterRecord).values(taken=7))
    assert world.services.seats.recount(ME) == -6
    assert world.services.reports.seats().taken == 1
