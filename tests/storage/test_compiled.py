"""Statements compiled once say and return what SQLAlchemy would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    event,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from provisioning.domain.employees import EmployeeState
from provisioning.storage.base import Database
from provisioning.storage.compiled import run, run_many
from provisioning.storage.core import execute, table_of, this
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import IntranetRecord, SeatCounterRecord

INTRANET, EMPLOYEE = table_of(IntranetRecord), table_of(EmployeeRecord)
NEW, NEWCOMER = insert(INTRANET).inline(), insert(EMPLOYEE).inline()
ONE = select(EMPLOYEE).where(this(EMPLOYEE.c.id))
NAMED = select(INTRANET.c.id, INTRANET.c.slug).where(
    INTRANET.c.slug.in_(bindparam("slugs", expanding=True))
)
BOTH = union_all(
    select(literal("intranet"), INTRANET.c.id).where(this(INTRANET.c.slug)),
    select(literal("employee"), EMPLOYEE.c.id).where(EMPLOYEE.c.state == EmployeeState.ACTIVE),
)
RENAME = update(INTRANET).where(this(INTRANET.c.slug))
RENAME_NAMED = update(INTRANET).where(INTRANET.c.slug.in_(bindparam("slugs", expanding=True)))
COUNT = RENAME.values(next_employee_seq=INTRANET.c.next_employee_seq + 1).returning(
    INTRANET.c.next_employee_seq, INTRANET.c.policy
)
NOW = datetime(2026, 11, 25, 7, 30, tzinfo=UTC)


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def intranet(database):
    """One with every default of its columns, and one employee."""
    id_ = uuid4()
    with database.write() as session:
        execute(session, NEW, id=id_, slug="a", name="A", policy={"limits": [1, "ä"]})
        execute(
            session, NEWCOMER, id=uuid4(), intranet_id=id_, seq=1, state=EmployeeState.ACTIVE,
            state_since=NOW, display_name="Ann", display_name_key="ann", created_at=NOW, version=1,
        )  # fmt: skip
    return id_


def test_values_are_converted_both_ways_and_defaults_apply(database, intranet):
    """The same row by both ways: ids, moments, choices, documents, truth, and what was left out."""
    with database.write() as session:
        by_orm = session.get_one(IntranetRecord, intranet)
        assert (by_orm.target, by_orm.time_zone, by_orm.next_employee_seq) == ("builtin", "UTC", 1)
        assert by_orm.policy == {"limits": [1, "ä"]}
        whole = select(INTRANET).where(this(INTRANET.c.id))
        connection = session.connection()
        for statement, values in ((whole, {"this_id": intranet}), (BOTH, {"this_slug": "a"})):
            theirs = connection.execute(statement, values).all()
            assert [tuple(row) for row in run(connection, statement, values)] == theirs
        ann = session.scalars(select(EmployeeRecord)).one()
        ours = execute(session, ONE, this_id=ann.id).one()
        assert ours == tuple(connection.execute(ONE, {"this_id": ann.id}).one())
        assert (ours.state, ours.state_since, ours.protected) == (EmployeeState.ACTIVE, NOW, False)


def test_defaults_that_are_made_are_made_for_every_row(database):
    with database.write() as session:
        for slug in ("a", "b"):
            execute(session, NEW, slug=slug, name=slug)
        assert len(set(execute(session, select(INTRANET.c.id)).scalars())) == 2


def test_many_rows_are_written_as_if_they_came_one_by_one(database, intranet):
    """Converted each, with defaults of their own; all or none, and an error is SQLAlchemy's."""
    more = [{"slug": slug, "name": slug, "policy": {"limits": [slug]}} for slug in "bcd"]
    with database.write() as session:
        run_many(session.connection(), NEW, more)
    with database.read() as session:
        rows = session.scalars(select(IntranetRecord).order_by(IntranetRecord.slug)).all()
    assert [(row.slug, row.policy["limits"]) for row in rows[1:]] == [(s, [s]) for s in "bcd"]
    assert len({row.id for row in rows}) == 4
    assert rows[3].time_zone == "UTC"
    with pytest.raises(IntegrityError) as refused, database.write() as session:
        run_many(session.connection(), NEW, [{"slug": slug, "name": "words"} for slug in "ea"])
    assert "words" not in str(refused.value)
    with database.write() as session:
        renamed = [{"slugs": [slug], "name": "X"} for slug in "bc"]
        run_many(session.connection(), RENAME_NAMED, renamed)
        names = session.scalars(select(IntranetRecord.name).order_by(IntranetRecord.slug)).all()
    assert names == ["A", "X", "X", "d"]


def test_a_write_says_how_many_rows_and_returns_what_it_is_asked_for(database, intranet):
    with database.write() as session:
        assert execute(session, RENAME, this_slug="a", name="B").rowcount == 1
        assert execute(session, RENAME, this_slug="nobody", name="C").rowcount == 0
        assert (
            execute(session, RENAME, this_slug="a", name="D", time_zone="Asia/Tokyo").rowcount == 1
        )
        assert execute(session, COUNT, this_slug="a").one() == (2, {"limits": [1, "ä"]})
        found = session.get_one(IntranetRecord, intranet)
        assert (found.name, found.time_zone, found.next_employee_seq) == ("D", "Asia/Tokyo", 2)


