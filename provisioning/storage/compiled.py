"""Statements compiled once and handed to the driver as they are.

SQLAlchemy writes the statement and converts every value; only what it does anew around each
execution is left out, which for a look-up by a key is more than ten times the work of the database.

statement                             runs
------------------------------------  ----------------------------------------------
its values are all bound by name      here
a list of any length among them       through SQLAlchemy: its text differs every time
while somebody listens to the engine  through SQLAlchemy: they expect its own objects
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, UpdateBase
from sqlalchemy.types import TypeEngine

Convert = Callable[[Any], Any] | None


class Rows(Sequence[Any]):
    """What a statement returned, with columns by name, and how many rows it wrote."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Any], rowcount: int) -> None:
        """Keep all of them: what is run here returns few."""
        self._rows = rows
        self.rowcount = rowcount

    def __len__(self) -> int:
        """Return how many rows were returned."""
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        """Return one row."""
        return self._rows[place]

    def __iter__(self) -> Iterator[Any]:
        """Yield every row."""
        return iter(self._rows)

    def first(self) -> Any | None:
        """Return the first row, if there is one."""
        return self._rows[0] if self._rows else None

    def one(self) -> Any:
        """Return the only row.

        Raises:
            LookupError: There is none, or there are more.
        """
        if len(self._rows) != 1:
            raise LookupError(f"one row was to be found, not {len(self._rows)}")
        return self._rows[0]

    def scalar(self) -> Any:
        """Return the first value of the first row; None if there is no row."""
        return self._rows[0][0] if self._rows else None

    def scalars(self) -> Sequence[Any]:
        """Return the first value of every row."""
        return [row[0] for row in self._rows]


@dataclass(slots=True)
class _Plan:
    """How one statement is run on one kind of database."""

    sql: str
    order: Sequence[str] | None
    """Names by place, where the driver takes values by place."""

    types: Sequence[TypeEngine[Any]]
    """Of the columns that are returned."""

    binds: list[tuple[str, str, Convert]] = field(default_factory=list)
    """Of each value that comes with an execution: its name in the text, the caller's, a type's."""

    fixed: dict[str, Any] = field(default_factory=dict)
    """Values the statement itself brings, converted already; and defaults that are constant."""

    made: list[tuple[str, Callable[[None], Any], Convert]] = field(default_factory=list)
    """Defaults that are made anew for every row."""

    rows: Callable[[Sequence[Any]], Sequence[Any]] | None = None
    """Makes rows of what the driver returns; known once it has told its types."""

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """Return what the driver is given."""
        named = dict(self.fixed)
        for name, key, convert in self.binds:
            value = values[key]
            named[name] = value if convert is None else convert(value)
        for name, make, convert in self.made:
            named[name] = make(None) if convert is None else convert(make(None))
        return named if self.order is None else [named[name] for name in self.order]


def run(connection: Connection, statement: Executable, values: Mapping[str, Any]) -> Rows:
    """Execute a statement that is the same object every time; the transaction has begun.

    Args:
        connection: The transaction, or a connection without one.
        statement: A query, or a write whose columns are named by `values`.
        values: By the names of its binds, and of the columns it writes.

    Raises:
        DBAPIError: As SQLAlchemy would.
    """
    keys = tuple(values) if isinstance(statement, UpdateBase) else ()
    plan = _plan(statement, connection.dialect, keys)
    if plan is None or _is_listened_to(connection):
        return _through_sqlalchemy(connection, statement, values)
    return _executed(connection, plan, plan.parameters(values))


def run_many(
    connection: Connection, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Execute a write once for each of several rows with the same columns, in one round trip.

    One INSERT of many rows would cost five times as much CPU to put together.

    Raises:
        DBAPIError: As SQLAlchemy would.
    """
    plan = _plan(statement, connection.dialect, tuple(rows[0]))
    if plan is None or _is_listened_to(connection):
        for row in rows:
            _through_sqlalchemy(connection, statement, row)
    else:
        _executed(connection, plan, [plan.parameters(row) for row in rows], many=True)


def _executed(connection: Connection, plan: _Plan, parameters: Any, *, many: bool = False) -> Rows:
    dialect, cursor = connection.dialect, None
    try:
        cursor = connection.connection.cursor()
        (cursor.executemany if many else cursor.execute)(plan.sql, parameters)
        if not plan.types:
            return Rows((), cursor.rowcount)
        if plan.rows is None:
            plan.rows = _rows(plan.types, dialect, cursor.description)
        return Rows(plan.rows(cursor.fetchall()), cursor.rowcount)
    except dialect.loaded_dbapi.Error as error:
        # It makes SQLAlchemy's own error of it, and if the connection is lost, so is its pool.
        connection._handle_dbapi_exception(error, plan.sql, None, cursor, None)  # noqa: SLF001 - nothing public does
        raise
    finally:
        if cursor is not None:
            cursor.close()


def _is_listened_to(connection: Connection) -> bool:
    """Whether somebody, a tracer or a test, hears of statements: they expect SQLAlchemy's way."""
    heard = connection.dispatch
    return bool(heard.before_cursor_execute or heard.after_cursor_execute)


def _through_sqlalchemy(
    connection: Connection, statement: Executable, values: Mapping[str, Any]
) -> Rows:
    result = connection.execute(statement, values)
    return Rows(result.all() if result.returns_rows else (), result.rowcount)


def _rows(
    types: Sequence[TypeEngine[Any]], dialect: Dialect, described: Sequence[Any]
) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return what makes rows of the tuples of a driver.

    Args:
        types: Of each column.
        dialect: The kind of database.
        described: Of each column its name and the driver's type (PEP 249).
    """
    of_columns: Any = namedtuple  # noqa: PYI024 - their names are known only now
    make = of_columns("Row", [each[0] for each in described], rename=True)._make
    converts = [
        each.dialect_impl(dialect).result_processor(dialect, described[1])
        for each, described in zip(types, described, strict=True)
    ]
    if not any(converts):
        return lambda found: list(map(make, found))
    places = [(place, convert) for place, convert in enumerate(converts) if convert]

    def converted(values: Sequence[Any]) -> Any:
        row = list(values)
        for place, convert in places:
            row[place] = convert(row[place])
        return make(row)

    return lambda found: list(map(converted, found))


@lru_cache(maxsize=1_000)
def _plan(statement: Executable, dialect: Dialect, keys: tuple[str, ...]) -> _Plan | None:
    """Compile a statement; None if its text cannot be the same every time."""
    written: Any = statement
    compiled = written.compile(dialect=dialect, column_keys=list(keys) or None)
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    if compiled.isupdate and compiled.prefetch:
        return None
    named = {bind.key for bind in compiled.bind_names}
    if unknown := set(keys) - named:
        raise TypeError(f"{unknown} is neither a column that is written nor asked for")
    plan = _Plan(
        sql=str(compiled),
        order=compiled.positiontup if compiled.positional else None,
        types=[column.type for column in getattr(written, "exported_columns", ())],
    )
    defaults = {column.key: column.default for column in compiled.prefetch}
    for bind, name in compiled.bind_names.items():
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
        default = None if bind.key in keys else defaults.get(bind.key)
        if default is not None and default.is_callable:
            plan.made.append((name, default.arg, convert))
        elif default is not None or bind.unique:
            value = bind.effective_value if default is None else default.arg
            plan.fixed[name] = value if convert is None else convert(value)
        else:
            plan.binds.append((name, bind.key, convert))
    return plan
