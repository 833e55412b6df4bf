"""The schema: one history, equal to the code, on SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Enum, text

from provisioning.domain.errors import ConfigurationError, DatabaseUnavailableError
from provisioning.services.container import ensure_intranet
from provisioning.storage.base import Base, Database
from provisioning.storage.migrate import differences, upgrade


def test_the_history_leads_to_the_tables_of_the_code(database_url):
    """What alembic would still write is nothing."""
    assert differences(database_url) == []


def test_first_starts_at_once_make_one_schema_and_one_intranet(postgres):
    """Safety 14: as many machines as there are, one of them is first."""
    name = postgres.create_database()

    def start(_):
        url = postgres.url(name)
        upgrade(url)
        database = Database(url)
        made = ensure_intranet(database, slug="main", name="Corp", time_zone="UTC")
        database.close()
        return made

    with ThreadPoolExecutor(4) as machines:
        assert len(set(machines.map(start, range(4)))) == 1
    postgres.drop_database(name)


def test_every_choice_the_code_knows_is_one_the_history_allows(sqlite_url):
    """Alembic does not compare CHECK constraints: a kind left out would fail its first user."""
    database = Database(sqlite_url)
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        written = {row.name: row.sql for row in rows}
    database.close()
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, Enum):
                missing = [v for v in column.type.enums if f"'{v}'" not in written[table.name]]
                assert missing == [], f"{table.name}.{column.name}"


def test_migrating_twice_is_migrating_once(database_url):
    upgrade(database_url)
    assert differences(database_url) == []


def test_a_database_of_a_newer_version_is_refused_untouched(database_url):
    """Safety 22: old code on a new schema does not start."""
    database = Database(database_url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    database.close()
    with pytest.raises(ConfigurationError, match=r"does not know.*Nothing was changed"):
        upgrade(database_url)


def test_a_database_that_does_not_answer_is_said_to_be_away():
    """The password of the URL is not in the sentence."""
    with pytest.raises(DatabaseUnavailableError, match="does not answer") as caught:
        upgrade("postgresql+psycopg://usher:hidden-word@127.0.0.1:9/usher")
    assert "hidden-word" not in str(caught.value)


def test_a_folder_for_the_database_is_made(tmp_path):
    upgrade(f"sqlite:///{tmp_path}/new/usher.db")
    assert (tmp_path / "new" / "usher.db").exists()
