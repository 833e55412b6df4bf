"""Departments and teams, as targets read them from pushed groups."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from provisioning.domain.errors import NotFoundError
from provisioning.services.departments import DepartmentService
from tests.kit.scim_client import connect, employee_of, operation
from tests.kit.sources import entry


@pytest.fixture
def idp(world):
    return connect(world.services)


def service(idp, pattern="^Dept (.+)$"):
    return DepartmentService(replace(idp.services.context, department_groups=pattern))


def drawn(idp, pattern="^Dept (.+)$"):
    """The tree as indented lines, teams with a star."""
    lines, depths = [], {None: -1}
    for unit in service(idp, pattern).tree():
        depths[unit.id] = depths[unit.parent] + 1 if unit.is_department else 0
        lines.append("  " * depths[unit.id] + unit.name + ("" if unit.is_department else " *"))
    return lines


def test_the_tree_follows_nested_groups(idp):
    """A team in between is passed through; the oldest of several containers is the one above."""
    berlin, team = idp.group("Dept Berlin"), idp.group("Runners")
    europe = idp.group("Dept Europe", berlin, team)
    idp.group("Dept World", europe)
    idp.group("Dept Cities", berlin)
    inner = idp.group("Dept Trails")
    idp.patch_group(team["id"], operation("add", "members", [{"value": inner["id"]}]))
    assert drawn(idp) == [
        "World", "  Europe", "    Berlin", "    Trails", "Cities", "Runners *",
    ]  # fmt: skip


def test_renaming_a_group_renames_or_makes_a_department(idp):
    """Nothing is stored twice: the tree is of this moment."""
    sales = idp.group("Sales")
    assert drawn(idp) == ["Sales *"]
    idp.patch_group(sales["id"], operation("replace", "displayName", "Dept Sales"))
    assert drawn(idp) == ["Sales"]
    assert drawn(idp, "Sales$") == ["Dept Sales"]
    assert drawn(idp, "") == ["Dept Sales *"]
    idp("DELETE", f"/Groups/{sales['id']}")
    assert drawn(idp) == []


def test_members_are_employees(idp):
    """People are counted and listed as employees; whoever is deleted is gone."""
    ann, bob = idp.create("ann"), idp.create("bob")
    sales = idp.group("Dept Sales", bob, ann)
    (unit,) = service(idp).tree()
    assert (unit.source, unit.people) == ("idp", 2)
    expected = [employee_of(idp.services, one) for one in (ann, bob)]
    assert list(service(idp).employees(unit.id)) == expected
    assert str(unit.id) == sales["id"]
    idp.delete(ann["id"])
    assert list(service(idp).employees(unit.id)) == expected[1:]
    with pytest.raises(NotFoundError):
        list(service(idp).employees(uuid4()))


def test_departments_of_people_are_a_tree_of_their_paths(make_world):
    """P6: of all sources, by the word that counts; spellings that differ by case are one."""
    world = make_world(others={"hr": {"authoritative": False}})
    world.directory.add(
        entry("ann", departmentNumber="Sales / Berlin", employeeNumber="1"),
        entry("bob", departmentNumber="Sales / Berlin"),
        entry("cid", departmentNumber="sales / BERLIN"),
        entry("dan", departmentNumber="Sales"),
        entry("eve"),
    )
    world.others["hr"].add(
        entry("a1", cn="Ann", mail="a1@corp.example", departmentNumber="HR", employeeNumber="1"),
        entry("fay", departmentNumber="IT / Ops"),
    )
    world.sync()
    world.sync("hr")
    units = world.services.departments.tree()
    names = {unit.id: unit.name for unit in units}
    assert [(names.get(u.parent), u.name, u.people, u.source) for u in units] == [
        (None, "IT", 0, ""),
        ("IT", "Ops", 1, "hr"),
        (None, "Sales", 1, "corp"),
        ("Sales", "Berlin", 3, "corp, hr"),
    ]
    berlin = next(unit for unit in units if unit.name == "Berlin")
    found = [
        world.services.person(one).display_name
        for one in world.services.departments.employees(berlin.id)
    ]
    assert found == ["Ann", "Bob", "Cid"]
    it = next(unit for unit in units if unit.name == "IT")
    assert list(world.services.departments.employees(it.id)) == []


def test_a_department_whose_people_left_is_gone(world):
    """S5: the dismissed are in none, and a department is its people."""
    world.directory.add(entry("ann", departmentNumber="Sales"), entry("bob", departmentNumber="IT"))
    world.sync()
    world.accept("Ann", "Bob")
    world.directory.remove("ann")
    world.sync()
    assert [unit.name for unit in world.services.departments.tree()] == ["IT"]
