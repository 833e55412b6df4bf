"""Who manages whom, over nights and pushes, on SQLite and PostgreSQL."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import aliased

from provisioning.domain.policy import Policy
from provisioning.services.sources import find_source
from provisioning.storage import managers
from provisioning.storage.base import Database
from provisioning.storage.managers import resolve_managers_of_run
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import ME
from tests.kit.scim_client import ENTERPRISE, connect, operation
from tests.kit.sources import entry

BELOW = "ou=People,dc=corp,dc=example"


def dn(uid, where=BELOW):
    return f"uid={uid},{where}"


def managed(world):
    """Who is managed by whom, by name."""
    manager = aliased(EmployeeRecord)
    query = select(EmployeeRecord.display_name, manager.display_name).outerjoin(
        manager, manager.id == EmployeeRecord.manager_id
    )
    with world.services.context.database.read() as session:
        return {name: other for name, other in session.execute(query)}  # noqa: C416


def person(world, name):
    return world.services.person(world.services.reports.find(name))


def test_a_manager_is_who_the_directory_names_however_it_is_written(world):
    """P6: the order of entries, case, blanks and escapes do not matter."""
    boss = r"cn=Weber\2C Zoë, OU=people,DC=corp,dc=example"
    world.directory.add(
        entry("ann", manager=boss),
        entry("bob", manager="UID = Ann , " + BELOW),
        entry("zoe", where=f"cn=Weber\\, zoë,{BELOW}"),
    )
    world.sync()
    assert managed(world) == {"Ann": "Zoe", "Bob": "Ann", "Zoe": None}
    assert str(person(world, "Ann").manager) == "Zoe (3), invited"
    assert [one.display_name for one in person(world, "Zoe").manages] == ["Ann"]


def test_a_manager_who_is_not_here_is_waited_for(world):
    """P6: nobody is asked about; when they come they are the manager."""
    world.directory.add(entry("ann", manager=dn("zoe")))
    world.sync()
    assert managed(world) == {"Ann": None}
    assert str(person(world, "Ann").manager) == f"{dn('zoe')} (not here yet)"
    assert world.services.reports.mismatches() == []
    world.directory.add(entry("zoe"))
    world.night()
    assert managed(world) == {"Ann": "Zoe", "Zoe": None}


def test_who_never_joined_and_left_manages_nobody(world):
    """S2: their row goes, the others stay and wait for somebody of that name."""
    world.directory.add(entry("ann", manager=dn("zoe")), entry("zoe"))
    world.sync()
    world.directory.remove("zoe")
    world.night()
    assert managed(world) == {"Ann": None}
    world.directory.add(entry("zoe", anchor="another"))
    world.night()
    assert managed(world) == {"Ann": "Zoe", "Zoe": None}


def test_a_dismissed_manager_is_shown_until_the_directory_names_another(world):
    """D7: whom they managed is part of what they leave behind."""
    world.directory.add(entry("ann", manager=dn("zoe")), entry("zoe"), entry("bob"))
    world.sync()
    world.accept("Zoe")
    world.directory.remove("zoe")
    world.night()
    assert person(world, "Ann").manager.state == "dismissed"
    world.directory.add(entry("ann", manager=dn("bob")))
    world.night()
    assert managed(world)["Ann"] == "Bob"
    assert person(world, "Zoe").manages == []


def test_a_manager_who_moves_is_followed_as_far_as_the_directory_does(world):
    """P6: some servers rewrite what refers to a moved entry, others do not."""
    new = dn("zoe", "ou=Board,dc=corp,dc=example")
    world.directory.add(
        entry("ann", manager=dn("zoe")), entry("bob", manager=dn("zoe")), entry("zoe")
    )
    world.sync()
    world.directory.add(entry("zoe", where=new), entry("ann", manager=new))
    world.night()
    assert managed(world) == {"Ann": "Zoe", "Bob": None, "Zoe": None}
    world.directory.add(entry("bob", manager=new))
    world.night()
    assert managed(world) == {"Ann": "Zoe", "Bob": "Zoe", "Zoe": None}


def test_a_place_that_was_given_away_is_whose_it_is_now(world):
    """P6: a name used again means the new one, and the old one is dismissed."""
    world.directory.add(entry("ann", manager=dn("zoe")), entry("zoe"))
    world.sync()
    world.accept("Zoe")
    world.directory.remove("zoe")
    other = entry("zoe2", where=dn("zoe"), cn="Zoe Two", mail="zoe2@corp.example")
    world.directory.add(other)
    world.night()
    assert world.states() == {"Ann": "invited", "Zoe": "dismissed", "Zoe Two": "invited"}
    assert managed(world)["Ann"] == "Zoe Two"


def test_circles_and_oneself_do_no_harm(world):
    """P6: two may manage one another; nobody manages themselves."""
    world.directory.add(
        entry("ann", manager=dn("bob")),
        entry("bob", manager=dn("ann")),
        entry("zoe", manager=dn("ZOE")),
    )
    world.sync()
    assert managed(world) == {"Ann": "Bob", "Bob": "Ann", "Zoe": None}
    assert "themselves" in str(person(world, "Zoe").manager)


def test_the_authoritative_source_says_who_manages(make_world):
    """P6, D3: its word counts even when it names nobody who is here."""
    world = make_world(corp={"authoritative": False}, others={"hr": {}})
    world.directory.add(
        entry("ann", manager=dn("bob"), employeeNumber="1"), entry("bob", employeeNumber="2")
    )
    world.sync()
    assert managed(world)["Ann"] == "Bob"
    hr = world.others["hr"]
    hr.add(
        entry("a1", employeeNumber="1", cn="Ann", manager=dn("z1"), mail="ann@corp.example"),
        entry("b1", employeeNumber="2", cn="Bob", mail="bob@corp.example"),
    )
    world.night("hr")
    assert managed(world) == {"Ann": None, "Bob": None}
    assert str(person(world, "Ann").manager) == f"{dn('z1')} (not here yet)"
    hr.add(entry("z1", cn="Zoe"))
    world.night("hr")
    assert managed(world) == {"Ann": "Zoe", "Bob": None, "Zoe": None}
    hr.add(entry("a1", employeeNumber="1", cn="Ann", mail="ann@corp.example"))
    world.night("hr")
    assert managed(world)["Ann"] == "Bob"


def test_what_did_not_change_is_not_written(world):
    """R3: a second look finds nothing, and a night without news does not look."""
    world.directory.add(entry("ann", manager=dn("zoe")), entry("zoe"))
    run = world.services.runs.sync("corp", ME)
    context = world.services.context
    with context.database.read() as session:
        source = find_source(session, context, "corp").id
        before = session.scalars(select(EmployeeRecord.version).order_by(EmployeeRecord.seq)).all()
    assert resolve_managers_of_run(context.database, source, run) == 0
    world.night()
    with context.database.read() as session:
        after = session.scalars(select(EmployeeRecord.version).order_by(EmployeeRecord.seq)).all()
    assert before == after


def test_a_long_run_is_looked_at_in_parts(world, monkeypatch):
    """R5: many short transactions, and the last action is among them."""
    monkeypatch.setattr(managers, "BATCH", 2)
    world.directory.add(*(entry(f"p{n}", manager=dn(f"p{n + 1}")) for n in range(7)))
    world.sync()
    assert managed(world) == {f"P{n}": f"P{n + 1}" if n < 6 else None for n in range(7)}


@pytest.mark.parametrize("seed", range(3))
def test_any_nights_end_as_if_everybody_had_come_at_once(make_world, seed):
    """P6: what counts is what the directory says now, however it came to say it."""
    chance = random.Random(seed)
    world = make_world(
        policy=Policy(dismiss_percent=100, rolling_percent=100, missing_grace_nights=0)
    )
    names = [f"p{n}" for n in range(7)]
    places, bosses = {}, {}
    for _ in range(12):
        for name in chance.sample(names, 2):
            if name in places and chance.random() < 0.3:
                world.directory.remove(name)
                del places[name], bosses[name]
                continue
            place = dn(name, f"ou=O{chance.randrange(2)},dc=corp")
            boss = dn(chance.choice(names), f"ou=O{chance.randrange(2)},dc=corp")
            places[name], bosses[name] = place, chance.choice([boss, None])
            world.directory.add(entry(name, where=place, manager=bosses[name]))
        if places:
            world.night()
        owners = {place: name for name, place in places.items()}
        expected = {
            name.title(): (owners.get(boss) or "").title() or None if owners.get(boss) != name
            else None
            for name, boss in bosses.items()
        }  # fmt: skip
        assert managed(world) == expected


@pytest.fixture
def idp(world):
    return connect(world.services)


def test_a_push_names_managers_by_the_ids_of_resources(world, idp):
    """P6, S3: at once, and taken away at once."""
    zoe = idp.create("zoe")
    ann = idp.create("ann", **{ENTERPRISE: {"manager": {"value": zoe["id"].upper()}}})
    assert managed(world) == {"Zoe": None, "Ann": "Zoe"}
    bob = idp.create("bob")
    path = f"{ENTERPRISE}:manager"
    idp.patch(ann["id"], operation("replace", path, {"value": bob["id"]}))
    assert managed(world)["Ann"] == "Bob"
    idp.delete(bob["id"])
    assert managed(world) == {"Zoe": None, "Ann": None}
    idp.patch(ann["id"], operation("replace", path, {"value": zoe["id"]}))
    idp.patch(ann["id"], operation("remove", path))
    assert managed(world) == {"Zoe": None, "Ann": None}


def test_a_look_at_one_person_reads_no_table_of_links(sqlite_url):
    """A million links are not read because one of them was written."""
    database = Database(sqlite_url)
    bound = {"source_id": "", "this_anchor": ""}
    with database.read() as session:
        sql = str(managers._AFTER_WRITE.compile(session.get_bind()))
        order = managers._AFTER_WRITE.compile(session.get_bind()).positiontup
        values = tuple(bound.get(name, 0) for name in order)
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
    database.close()
    assert [row[3] for row in plan if row[3].startswith(("SCAN link", "SCAN employee"))] == []
