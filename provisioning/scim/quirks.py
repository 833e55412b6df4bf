"""What vendors send instead of what the RFCs say, each with where it is written down."""

from __future__ import annotations

import re
from typing import Any

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
_MANAGER = f"{ENTERPRISE}:manager".lower()
_TOMBSTONE = re.compile(r"^[0-9a-f]{32}(?=.+@)", re.IGNORECASE)


def normalise_user(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a posted or put user in the RFC's own form."""
    payload = dict(payload)
    payload.setdefault("schemas", [CORE])
    enterprise = payload.get(ENTERPRISE)
    if isinstance(enterprise, dict) and "manager" in enterprise:
        payload[ENTERPRISE] = {**enterprise, "manager": _manager(enterprise["manager"])}
    if payload.get("active") == "":
        del payload["active"]
    return payload


def normalise_patch(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a PATCH body in the RFC's own form."""
    operations = payload.get("Operations", payload.get("operations"))
    if not isinstance(operations, list):
        return payload
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [_operation(each) if isinstance(each, dict) else each for each in operations],
    }


def is_tombstone(old: str, new: str) -> bool:
    """Whether a userName is Entra's mark for somebody deleted: 32 hex digits before the old one.

    https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
    """
    return bool(_TOMBSTONE.match(new)) and new[32:].lower() == old.lower()


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    """Entra sends a manager as a string, an object or a list, and takes it away with ""."""
    path, value = str(operation.get("path") or ""), operation.get("value")
    if path.lower() == _MANAGER or path.lower() == f"{_MANAGER}.value":
        return {**operation, "path": f"{ENTERPRISE}:manager", "value": _manager(value)}
    if not path and isinstance(value, dict):
        return {**operation, "value": {key: _pathless(key, part) for key, part in value.items()}}
    return operation


def _pathless(key: str, value: Any) -> Any:
    if key.lower() == _MANAGER:
        return _manager(value)
    if key == ENTERPRISE and isinstance(value, dict) and "manager" in value:
        return {**value, "manager": _manager(value["manager"])}
    return value


def _manager(value: Any) -> dict[str, str] | None:
    """Return a manager with the reference RFC 7643 4.3 asks for and no provider sends."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("value")
    if not value:
        return None
    return {"value": str(value), "$ref": f"../Users/{value}"}
