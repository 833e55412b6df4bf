"""Where a page by cursor begins: after the key of the last resource, in any order.

A key is what the order compares: whether the value is missing, the value, and the place of the
resource among all of its source. Whoever keeps its key is met exactly once, whatever else comes
and goes meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, and_, literal, or_
from sqlalchemy.sql import operators

_LARGEST = 1 << 31

Order = Sequence[UnaryExpression[Any]]


def compared(order: Order) -> Sequence[ColumnElement[Any]]:
    """Return the expressions an order compares."""
    return [each.element for each in order]


def after(order: Order, key: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition for what comes after a key.

    Args:
        order: What resources are ordered by, each ascending or descending.
        key: As many values as the order has; None where the value is missing.
    """
    ways: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for each, value in zip(order, key, strict=True):
        column = each.element
        if value is None:
            equal.append(column.is_(None))
            continue
        known = literal(value, column.type)
        beyond = column < known if each.modifier is operators.desc_op else column > known
        ways.append(and_(*equal, beyond))
        equal.append(column == known)
    return or_(*ways)


def written(key: Sequence[Any]) -> list[Any]:
    """Return a key as JSON can say it; a moment is a list of one."""
    return [[each.isoformat()] if isinstance(each, datetime) else each for each in key]


def read(texts: Sequence[Any], order: Order) -> Sequence[Any]:
    """Return the key that was written.

    Raises:
        ValueError: It is no key of this order.
    """
    if len(texts) != len(order):
        raise ValueError("another number of values")
    key = [datetime.fromisoformat(each[0]) if isinstance(each, list) else each for each in texts]
    if not all(_fits(value, each.element) for value, each in zip(key, order, strict=True)):
        raise ValueError("another kind of value")
    if key[-1] is None:
        raise ValueError("no place")
    return key


def _fits(value: Any, column: ColumnElement[Any]) -> bool:
    """Whether a value can be compared with a column; a key may come from anywhere."""
    kind = column.type.python_type
    if isinstance(value, bool) and kind is not bool:
        return False
    return value is None or (
        isinstance(value, kind) and (not isinstance(value, int) or abs(value) < _LARGEST)
    )
