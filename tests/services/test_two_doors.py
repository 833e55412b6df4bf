"""One human through two doors at once is one employee, or a question; never two (P2, P3)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import SourceRecord
from tests.kit.nights import ME, count, kinds
from tests.kit.scim_people import scim_person
from tests.kit.sources import entry

DOORS = 4


@pytest.fixture
def sources(world):
    """The ids of four sources that push."""
    for number in range(DOORS):
        world.services.tokens.create(f"idp{number}", ME, first_run="apply")
    with world.services.context.database.read() as session:
        rows = session.execute(select(SourceRecord.name, SourceRecord.id)).all()
    return {name: id_ for name, id_ in rows if name.startswith("idp")}


def numbered(source):
    """Person 7 as a source pushes them, with an employee number."""

    def build(id_):
        write = scim_person(7)(id_)
        anchor = write.person.id._replace(source=source)
        return replace(write, person=replace(write.person, id=anchor, employee_number="7"))

    return build


def test_providers_that_push_one_human_at_once_make_one_employee(world, sources):
    """P2: a strong key links whoever comes second, however close behind."""

    def push(source):
        return world.services.scim_users.create(sources[source], numbered(source), ME)

    with ThreadPoolExecutor(DOORS) as doors:
        views = list(doors.map(push, sources))
    assert len({view.id for view in views}) == DOORS
    assert count(world, EmployeeRecord) == 1
    assert world.services.reports.seats().taken == 1


def test_who_is_pushed_while_a_run_is_applied_is_not_invited_twice(world, sources):
    """P3: the run's action has drifted, and the next plan knows who they are."""
    world.directory.add(entry("ann"), entry("zoe", employeeNumber="7"))
    run = world.services.runs.plan("corp", ME)

    def push_zoe(done, _all):
        if done == 1:
            world.services.scim_users.create(sources["idp0"], numbered("idp0"), ME)

    world.services.runs.apply(run, ME, push_zoe)
    report = world.services.run_reports.plan(run)
    assert [action.status for action in report.actions] == ["done", "drifted"]
    assert "another source" in (report.actions[1].error or "")
    assert count(world, EmployeeRecord) == 2
    assert kinds(world.night()) == {"update": 1}
    assert count(world, EmployeeRecord) == 2
