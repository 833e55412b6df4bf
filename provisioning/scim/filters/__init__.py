"""Filters and sorting become SQL that SQLite and PostgreSQL answer alike (RFC 7644 3.4.2).

What a filter compares is written beside each document: the same values, folded as scim2-models
folds them. An index goes first where there is one, and the folded document decides.
"""

from provisioning.scim.filters.conditions import group_condition, user_condition
from provisioning.scim.filters.folding import (
    email_keys,
    exact_key,
    search_of_group,
    search_of_user,
)
from provisioning.scim.filters.ordering import group_order, is_descending, user_order

__all__ = [
    "email_keys",
    "exact_key",
    "group_condition",
    "group_order",
    "is_descending",
    "search_of_group",
    "search_of_user",
    "user_condition",
    "user_order",
]
