"""Filters become SQL over indexed, folded keys (RFC 7644 3.4.2.2).

What cannot be evaluated is refused: never everyone, and never an empty list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from scim2_models import Group, ScimFilter
from scim2_models.path.expressions import (
    CompareOperator,
    Comparison,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)
from scim2_models.path.visitor import FilterVisitor
from sqlalchemy import ColumnElement, and_, false, or_

from provisioning.domain.addresses import address_key
from provisioning.scim.documents import ScimUser
from provisioning.scim.errors import ScimError, client_input
from provisioning.scim.limits import MAX_FILTER
from provisioning.scim.urns import CORE, GROUP
from provisioning.storage.models.scim import ScimGroupRecord, ScimUserRecord

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _id_is(value: str) -> ColumnElement[bool]:
    try:
        return ScimUserRecord.id == UUID(value)
    except ValueError:
        return false()


EQUALS: Mapping[str, Callable[[str], ColumnElement[bool]]] = {
    "username": lambda value: ScimUserRecord.user_name_key == address_key(value),
    "externalid": lambda value: ScimUserRecord.external_id == value,
    "id": _id_is,
    "displayname": lambda value: ScimUserRecord.display_name_key == address_key(value),
}


GROUP_EQUALS: Mapping[str, Callable[[str], ColumnElement[bool]]] = {
    "displayname": lambda value: ScimGroupRecord.display_name_key == address_key(value),
    "externalid": lambda value: ScimGroupRecord.external_id == value,
    "id": lambda value: _group_id_is(value),  # noqa: PLW0108 - made below
}


def _group_id_is(value: str) -> ColumnElement[bool]:
    try:
        return ScimGroupRecord.id == UUID(value)
    except ValueError:
        return false()


class SqlFilter(FilterVisitor[ColumnElement[bool]]):
    """Turns a filter's tree into a condition on scim users, or on groups."""

    def __init__(self, equals: Mapping[str, Callable[[str], ColumnElement[bool]]]) -> None:
        self._equals = equals

    def visit_comparison(self, node: Comparison) -> ColumnElement[bool]:
        """Compare one of the indexed attributes for equality."""
        path = node.attr_path
        compare = self._equals.get(path.attr.lower())
        is_core = path.uri is None or path.uri.lower() in (CORE.lower(), GROUP.lower())
        if compare is None or path.sub_attr or not is_core or node.op is not CompareOperator.eq:
            raise _unsupported(f"{path} {node.op}")
        if not isinstance(node.value, str) or _UNSTORABLE.search(node.value):
            raise _unsupported(f"{path} eq with a value that is no text")
        return compare(node.value)

    def visit_logical_expr(self, node: LogicalExpr) -> ColumnElement[bool]:
        """Join conditions."""
        joined = and_ if node.op is LogicalOperator.and_ else or_
        return joined(*(self.visit(term) for term in node.terms))

    def visit_not(self, node: Not) -> ColumnElement[bool]:
        """Refuse what no index serves."""
        raise _unsupported(str(node))

    def visit_present(self, node: Present) -> ColumnElement[bool]:
        """Refuse what no index serves."""
        raise _unsupported(f"{node.attr_path} pr")

    def visit_value_path(self, node: ValuePath) -> ColumnElement[bool]:
        """Refuse what no index serves."""
        raise _unsupported(f"{node.attr_path}[...]")


def user_condition(text: str) -> ColumnElement[bool]:
    """Return the condition of a filter on users.

    Raises:
        ScimError: 400 invalidFilter: it does not parse, or asks for what is not indexed.
    """
    return SqlFilter(EQUALS).visit(_tree(text, ScimFilter[ScimUser]))


def group_condition(text: str) -> ColumnElement[bool]:
    """Return the condition of a filter on groups.

    Raises:
        ScimError: 400 invalidFilter: it does not parse, or asks for what is not indexed.
    """
    return SqlFilter(GROUP_EQUALS).visit(_tree(text, ScimFilter[Group]))


def _tree(text: str, kind: Callable[[str], Any]) -> Any:
    if not text:
        raise _invalid("the filter is empty; leave it out to list everyone")
    if len(text) > MAX_FILTER:
        raise _invalid(f"it has {len(text):,} characters; the limit is {MAX_FILTER:,}")
    try:
        with client_input():
            return kind(text).ast
    except RecursionError:
        raise _invalid("the filter is nested too deeply") from None


def _unsupported(what: str) -> ScimError:
    return _invalid(
        f"this filter cannot be evaluated: {what}. Supported are userName, externalId, id and "
        "displayName with eq, joined by and, or"
    )


def _invalid(detail: str) -> ScimError:
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidFilter")
