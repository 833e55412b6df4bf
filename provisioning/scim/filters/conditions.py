"""A filter's tree becomes one SQL condition; what a client sent is only ever bound to it."""

from __future__ import annotations

from functools import lru_cache

from scim2_models import SCIMException, ScimFilter
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)
from sqlalchemy import and_, not_, or_

from provisioning.scim.filters.comparing import Condition, Operand, compare, present
from provisioning.scim.filters.lists import VALUE, Entry, ValueList
from provisioning.scim.filters.refusing import refused
from provisioning.scim.filters.resources import GROUPS, USERS, Complex, Resource
from provisioning.scim.limits import MAX_FILTER

_CACHED = 512


@lru_cache(_CACHED)
def user_condition(text: str) -> Condition:
    """Return the condition of a filter on users; it names scim_user and nothing else.

    Raises:
        ScimError: 400 invalidFilter: it does not parse, or asks for what cannot be compared.
    """
    return _ResourceConditions(USERS).visit(_parsed(text))


@lru_cache(_CACHED)
def group_condition(text: str) -> Condition:
    """Return the condition of a filter on groups; it names scim_group and nothing else.

    Raises:
        ScimError: 400 invalidFilter: it does not parse, or asks for what cannot be compared.
    """
    return _ResourceConditions(GROUPS).visit(_parsed(text))


def _parsed(text: str) -> FilterNode:
    if not text:
        raise refused("the filter is empty; leave it out to list everyone")
    if len(text) > MAX_FILTER:
        raise refused(f"it has {len(text):,} characters; the limit is {MAX_FILTER:,}")
    try:
        return ScimFilter(text).ast
    except SCIMException as error:
        raise refused(f"the filter cannot be read: {error.detail}") from error


class _Conditions(FilterVisitor[Condition]):
    """What filters on resources and filters on entries have in common."""

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        """Join conditions."""
        joined = and_ if node.op is LogicalOperator.and_ else or_
        return joined(*(self.visit(term) for term in node.terms))

    def visit_not(self, node: Not) -> Condition:
        """Turn a condition around."""
        return not_(self.visit(node.expr))


class _EntryConditions(_Conditions):
    """A filter between brackets: it speaks of one entry of a multi-valued attribute."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def visit_comparison(self, node: Comparison) -> Condition:
        """Compare a sub-attribute."""
        return compare(self._operand(node.attr_path), node.op, node.value)

    def visit_present(self, node: Present) -> Condition:
        """Ask whether a sub-attribute is there."""
        return present(self._operand(node.attr_path))

    def visit_value_path(self, node: ValuePath) -> Condition:
        """Refuse brackets within brackets (RFC 7644, erratum 4690)."""
        raise refused(f"{node.attr_path}[...] cannot stand in brackets")

    def _operand(self, path: AttrPath) -> Operand:
        if path.uri or path.sub_attr:
            raise refused(f"{path} cannot stand in brackets: name a sub-attribute alone")
        return self._entry.operand(path.attr)


class _ResourceConditions(_Conditions):
    """A filter on a resource."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    def visit_comparison(self, node: Comparison) -> Condition:
        """Compare an attribute; of a multi-valued one, any of its values."""
        path, place = node.attr_path, self._resource.find(node.attr_path)
        if isinstance(place, Complex):
            return compare(part_of(path, place), node.op, node.value)
        if isinstance(place, Operand):
            _refuse_parts(path)
            return compare(place, node.op, node.value)
        return _compare_any(place, path.sub_attr or VALUE, node)

    def visit_present(self, node: Present) -> Condition:
        """Ask whether an attribute is there and not empty."""
        path, place = node.attr_path, self._resource.find(node.attr_path)
        if isinstance(place, Complex):
            wanted = [part_of(path, place)] if path.sub_attr else list(place.parts.values())
            return or_(*map(present, wanted))
        if isinstance(place, Operand):
            _refuse_parts(path)
            return present(place)
        inner = path.sub_attr
        return place.any(
            lambda entry: or_(*map(present, [entry.operand(inner)] if inner else entry.operands))
        )

    def visit_value_path(self, node: ValuePath) -> Condition:
        """Ask whether one entry meets a whole filter."""
        place = self._resource.find(node.attr_path)
        if isinstance(place, Operand | Complex):
            raise refused(f"{node.attr_path} has one value and takes no brackets")
        met = place.any(lambda entry: _EntryConditions(entry).visit(node.val_filter))
        return _hinted(place, _values_needed(node.val_filter), met)


def _compare_any(place: ValueList, inner: str, node: Comparison) -> Condition:
    if node.op is CompareOperator.ne:
        # No value equals it; also true where there is none (as scim2-models reads it).
        equal = Comparison(node.attr_path, CompareOperator.eq, node.value)
        return not_(_compare_any(place, inner, equal))
    met = place.any(lambda entry: compare(entry.operand(inner), node.op, node.value))
    if node.value is None:
        return or_(not_(place.there()), met)
    needed = [node.value] if inner.lower() == VALUE and node.op is CompareOperator.eq else []
    return _hinted(place, needed, met)


def _hinted(place: ValueList, values: list[object], met: Condition) -> Condition:
    """Let an index go first: every value that has to be there narrows the search."""
    hints = (place.hint(value) for value in values if isinstance(value, str))
    return and_(*(hint for hint in hints if hint is not None), met)


def _values_needed(node: FilterNode) -> list[object]:
    """Return the values one of which every entry that is met has as its `value`."""
    if isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_:
        return [value for term in node.terms for value in _values_needed(term)]
    if not isinstance(node, Comparison) or node.op is not CompareOperator.eq:
        return []
    return [node.value] if node.attr_path.attr.lower() == VALUE else []


def part_of(path: AttrPath, place: Complex) -> Operand:
    """Return the sub-attribute of a path; a manager alone means their id, as Entra asks."""
    found = place.parts.get((path.sub_attr or VALUE).lower())
    if found is None:
        raise refused(f"{path} cannot be compared; name one of its parts: {', '.join(place.parts)}")
    return found


def _refuse_parts(path: AttrPath) -> None:
    if path.sub_attr:
        raise refused(f"{path} is not there: {path.attr} has no parts")
