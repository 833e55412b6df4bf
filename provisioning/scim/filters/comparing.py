"""One comparison: an operator, a client's value, and where ours is found.

Every condition made here is true or false, never unknown, so that `not` means what it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scim2_models.path import ORDERING_OPERATORS, STRING_OPERATORS, CompareOperator
from sqlalchemy import ColumnElement, and_, false, func, literal, not_

from provisioning.scim.filters.attributes import Attribute, Kind
from provisioning.scim.filters.dialects import position
from provisioning.scim.filters.folding import binary_key
from provisioning.scim.filters.refusing import refused

Condition = ColumnElement[bool]
Hint = Callable[[CompareOperator, str], Condition | None]
"""Given an operator and a folded text, what an index knows to be necessary, if anything."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

_ORDER: Mapping[CompareOperator, Callable[[Any, Any], Condition]] = {
    CompareOperator.eq: lambda ours, value: ours == value,
    CompareOperator.gt: lambda ours, value: ours > value,
    CompareOperator.ge: lambda ours, value: ours >= value,
    CompareOperator.lt: lambda ours, value: ours < value,
    CompareOperator.le: lambda ours, value: ours <= value,
}


@dataclass(frozen=True, slots=True)
class Operand:
    """A single value of a resource: what it is and how SQL reads it."""

    attribute: Attribute
    sql: ColumnElement[Any]
    """NULL when there is none."""

    hint: Hint | None = None
    is_certain: bool = False
    """Never NULL: no need to say what a comparison with nothing is, which hides an index."""


def compare(operand: Operand, op: CompareOperator, value: Any) -> Condition:
    """Return the condition of a comparison.

    Raises:
        ScimError: 400 invalidFilter: the value or the operator does not fit the attribute.
    """
    if op is CompareOperator.ne:
        return not_(compare(operand, CompareOperator.eq, value))
    if value is None:
        if op is not CompareOperator.eq:
            raise refused(f"{operand.attribute.name} {op} null: null goes with eq and ne only")
        return operand.sql.is_(None)
    ours = comparable(operand.attribute, op, value)
    decided = _compared(operand.sql, op, ours)
    if not operand.is_certain:
        decided = func.coalesce(decided, false())
    hinted = operand.hint(op, ours) if operand.hint and isinstance(ours, str) else None
    return decided if hinted is None else and_(hinted, decided)


def present(operand: Operand) -> Condition:
    """Return the condition of `pr`: there, and not empty (RFC 7644 3.4.2.2)."""
    if operand.attribute.kind in (Kind.TEXT, Kind.BINARY):
        return func.coalesce(operand.sql != "", false())
    return operand.sql.is_not(None)


def comparable(attribute: Attribute, op: CompareOperator, value: Any) -> str | datetime:
    """Return a client's value in the form it is compared in.

    Raises:
        ScimError: 400 invalidFilter: the value or the operator does not fit the attribute.
    """
    if attribute.kind is Kind.TEXT:
        return _text(attribute, value)
    if op in STRING_OPERATORS or (op in ORDERING_OPERATORS and attribute.kind is not Kind.MOMENT):
        raise refused(f"{attribute.name} cannot be compared with {op}: it is no text")
    if attribute.kind is Kind.MOMENT:
        return _moment(attribute, value)
    if attribute.kind is Kind.BOOLEAN:
        return _boolean(attribute, value)
    if attribute.kind is Kind.BINARY:
        return _binary(attribute, value)
    raise refused(f"{attribute.name} has parts; name one of them: {', '.join(attribute.parts)}")


def _compared(ours: ColumnElement[Any], op: CompareOperator, value: str | datetime) -> Condition:
    if op not in STRING_OPERATORS:
        return _ORDER[op](ours, value)
    text = str(value)
    size = len(text)
    if not size:
        return ours.is_not(None)
    if op is CompareOperator.co:
        return position(ours, literal(text)) > 0
    if op is CompareOperator.sw:
        return func.substr(ours, 1, size) == text
    # A text that is too short is compared whole, and differs by its length.
    return func.substr(ours, func.length(ours) - size + 1) == text


def _text(attribute: Attribute, value: Any) -> str:
    if not isinstance(value, str):
        raise refused(f"{attribute.name} is compared with a text in quotes, not with {value}")
    if _UNSTORABLE.search(value):
        raise refused(f"the value for {attribute.name} has a character that no text can have")
    return attribute.folded(value)


def _moment(attribute: Attribute, value: Any) -> datetime:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise refused(
        f'{attribute.name} is compared with a time and its zone, like "2026-11-23T08:00:00Z"'
    )


def _boolean(attribute: Attribute, value: Any) -> str:
    # Entra and others put it in quotes.
    text = str(value).lower() if isinstance(value, bool | str) else ""
    if text not in ("true", "false"):
        raise refused(f"{attribute.name} is compared with true or false")
    return text


def _binary(attribute: Attribute, value: Any) -> str:
    try:
        return binary_key(value)
    except (TypeError, ValueError):
        raise refused(f"{attribute.name} is compared with base64 in quotes") from None
