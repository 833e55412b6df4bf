"""What filters compare instead of a document: the same values, folded when they are written."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from provisioning.scim.filters.attributes import (
    ENTERPRISE_ATTRIBUTES,
    GROUP_ATTRIBUTES,
    USER_ATTRIBUTES,
    USHER_ATTRIBUTES,
    Attribute,
    Kind,
)
from provisioning.scim.urns import ENTERPRISE, EXTENSION

ENTERPRISE_PART = "enterprise"
"""Where the enterprise extension lies in a search document."""

USHER_PART = "usher"
"""Where what a client wrote of our own extension lies in a search document."""

_LONGEST_KEY = 254
"""Characters of an address that are indexed; a letter can be sent to none that is longer."""

Folded = str | dict[str, Any]


def search_of_user(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the search document of a stored user: what is compared, under names in lower case.

    Every value is a text in the form comparisons use; null is left out; of a multi-valued
    attribute the primary entry comes first.
    """
    # Facts of ours are about everybody, whether an answer shows them or not.
    schemas = dict.fromkeys([*document.get("schemas", ()), EXTENSION])
    folded = _folded_parts(USER_ATTRIBUTES, {**document, "schemas": list(schemas)})
    for urn, part, attributes in (
        (ENTERPRISE, ENTERPRISE_PART, ENTERPRISE_ATTRIBUTES),
        (EXTENSION, USHER_PART, USHER_ATTRIBUTES),
    ):
        if isinstance(document.get(urn), Mapping):
            folded[part] = _folded_parts(attributes, document[urn])
    return folded


def search_of_group(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the search document of a stored group; its members are rows of their own."""
    return _folded_parts(
        GROUP_ATTRIBUTES, {name: value for name, value in document.items() if name != "members"}
    )


def email_keys(document: Mapping[str, Any]) -> frozenset[str]:
    """Return what the addresses of a user are looked up by.

    Rows hold it: who changes how addresses are folded has to rewrite them in a migration.
    """
    values = (email.get("value") for email in document.get("emails") or ())
    return frozenset(email_key(value) for value in values if value)


def email_key(value: str) -> str:
    """Return what an address is looked up by.

    >>> email_key("Ann@Corp.Example")
    'ann@corp.example'
    """
    return USER_ATTRIBUTES["emails"].parts["value"].folded(value)[:_LONGEST_KEY]


def exact_key(value: str) -> str:
    """Return the form in which an externalId is stored and looked up: NFC, its case kept."""
    return USER_ATTRIBUTES["externalid"].folded(value)


def binary_key(value: str) -> str:
    """Return one spelling of binary data.

    Raises:
        ValueError: It is no base64.
    """
    return base64.b64encode(base64.b64decode(value)).decode()


def _folded_parts(
    attributes: Mapping[str, Attribute], document: Mapping[str, Any]
) -> dict[str, Any]:
    given = {name.lower(): value for name, value in document.items() if value is not None}
    return {
        name: _folded(attributes[name], value)
        for name, value in given.items()
        if name in attributes
    }


def _folded(attribute: Attribute, value: Any) -> Folded | list[Folded]:
    if attribute.is_multi:
        return [_folded_one(attribute, entry) for entry in _primary_first(value)]
    return _folded_one(attribute, value)


def _folded_one(attribute: Attribute, value: Any) -> Folded:
    if attribute.kind is Kind.COMPLEX:
        return _folded_parts(attribute.parts, value)
    if attribute.kind is Kind.BOOLEAN:
        return "true" if value else "false"
    if attribute.kind is Kind.BINARY:
        return binary_key(value)
    return attribute.folded(value)


def _primary_first(entries: Sequence[Any]) -> Sequence[Any]:
    """Sorting goes by the primary entry, or the first (RFC 7644 3.4.2.3)."""
    return sorted(
        entries, key=lambda entry: not (isinstance(entry, Mapping) and entry.get("primary"))
    )
