"""The schema: one history, equal to the code, on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from provisioning.domain.errors import ConfigurationError, DatabaseUnavailableError
from provisioning.storage.base import Database
from provisioning.storage.migrate import differences, upgrade


def test_the_history_leads_to_the_tables_of_the_code(database_url):
    """What alembic would still write is nothing."""
    assert differences(database_url) == []


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
