"""Bring a database to the schema of this code, or say clearly why not."""

from __future__ import annotations

import os
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import DatabaseError, OperationalError

from provisioning.domain.errors import ConfigurationError, DatabaseUnavailableError
from provisioning.storage.base import Database, sqlite_file
from provisioning.storage.locks import COMPOSING, take_turn
from provisioning.storage.schema import metadata

_NO_DATABASE = "file is not a database"
"""SQLite's words; it has no error of its own for it."""

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Migrate to the newest revision; an empty database gets everything.

    Raises:
        ConfigurationError: The database was written by a newer Usher.
        DatabaseUnavailableError: The database does not answer.
    """
    _make_file(url)
    database = Database(url)
    try:
        with database.engine.begin() as connection:
            take_turn(connection, COMPOSING)
            _refuse_unknown_revision(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DatabaseError as error:
        if not isinstance(error, OperationalError) and _NO_DATABASE not in str(error.orig):
            raise
        raise DatabaseUnavailableError(
            f"the database {database.url.render_as_string()} does not answer: {error.orig}"
        ) from error
    finally:
        database.close()


def is_current(database: Database) -> bool:
    """Whether a database has the revision this code was made for.

    Raises:
        SQLAlchemyError: It does not answer.
    """
    with database.read() as session:
        found = MigrationContext.configure(session.connection()).get_current_revision()
    return found == ScriptDirectory.from_config(_config()).get_current_head()


def differences(url: str) -> list[str]:
    """Return what a migrated database lacks of the tables in the code; empty is good."""
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            return [str(difference) for difference in compare_metadata(context, metadata)]
    finally:
        database.close()


def _refuse_unknown_revision(connection: Connection) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise ConfigurationError(
            f"the database is at revision {found}, which this version of Usher does not know. "
            "Nothing was changed. Start the newer version, or restore a backup."
        )


def _make_file(url: str) -> None:
    """Make the file of a SQLite database, for its owner's eyes only, where there is none."""
    path = sqlite_file(make_url(url))
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseUnavailableError(
            f"the database {path} cannot be opened: {error.strerror}. Nothing was done; "
            "DATABASE_URL says where it is"
        ) from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
