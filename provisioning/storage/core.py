"""Core beside the ORM, in the session's own transaction: for what every write does.

A statement here is made once, with its values bound when it runs; rows have no identity and
nothing is flushed, so whoever calls sees to it that what a statement needs has been written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Insert,
    Table,
    bindparam,
    insert,
    or_,
)
from sqlalchemy.orm import Session

from provisioning.storage import schema
from provisioning.storage.base import CONNECTION, Base
from provisioning.storage.compiled import Rows, run, run_many


def this(column: Any) -> ColumnElement[bool]:
    """Return the condition that a column has the value bound as `this_` and its name."""
    return cast("ColumnElement[bool]", column == bindparam(f"this_{column.key}"))


def one_of(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of some values that are always the same."""
    return or_(*(column == value for value in values))


def execute(session: Session, statement: Executable, /, **values: Any) -> Rows:
    """Run a statement that is the same object every time, with these values."""
    return run(_connection(session), statement, values)


def add_row(session: Session, table: type[Base], /, **values: Any) -> None:
    """Insert a row that nobody holds as an object; defaults of its columns apply."""
    run(_connection(session), _insert_into(table), values)


def add_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns; nothing happens if there are none."""
    if len(rows) == 1:
        add_row(session, table, **rows[0])
    elif rows:
        run_many(_connection(session), _insert_into(table), rows)


def _connection(session: Session) -> Connection:
    """Return the session's connection; asking the session itself costs as much as a look-up."""
    return session.info.get(CONNECTION) or session.connection()


@cache
def _insert_into(table: type[Base]) -> Insert:
    return insert(table_of(table)).inline()


def table_of(entity: type[Base]) -> Table:
    """Return the table itself, for statements the ORM has no part in.

    The schema is whole by now: a foreign key without its table has no type yet.
    """
    return schema.metadata.tables[entity.__tablename__]
