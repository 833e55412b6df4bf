"""Lists: the same rows on every page, command and file."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from provisioning.domain.employees import EmployeeState
from provisioning.domain.errors import NotFoundError
from provisioning.services.demo import clear_demo
from provisioning.storage.base import Base
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import SeatDayRecord
from tests.kit.nights import ME
from tests.kit.sources import entry


@pytest.fixture
def company(world):
    """Twelve people, one of them with umlauts, one dismissed."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(10)))
    world.directory.add(entry("jw", cn="Jürgen Weiß", mail="juergen@corp.example"))
    world.directory.add(entry("gone"))
    world.sync()
    world.accept("gone@corp.example")
    world.directory.remove("gone")
    world.night()
    return world


def test_pages_show_everyone_once(company):
    """Paging is by the employee's number, so that changes in between lose nobody."""
    seen, after = [], 0
    while rows := company.services.reports.people(after=after, limit=4):
        seen += [row.number for row in rows]
        after = rows[-1].number
    assert len(seen) == len(set(seen)) == 11


def test_the_dismissed_are_shown_only_when_asked_for(company):
    """S5."""
    reports = company.services.reports
    assert "Gone" not in {row.display_name for row in reports.people()}
    dismissed = reports.people(state=EmployeeState.DISMISSED)
    assert [row.display_name for row in dismissed] == ["Gone"]
    assert [row.display_name for row in reports.people(search="gone@")] == ["Gone"]


@pytest.mark.parametrize("search", ["JÜRGEN", "weiß", "juergen@", "jw", "id-jw"])
def test_a_search_finds_by_name_address_user_name_and_id(company, search):
    found = company.services.reports.people(search=search)
    assert [row.display_name for row in found] == ["Jürgen Weiß"]


@pytest.mark.parametrize("search", ["%", "_", "\\", "' OR 1=1 --", "%25", "\0", "\udcff"])
def test_a_search_takes_wildcards_as_letters(company, search):
    """Safety 17: nothing is found by a joker."""
    assert company.services.reports.people(search=search) == []


def test_somebody_is_found_by_number_id_name_or_address(company):
    reports = company.services.reports
    employee_id = reports.find("juergen@corp.example")
    assert reports.find("jw") == reports.find(str(employee_id)) == employee_id
    number = company.services.person(employee_id).number
    assert reports.find(str(number)) == employee_id


@pytest.mark.parametrize(
    "key", ["nobody@corp.example", "9999", "", "9" * 30, str(UUID(int=7)), "a\0", "\udcff"]
)
def test_nobody_is_said_to_be_nobody(company, key):
    with pytest.raises(NotFoundError, match="no employee"):
        company.services.reports.find(key)


def test_two_with_one_name_are_not_guessed(world):
    world.directory.add(entry("ann", cn="Ann Weber"), entry("ann2", cn="Ann Weber"))
    world.sync()
    with pytest.raises(NotFoundError, match="2 people match"):
        world.services.reports.find("Ann Weber")


def test_one_person_shows_every_address_with_its_reason(world):
    """E1, E4: what is unknown is shown as unknown."""
    world.directory.add(
        entry("ann", mailbox="ann.webre@corp.example", mail="ann.weber@corp.example")
    )
    world.sync()
    person = world.services.person(world.services.reports.find("ann"))
    shown = {line.role: (line.value, line.difference) for line in person.addresses}
    assert shown == {
        "login": (None, None),
        "contact": ("ann.weber@corp.example", None),
        "mailbox": ("ann.webre@corp.example", "typo"),
        "directory": ("ann.weber@corp.example", None),
    }
    assert person.addresses[0].note.startswith("no account is bound")
    assert [event.kind for event in person.timeline] == ["invited"]


def test_another_intranets_people_are_not_there(company, database_url):
    """One cannot see the other."""
    from tests.kit.services import make_services

    other = make_services(database_url, slug="other")
    employee_id = company.services.reports.find("jw")
    with pytest.raises(NotFoundError):
        other.person(employee_id)
    with pytest.raises(NotFoundError):
        other.reports.find("jw")
    with pytest.raises(NotFoundError):
        other.run_reports.plan(1)
    assert other.reports.people() == []
    other.context.database.close()


def test_a_source_that_went_away_with_the_demo_leaves_nothing_behind(company):
    """`usher demo --clear`: people, letters, runs, findings."""
    context = company.services.context
    company.services.seats.recount()
    company.clock.advance(timedelta(days=1))
    assert clear_demo(context, "corp") == 12
    assert clear_demo(context, "corp") == 0
    kept = {"alembic_version", "intranet", "seat_counter", "event", "account", "identity"}
    kept |= {"session", "seat_day"}
    with context.database.read() as session:
        left = {
            name: session.scalar(select(func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
            if name not in kept
        }
        seats = session.scalars(select(SeatDayRecord.taken)).all()
    assert {name: number for name, number in left.items() if number} == {}
    assert company.services.reports.seats().taken == 0
    assert seats == [0], "the forecast begins anew (L8)"


def test_people_whom_another_source_knows_outlive_the_demo(company):
    from provisioning.storage.models.employees import LinkRecord
    from provisioning.storage.models.intranets import SourceRecord

    company.services.tokens.create("idp", ME, first_run="apply")
    employee_id = company.services.reports.find("jw")
    context = company.services.context
    with context.database.write() as session:
        idp = session.scalars(select(SourceRecord).where(SourceRecord.name == "idp")).one()
        session.add(
            LinkRecord(
                source_id=idp.id,
                anchor="x",
                employee_id=employee_id,
                applied={},
                user_name="jw",
                user_name_key="jw",
                linked_at=context.now(),
            )
        )
    assert clear_demo(context, "corp") == 11
    with context.database.read() as session:
        assert session.get(EmployeeRecord, employee_id) is not None
