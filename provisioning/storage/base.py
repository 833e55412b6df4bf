"""How tables are named, typed and opened: decided once, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    URL,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Executable,
    Integer,
    MetaData,
    String,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from provisioning.storage.compiled import run
from provisioning.storage.writers import WriterQueue

T = TypeVar("T")

BUSY_TIMEOUT_MS = 30_000
"""How long a SQLite writer waits for its turn."""

CONNECTION = "the connection of the transaction"
"""Under this name a writing session keeps it at hand."""

MAX_CONNECTIONS = 8
"""Connections one process keeps to PostgreSQL, and as many more for a burst."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite stores it without the zone, which is always UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: they are somebody's local time by accident."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document; JSONB where there is one."""

Key = String().with_variant(String(collation="C"), "postgresql")
"""Text compared and sorted by code point, as Python does: anchors and folded keys."""

Counter = BigInteger().with_variant(Integer, "sqlite")
"""A number the database gives out; SQLite counts by itself only in INTEGER columns."""


def choice(kind: type[StrEnum], name: str) -> Enum:
    """Return a column type that stores an enum's values and refuses others."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Every table of Usher."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: dict[Any, Any] = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy's own


class Database:
    """One database, opened three times: to look, to read, and to write without surprises.

    On SQLite every writing transaction begins IMMEDIATE, because a deferred one that finds
    a newer snapshot fails at once, however long the time-out is.
    """

    def __init__(self, url: str) -> None:
        """Open lazily; nothing is connected before the first use."""
        self.url = make_url(url)
        if self.url.drivername in {"postgres", "postgresql"}:
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._reading = self._engine("DEFERRED")
        self._writing = self._engine("IMMEDIATE") if self.is_sqlite else self._reading
        self._looking = self._engine_without_transactions()
        self._turn: Callable[[], AbstractContextManager[None]] = nullcontext
        file = sqlite_file(self.url)
        if file is not None:
            self._turn = WriterQueue(str(file), patience=BUSY_TIMEOUT_MS / 1000).turn
        self._before_close: list[Callable[[], None]] = []

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction that is committed at the end, or not at all."""
        session = Session(self._writing, expire_on_commit=False)
        with self._turn(), session, session.begin():
            session.info[CONNECTION] = session.connection()
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only looks."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session

    def first(self, statement: Executable, values: Mapping[str, Any]) -> Any | None:
        """Return the first row of a statement that only looks."""
        return self.look(lambda connection: run(connection, statement, values).first())

    def look(self, work: Callable[[Connection], T]) -> T:
        """Return what work finds that only looks, without a transaction around it.

        For what every request asks: nothing but its statements is sent. A connection that was
        cut since its last use is replaced once, so work may begin twice.
        """
        try:
            return self._look(work)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._look(work)

    def _look(self, work: Callable[[Connection], T]) -> T:
        with self._looking.connect() as connection:
            return work(connection)

    @property
    def engine(self) -> Engine:
        """The engine that writes; for migrations and backups."""
        return self._writing

    def before_close(self, finish: Callable[[], None]) -> None:
        """Have somebody who writes by themselves finish before the connections are given back."""
        self._before_close.append(finish)

    def close(self) -> None:
        """Let everybody finish, and give every connection back."""
        for finish in self._before_close:
            finish()
        for engine in (self._looking, self._reading, self._writing):
            engine.dispose()

    def _engine(self, begin: str) -> Engine:
        if not self.is_sqlite:
            return create_engine(
                self.url,
                pool_size=MAX_CONNECTIONS,
                max_overflow=MAX_CONNECTIONS,
                pool_pre_ping=True,
            )
        engine = create_engine(self.url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(
            engine, "begin", lambda connection: connection.exec_driver_sql(f"BEGIN {begin}")
        )
        return engine

    def _engine_without_transactions(self) -> Engine:
        alone: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
        if not self.is_sqlite:
            return create_engine(
                self.url, pool_size=MAX_CONNECTIONS, max_overflow=MAX_CONNECTIONS, **alone
            )
        timeout = {"timeout": BUSY_TIMEOUT_MS / 1000}
        engine = create_engine(self.url, connect_args=timeout, **alone)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a SQLite database; None for one in memory, or of another kind."""
    name = url.database or ":memory:"
    if url.get_backend_name() != "sqlite" or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Set what SQLite forgets with every connection; BEGIN is ours to send."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
