"""What somebody leaves behind is told before it happens, and after (D7)."""

from __future__ import annotations

import pytest

from provisioning.storage.models.accounts import TaskRecord, TaskRole, TaskRoleRecord, TaskState
from tests.kit.nights import ME
from tests.kit.sources import entry

BOSS = "uid=bob,ou=People,dc=corp,dc=example"
HEAD = "uid=hal,ou=People,dc=corp,dc=example"


@pytest.fixture
def office(world):
    """Ann, who has a task and manages cid; her manager is bob, and hal manages most in Sales."""
    sales = {"departmentNumber": "Sales"}
    ann = "uid=ann,ou=People,dc=corp,dc=example"
    world.directory.add(
        entry("ann", manager=BOSS, **sales),
        entry("bob"),
        entry("cid", manager=ann, **sales),
        entry("dan", manager=HEAD, **sales),
        entry("eve", manager=HEAD, **sales),
        entry("hal", **sales),
    )
    world.sync()
    world.accept(*(f"{name}@corp.example" for name in ("ann", "bob", "cid", "hal")))
    context = world.services.context
    with context.database.write() as session:
        task = TaskRecord(
            intranet_id=context.intranet_id,
            title="Books",
            state=TaskState.OPEN,
            created_at=world.clock.now(),
        )
        session.add(task)
        session.flush()
        id_ = world.services.reports.find("ann")
        session.add(TaskRoleRecord(task_id=task.id, role=TaskRole.RESPONSIBLE, employee_id=id_))
    return world


def told(world, name="ann"):
    return str(world.services.person(world.services.reports.find(name)).left_behind)


def test_their_manager_is_the_proposed_heir_before_and_after(office):
    """D7: tasks by role, people they manage; "Complete profile" is nobody's to inherit."""
    said = "1 task(s) as responsible, 1 managed; proposed heir: Bob, their manager"
    assert told(office) == said
    assert told(office, "cid") == ""
    office.directory.remove("ann")
    plan = office.services.run_reports.plan(office.services.runs.plan("corp", ME))
    assert [str(action.left_behind) for action in plan.actions] == [said]
    assert office.night().state == "applied"
    assert told(office) == said


def test_who_leaves_by_the_same_plan_inherits_nothing(office):
    """D7: then the head of the department does."""
    office.directory.remove("ann", "bob")
    plan = office.services.run_reports.plan(office.services.runs.plan("corp", ME))
    of = {action.person: str(action.left_behind) for action in plan.actions}
    assert of["ann"].endswith("proposed heir: Hal, head of Sales")
    office.directory.remove("hal")
    plan = office.services.run_reports.plan(office.services.runs.plan("corp", ME))
    of = {action.person: str(action.left_behind) for action in plan.actions}
    assert of["ann"].endswith("proposed heir: nobody known")
