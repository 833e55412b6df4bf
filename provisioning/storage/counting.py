"""Counting rows by a value of theirs."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

T = TypeVar("T")


def counted(
    session: Session, column: InstrumentedAttribute[T], *where: ColumnElement[Any]
) -> dict[T, int]:
    """Return how many rows have each value of a column, in the order of the values.

    Args:
        session: Where to look.
        column: Whose values.
        where: Which rows.
    """
    rows = session.execute(
        select(column, func.count()).where(*where).group_by(column).order_by(column)
    )
    return {row[0]: row[1] for row in rows}
