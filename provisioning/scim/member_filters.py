"""Filters on the members of one group, as in `members[value eq "..."]`, become SQL."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from scim2_models import Group, Path
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
from sqlalchemy import ColumnElement, and_, false, func, not_, or_, true

from provisioning.scim.errors import ScimError, client_input
from provisioning.scim.quirks import with_quotes
from provisioning.storage.models.scim import ScimMemberRecord


class _Condition(FilterVisitor[ColumnElement[bool]]):
    """Turns a filter's tree into a condition on member rows."""

    def visit_comparison(self, node: Comparison) -> ColumnElement[bool]:
        """Compare the id, or the kind of member."""
        attribute = node.attr_path.attr.lower()
        if not isinstance(node.value, str) or node.op not in (
            CompareOperator.eq,
            CompareOperator.ne,
        ):
            raise _unsupported(str(node))
        if attribute == "value":
            found = _is_member(node.value)
        elif attribute == "type":
            found = func.lower(ScimMemberRecord.member_kind) == node.value.lower()
        else:
            raise _unsupported(str(node))
        return found if node.op is CompareOperator.eq else not_(found)

    def visit_logical_expr(self, node: LogicalExpr) -> ColumnElement[bool]:
        """Join conditions."""
        joined = and_ if node.op is LogicalOperator.and_ else or_
        return joined(*(self.visit(term) for term in node.terms))

    def visit_not(self, node: Not) -> ColumnElement[bool]:
        """Everybody else."""
        return not_(self.visit(node.expr))

    def visit_present(self, node: Present) -> ColumnElement[bool]:
        """Every member has an id and a kind, and nothing else that is stored."""
        return true() if node.attr_path.attr.lower() in ("value", "type", "$ref") else false()

    def visit_value_path(self, node: ValuePath) -> ColumnElement[bool]:
        """Members have no entries within."""
        raise _unsupported(str(node))


def member_condition(text: str) -> ColumnElement[bool]:
    """Return the condition on member rows of a value filter.

    Raises:
        ScimError: 400 invalidFilter: it does not parse, or asks for what is not stored.
    """
    with client_input():
        tree = Path[Group](f"members[{with_quotes(text)}]").value_filter
    if tree is None:
        raise _unsupported(text[:80])
    return _Condition().visit(tree)


def _is_member(value: str) -> ColumnElement[bool]:
    try:
        return ScimMemberRecord.member_id == UUID(value)
    except ValueError:
        return false()


def _unsupported(what: str) -> ScimError:
    return ScimError(
        HTTPStatus.BAD_REQUEST,
        f"members[{what}] cannot be evaluated: members are found by value and type, with eq or ne.",
        "invalidFilter",
    )
