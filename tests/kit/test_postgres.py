import signal

import psycopg
import pytest

from tests.kit.postgres import running_postgres


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_what_one_test_writes_no_other_sees(postgres):
    one, other = postgres.create_database(), postgres.create_database()
    rows(postgres.url(one), "CREATE TABLE person (name text)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        rows(postgres.url(other), "SELECT * FROM person")
    postgres.drop_database(one)
    postgres.drop_database(other)


def test_a_database_starts_as_its_template(postgres):
    template = postgres.create_database()
    rows(postgres.url(template), "CREATE TABLE person AS SELECT 'ann' AS name")
    copy = postgres.create_database(template=template)
    assert rows(postgres.url(copy), "SELECT name FROM person") == [("ann",)]


def test_a_database_goes_even_while_someone_is_connected(postgres):
    name = postgres.create_database()
    with psycopg.connect(postgres.url(name).replace("+psycopg", "")):
        postgres.drop_database(name)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        rows(postgres.url(name), "SELECT 1")


def test_nobody_connects_without_the_password(postgres):
    url = postgres.url("postgres").replace(postgres.password, "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        rows(url, "SELECT 1")


def test_a_crashed_server_comes_back_with_what_was_committed():
    with running_postgres() as server:
        url = server.url(server.create_database())
        rows(url, "CREATE TABLE person AS SELECT 'ann' AS name")
        server.stop(signal.SIGQUIT)
        with pytest.raises(psycopg.OperationalError):
            rows(url, "SELECT 1")
        server.start()
        assert rows(url, "SELECT name FROM person") == [("ann",)]
