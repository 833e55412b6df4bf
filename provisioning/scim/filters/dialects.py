"""The few things SQLite and PostgreSQL spell differently, each once.

All texts compare by their bytes, as UTF-8 sorts by code point and Python does, too: PostgreSQL
is told so ("C"), SQLite does nothing else.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Integer


class _Part(FunctionElement[str]):
    """The text at a path of a JSON document, NULL if there is none."""

    inherit_cache = True
    type = String()


class _Entries(FunctionElement[Any]):
    """The entries of a list in a JSON document, none if there is no such list."""

    inherit_cache = True
    name = "entries"


class _Position(FunctionElement[int]):
    """Where a text begins in another, counted from 1; 0 if it does not."""

    inherit_cache = True
    type = Integer()


class _Bytewise(FunctionElement[str]):
    """A text of a column with the database's own collation, compared by its bytes."""

    inherit_cache = True
    type = String()


class _UuidText(FunctionElement[str]):
    """A UUID as SCIM writes it."""

    inherit_cache = True
    type = String()


def part(document: Any, *names: str) -> ColumnElement[str]:
    """Return the text at a path, the document itself at none; names are ours, never a client's."""
    return _Part(document, *map(literal_column, names))


def entries(document: Any, *names: str) -> Any:
    """Return the entries at a path as a table with the column `value`."""
    return _Entries(document, *map(literal_column, names)).table_valued("value")


def position(text: ColumnElement[str], inner: ColumnElement[str]) -> ColumnElement[int]:
    """Return where `inner` begins in `text`, from 1; 0 if it does not."""
    return _Position(text, inner)


def bytewise(column: Any) -> ColumnElement[str]:
    """Return a text column to be compared by its bytes."""
    return _Bytewise(column)


def uuid_text(column: Any) -> ColumnElement[str]:
    """Return a UUID column as SCIM writes its values."""
    return _UuidText(column)


def _split(element: Any, compiler: SQLCompiler, **options: Any) -> tuple[str, list[str]]:
    document, *names = element.clauses
    return compiler.process(document, **options), [name.name for name in names]


@compiles(_Part, "sqlite")
def _part_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    document, names = _split(element, compiler, **options)
    return f"json_extract({document}, '{_sqlite_path(names)}')" if names else document


@compiles(_Part, "postgresql")
def _part_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    document, names = _split(element, compiler, **options)
    return f"""(({document} #>> '{{{",".join(names)}}}') COLLATE "C")"""


@compiles(_Entries, "sqlite")
def _entries_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    document, names = _split(element, compiler, **options)
    return f"json_each({document}, '{_sqlite_path(names)}')"


@compiles(_Entries, "postgresql")
def _entries_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    document, names = _split(element, compiler, **options)
    return f"jsonb_array_elements({document} #> '{{{','.join(names)}}}')"


@compiles(_Position, "sqlite")
def _position_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(_Position, "postgresql")
def _position_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


@compiles(_Bytewise, "sqlite")
def _bytewise_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_Bytewise, "postgresql")
def _bytewise_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f'(CAST({compiler.process(element.clauses, **options)} AS TEXT) COLLATE "C")'


@compiles(_UuidText, "sqlite")
def _uuid_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    spans = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return "(" + " || '-' || ".join(f"substr({column}, {a}, {n})" for a, n in spans) + ")"


@compiles(_UuidText, "postgresql")
def _uuid_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f'(CAST({compiler.process(element.clauses, **options)} AS TEXT) COLLATE "C")'


def _sqlite_path(names: list[str]) -> str:
    """Return the path of an entry; numbers are places in a list."""
    return "$" + "".join(f"[{name}]" if name.isdigit() else f'."{name}"' for name in names)