@pytest.mark.parametrize("slugs", [[], ["a"], ["a", "b"]])
def test_lists_of_any_length_go_through_sqlalchemy(database, intranet, slugs):
    with database.read() as session:
        found = execute(session, NAMED, slugs=slugs)
        assert [row.id for row in found] == [intranet] * ("a" in slugs)


def test_rows_are_a_sequence_with_names(database, intranet):
    with database.read() as session:
        rows = execute(session, NAMED, slugs=["a"])
        nobody = execute(session, ONE, this_id=uuid4())
    assert (len(rows), rows[0].slug, rows.scalar(), rows.one()) == (1, "a", intranet, rows.first())
    assert (len(nobody), nobody.first(), nobody.scalar(), nobody.scalars()) == (0, None, None, [])
    with pytest.raises(LookupError, match="not 0"):
        nobody.one()


def test_errors_are_those_of_sqlalchemy_and_name_no_value(database, intranet):
    """A refused write undoes the transaction; what was to be written is not in the message."""
    with pytest.raises(IntegrityError) as refused, database.write() as session:
        execute(session, RENAME, this_slug="a", name="gone")
        execute(session, NEW, slug="a", name="secret words")
    assert "secret words" not in str(refused.value)
    with pytest.raises(IntegrityError), database.write() as session:
        execute(session, insert(table_of(SeatCounterRecord)), intranet_id=uuid4())
    with database.read() as session:
        assert session.get_one(IntranetRecord, intranet).name == "A"


def test_a_value_that_is_forgotten_is_an_error(database):
    with database.read() as session, pytest.raises(KeyError, match="this_id"):
        execute(session, ONE)


def test_names_that_mean_nothing_are_an_error(database, intranet):
    """A misspelled column would be left as it was, and nobody would know."""
    with database.write() as session, pytest.raises(TypeError, match="naem"):
        execute(session, RENAME, this_slug="a", naem="B")


def test_what_is_asked_for_goes_before_what_a_bind_brings(database):
    number = select(bindparam("number", 7, type_=Integer()))
    with database.read() as session:
        assert execute(session, number, number=1).scalar() == 1


def test_columns_of_one_name_are_all_returned(database, intranet):
    both = select(INTRANET.c.name, EMPLOYEE.c.display_name.label("name")).join_from(
        INTRANET, EMPLOYEE
    )
    with database.read() as session:
        assert execute(session, both).one() == ("A", "Ann")


def test_what_is_written_with_every_update_is_written(database):
    """A default for new rows is none for changed ones: SQLAlchemy knows which is which."""
    table = Table(
        "counted",
        MetaData(),
        Column("id", Integer(), primary_key=True),
        Column("name", String()),
        Column("touched", Integer(), default=1, onupdate=5),
    )
    add, rename = insert(table).inline(), update(table)
    with database.write() as session:
        table.create(session.connection())
        execute(session, add, id=1, name="a")
        assert execute(session, select(table)).one() == (1, "a", 1)
        execute(session, rename, name="b")
        assert execute(session, select(table)).one() == (1, "b", 5)


def test_whoever_listens_to_the_engine_hears_of_it(database, intranet):
    heard = []
    event.listen(database.engine, "after_cursor_execute", lambda *said: heard.append(said[2]))
    with database.write() as session:
        execute(session, RENAME, this_slug="a", name="B")
    assert sum("UPDATE intranet" in statement for statement in heard) == 1


def cut(url):
    """Cut every connection to a database, as a restart of the server does."""
    killer = Database(url)
    with killer.write() as session:
        session.connection().exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    killer.close()


def test_a_lost_connection_is_replaced(postgresql_url):
    """Whoever only looks does not notice; a transaction fails, and the next one does not."""
    database = Database(postgresql_url)
    echo = select(bindparam("number", type_=Integer()))

    values = {"number": 1}
    assert database.first(echo, values) == (1,)
    cut(postgresql_url)
    assert database.first(echo, values) == (1,)
    with pytest.raises(DBAPIError) as lost, database.write() as session:
        execute(session, echo, **values)
        cut(postgresql_url)
        execute(session, echo, **values)
    assert isinstance(lost.value, OperationalError)
    assert lost.value.connection_invalidated
    with database.write() as session:
        assert execute(session, echo, **values).scalar() == 1
    database.close()


def test_one_lost_connection_is_news_of_all_that_wait(postgresql_url):
    """Safety 20: a restarted server costs nobody who only looks a 503, however many were open."""
    database = Database(postgresql_url)
    numbers = select(func.generate_series(1, bindparam("number", type_=Integer())))
    together = Barrier(4)

    def look(connection):
        together.wait(10)
        return len(run(connection, numbers, {"number": 3}))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(database.look, [look] * 4)) == [3] * 4
    cut(postgresql_url)
    for _ in range(8):
        assert database.first(numbers, {"number": 1}) == (1,)
    database.close()


def test_a_connection_that_is_closed_here_is_said_like_one_that_was_cut(postgresql_url):
    """Not the driver's own error, which nobody expects."""
    database = Database(postgresql_url)
    with pytest.raises(OperationalError) as lost, database.write() as session:
        session.connection().connection.driver_connection.close()
        execute(session, select(literal(1)))
    assert lost.value.connection_invalidated
    database.close()
