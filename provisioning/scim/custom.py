"""Attributes of schemas that are not ours: kept as they come, and given back (RFC 7643 3.3).

A resource may carry them if its own `schemas` declares theirs; whatever else is unknown is
ignored. Nothing here is mapped to a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from provisioning.scim.urns import CORE, ENTERPRISE, EXTENSION

MAX_SCHEMAS = 10
"""Schemas of others that a resource keeps; more are ignored."""

_OURS = {urn.lower() for urn in (CORE, ENTERPRISE, EXTENSION)}
_URN = re.compile(r"urn:[a-z0-9][a-z0-9:._-]{1,199}", re.IGNORECASE)


def declared_data(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what a document holds of schemas that are not ours and that it declares."""
    declared = {str(urn).lower() for urn in document.get("schemas") or []}
    found = {
        key: _assigned(value)
        for key, value in document.items()
        if key.lower() in declared - _OURS and _URN.fullmatch(key) and isinstance(value, dict)
    }
    return {urn: found[urn] for urn in list(found)[:MAX_SCHEMAS] if found[urn]}


def patched_data(
    custom: Mapping[str, dict[str, Any]], operations: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Apply the operations of a PATCH that name a schema which is declared already.

    Whole attributes are set and taken away; what is inside one is replaced with it.
    """
    changed = {urn: dict(attributes) for urn, attributes in custom.items()}
    for operation in operations:
        path, value = str(operation.get("path") or ""), operation.get("value")
        removes = str(operation.get("op")).lower() == "remove"
        given = value if not path and isinstance(value, dict) else {path: value}
        for key, part in given.items():
            for urn, attributes in changed.items():
                if key.lower() == urn.lower() and isinstance(part, dict):
                    attributes.update(part)
                elif key.lower() == urn.lower() and removes:
                    attributes.clear()
                elif key.lower().startswith(f"{urn}:".lower()):
                    attributes[key[len(urn) + 1 :]] = None if removes else part
    return {urn: left for urn, each in changed.items() if (left := _assigned(each))}


def _assigned(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in attributes.items() if part is not None}
