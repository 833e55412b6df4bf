"""How bodies depart from the RFCs, noticed by name; nothing is changed here."""

from __future__ import annotations

import re
from typing import Any

from provisioning.scim.bodies import named
from provisioning.scim.observations import Quirk, used
from provisioning.scim.urns import ENTERPRISE, PATCH

BARE_MANAGERS = ("manager", "manager.value")
"""Entra's documented example leaves the schema away."""

_PRIMARY_TEXT = re.compile(r'\bprimary\s+eq\s+"')


def notice_active(value: Any) -> None:
    """Notice how `active` is written."""
    if value == "":
        used(Quirk.EMPTY_ACTIVE)
    else:
        _notice_boolean(value)


def _notice_boolean(value: Any) -> None:
    if isinstance(value, str | int) and not isinstance(value, bool):
        used(Quirk.STRING_BOOLEAN)


def notice_primary(value: Any) -> None:
    """Notice how the entries of an attribute say which of them is the primary one."""
    for entry in value if isinstance(value, list) else (value,):
        if isinstance(entry, dict):
            _notice_boolean(named(entry, "primary"))


def notice_members(payload: dict[str, Any]) -> None:
    """Notice what is around the operations of a PATCH."""
    if PATCH.lower() not in str(named(payload, "schemas")).lower():
        used(Quirk.NO_SCHEMAS)
    if "Operations" not in payload:
        used(Quirk.MEMBER_CASE)
    if any(key.lower() not in ("schemas", "operations") for key in payload):
        used(Quirk.PATCH_EXTRAS)


def notice_operation(operation: dict[str, Any]) -> None:
    """Notice how an operation of a PATCH is written."""
    op, value = named(operation, "op"), named(operation, "value")
    if any(key != key.lower() for key in operation):
        used(Quirk.MEMBER_CASE)
    if any(key.lower() not in ("op", "path", "value") for key in operation):
        used(Quirk.PATCH_EXTRAS)
    if op != str(op).lower():
        used(Quirk.OP_CASE)
    if str(op).lower() == "remove" and value is not None:
        used(Quirk.REMOVE_WITH_VALUE)
    _notice_path(str(named(operation, "path") or "").lower(), value)


def _notice_path(written: str, value: Any) -> None:
    """Notice how a path is written, and the truth of what is written there."""
    path = written.strip()
    if path != written:
        used(Quirk.PADDED_PATH)
    if path in BARE_MANAGERS:
        used(Quirk.MANAGER_WITHOUT_SCHEMA)
    if _PRIMARY_TEXT.search(path):
        used(Quirk.STRING_BOOLEAN)
    if path.rpartition(":")[2] == "active":
        notice_active(value)
    elif path.endswith(".primary"):
        _notice_boolean(value)
    elif path:
        notice_primary(value)


def notice_key(key: str, value: Any) -> None:
    """Notice a key that is a path, where RFC 7644 3.5.2 has the names of attributes."""
    if "[" in key:
        used(Quirk.FILTER_PATH)
    elif key.lower().startswith("urn:") and key.lower() != ENTERPRISE.lower():
        used(Quirk.URN_PATH)
    elif key.lower() in BARE_MANAGERS:
        used(Quirk.MANAGER_WITHOUT_SCHEMA)
    elif "." in key:
        used(Quirk.DOTTED_PATH)
    elif key.lower() == "schemas":
        used(Quirk.SCHEMAS_IN_PATCH)
    elif key.lower() == "active":
        notice_active(value)
    notice_primary(value)
