"""Requests that wait for the rows of others, on PostgreSQL: nobody is left behind, or for ever."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from provisioning.services import pushing, scim_groups, scim_users
from provisioning.storage.locks import locked
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.scim import ScimMemberRecord, ScimUserRecord
from tests.kit.nights import ME
from tests.kit.scim_client import (
    ScimClient,
    as_members,
    connect,
    employee_of,
    member_ids,
    operation,
    taken,
)
from tests.kit.world import make_world


@pytest.fixture
def idp(postgresql_url):
    """SQLite has one writer at a time: nobody comes in between."""
    world = make_world(postgresql_url)
    yield connect(world.services)
    world.services.context.database.close()


def adding(idp, group, resource):
    """Put somebody into a group, from a client of its own."""
    other = ScimClient(idp.app, idp.services, idp.token)
    other.patch_group(group["id"], operation("add", "members", as_members(resource)))


def between(monkeypatch, module, work):
    """Do some work once, after the groups were left and before who leaves them is locked."""
    leave, done = module.leave_groups, []

    def left(*arguments):
        leave(*arguments)
        if not done:
            done.append(work())

    monkeypatch.setattr(module, "leave_groups", left)


def somebody_waits(connection):
    waiting = select(func.count()).select_from(text("pg_locks")).where(text("NOT granted"))
    return connection.scalar(waiting) > 0


def members(idp):
    """Every member there is, by rows."""
    with idp.services.context.database.read() as session:
        return list(session.scalars(select(ScimMemberRecord.member_id)))


def test_who_is_deleted_while_a_group_takes_them_in_is_in_no_group(idp, monkeypatch):
    """D1: gone from groups, also from the one that was written a moment before."""
    ann, sales = idp.create("ann"), idp.group("Sales")
    between(monkeypatch, scim_users, lambda: adding(idp, sales, ann))
    idp.delete(ann["id"])
    assert members(idp) == []
    assert member_ids(idp.get_group(sales["id"])) == set()


def test_a_group_that_is_deleted_while_another_takes_it_in_is_in_no_group(idp, monkeypatch):
    """No group keeps a member that is nothing."""
    inner, outer = idp.group("Inner"), idp.group("Outer")
    between(monkeypatch, scim_groups, lambda: adding(idp, outer, inner))
    assert idp("DELETE", f"/Groups/{inner['id']}").status_code == 204
    assert members(idp) == []
    assert member_ids(idp.get_group(outer["id"])) == set()


def test_groups_put_into_each_other_at_once_make_no_circle(idp):
    """Each reaches for the next one's row; nobody waits for whoever waits for them."""
    groups = [idp.group(f"G{number}") for number in range(4)]
    start = Barrier(len(groups))

    def put(place):
        client = ScimClient(idp.app, idp.services, idp.token)
        change = operation("add", "members", as_members(groups[place - 1]))
        start.wait(60)
        return client.try_patch_group(groups[place]["id"], change)

    with ThreadPoolExecutor(len(groups)) as pool:
        answers = list(pool.map(put, range(len(groups))))
    assert Counter(answer.status_code for answer in answers) == {200: 3, 400: 1}
    assert len(members(idp)) == 3
    for answer in answers:
        if answer.status_code == 200:
            assert taken(answer)["members"]


def test_whoever_is_sent_away_from_a_circle_of_waiting_begins_again(idp, monkeypatch):
    """Safety 6: a deadlock undoes one of two transactions; its request is done all the same."""
    ann = idp.create("ann")
    database, employee_id = idp.services.context.database, employee_of(idp.services, ann)
    perform, holding, done = pushing.Provisioner.perform, Event(), []

    def other():
        with database.write() as session:
            # It is not the one who notices.
            session.execute(text("SET LOCAL deadlock_timeout = '1h'"))
            locked(session, EmployeeRecord, employee_id)
            holding.set()
            locked(session, ScimUserRecord, UUID(ann["id"]))

    def after_the_other(provisioner, action):
        done.append(action)
        if len(done) == 1:
            thread.submit(other)
            assert holding.wait(60)
            while not database.look(somebody_waits):
                pass
        return perform(provisioner, action)

    with ThreadPoolExecutor(1) as thread:
        monkeypatch.setattr(pushing.Provisioner, "perform", after_the_other)
        assert idp.patch(ann["id"], operation("replace", "title", "Chief"))["title"] == "Chief"
    assert len(done) == 2


def test_a_source_released_while_a_request_waits_is_released_for_it(postgresql_url):
    """I10: who is invited after the release gets their letter; the wait had begun before it."""
    world = make_world(postgresql_url)
    idp = connect(world.services, first_run="plan")
    ann = idp.create("ann", active=False)
    database = world.services.context.database
    holding, release = Event(), Event()

    def hold():
        with database.write() as session:
            locked(session, ScimUserRecord, UUID(ann["id"]))
            holding.set()
            assert release.wait(30)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(hold)
        assert holding.wait(60)
        waiting = threads.submit(idp.activate, ann["id"], True)
        while not database.look(somebody_waits):
            pass
        world.services.invitations.release(idp.source, ME)
        release.set()
        first.result(30)
        assert waiting.result(30)["active"] is True
    assert world.services.delivery.deliver_due() == 1
    database.close()
