"""Sorting (RFC 7644 3.4.2.3): by the folded value, ties in the order of pages."""

from __future__ import annotations

from typing import Any

from scim2_models import Path, SCIMException
from scim2_models.path import AttrPath
from sqlalchemy import ColumnElement

from provisioning.scim.errors import ScimError
from provisioning.scim.filters.comparing import Operand
from provisioning.scim.filters.conditions import part_of
from provisioning.scim.filters.lists import VALUE, JsonList
from provisioning.scim.filters.refusing import unsortable
from provisioning.scim.filters.resources import GROUPS, USERS, Complex, Resource

Order = tuple[ColumnElement[Any], ...]


def user_order(sort_by: str, *, descending: bool = False) -> Order:
    """Return what users are ordered by; missing values come last, or first if descending.

    Raises:
        ScimError: 400 invalidValue: there is no such attribute, or it has no order.
    """
    return _order(USERS, sort_by, descending=descending)


def group_order(sort_by: str, *, descending: bool = False) -> Order:
    """Return what groups are ordered by; missing values come last, or first if descending.

    Raises:
        ScimError: 400 invalidValue: there is no such attribute, or it has no order.
    """
    return _order(GROUPS, sort_by, descending=descending)


def is_descending(sort_order: str) -> bool:
    """Read sortOrder; ascending without one.

    Raises:
        ScimError: 400 invalidValue: it is neither.
    """
    order = sort_order.strip().lower()
    if order not in ("", "ascending", "descending"):
        raise unsortable(f"sortOrder is ascending or descending, not {sort_order[:40]!r}")
    return order == "descending"


def _order(resource: Resource, sort_by: str, *, descending: bool) -> Order:
    operand = _operand(resource, sort_by)
    missing = () if operand.is_certain else (operand.sql.is_(None),)
    keys = (*missing, operand.sql)
    return (*(key.desc() if descending else key.asc() for key in keys), resource.record.seq.asc())


def _operand(resource: Resource, sort_by: str) -> Operand:
    try:
        path = Path(sort_by).ast
        if not isinstance(path, AttrPath):
            raise unsortable(f"{sort_by[:100]!r} is no attribute to sort by")
        place = resource.find(path)
        if isinstance(place, Complex):
            return part_of(path, place)
        if isinstance(place, JsonList):
            return place.first(path.sub_attr or VALUE)
        if isinstance(place, Operand) and not path.sub_attr:
            return place
    except (SCIMException, ScimError) as error:
        raise unsortable(f"cannot sort by {sort_by[:100]!r}: {error.detail}") from error
    raise unsortable(f"cannot sort by {sort_by[:100]!r}: it has no order")
