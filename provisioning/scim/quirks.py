"""What vendors send instead of what the RFCs say, each with where it is written down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from provisioning.scim.bodies import named
from provisioning.scim.noticing import (
    BARE_MANAGERS,
    notice_active,
    notice_key,
    notice_members,
    notice_operation,
    notice_primary,
)
from provisioning.scim.observations import Quirk, used
from provisioning.scim.urns import CORE, ENTERPRISE, PATCH

_CORES = "urn:ietf:params:scim:schemas:core:2.0:"
"""What every resource type of RFC 7643 begins with."""

_MANAGER = f"{ENTERPRISE}:manager".lower()
_MANAGERS = (_MANAGER, f"{_MANAGER}.value", *BARE_MANAGERS)

_OPERATORS = ("eq", "ne", "co", "sw", "ew")
_LITERAL = re.compile(r"true|false|null|-?[\d.]+", re.IGNORECASE)
_UNQUOTED = re.compile(
    r"""([a-z$][\w.:$-]* (?:eq|ne|co|sw|ew) )((?!(?:and|or|not)\b)[^\s"'()\[\]\\]+)""",
    re.IGNORECASE,
)
_ALL_UNQUOTED = re.compile(f"{_UNQUOTED.pattern}(?: and {_UNQUOTED.pattern})*", re.IGNORECASE)
_TOMBSTONE = re.compile(r"^[0-9a-f]{32}(?=.+@)", re.IGNORECASE)
_NOTHING = {"op": "add", "value": {}}
"""An operation that changes nothing: a PATCH without any would be refused."""


def normalise_user(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a posted or put user in the RFC's own form."""
    notice_active(named(payload, "active"))
    for value in payload.values():
        notice_primary(value)
    payload = {
        key: _with_manager(value) if key.lower() == ENTERPRISE.lower() else value
        for key, value in payload.items()
        if value != "" or not _is_active(key)
    }
    return with_schema(payload, CORE)


def with_schema(payload: dict[str, Any], core: str) -> dict[str, Any]:
    """Return a resource that says of what type it is, unless it says it is of another.

    OneLogin's templates name urn:scim:schemas:core:2.0, which never was a schema.
    """
    schemas = payload.get("schemas", [])
    if not isinstance(schemas, list) or any(str(urn).lower().startswith(_CORES) for urn in schemas):
        return payload
    used(Quirk.NO_SCHEMAS)
    return {**payload, "schemas": [core, *schemas]}


def normalise_patch(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a PATCH body in the RFC's own form; Entra's extra members are left out."""
    operations = named(payload, "operations")
    if not isinstance(operations, list):
        return payload
    notice_members(payload)
    normal = [each for operation in operations for each in _operations(operation)]
    if operations and not normal:
        normal = [_NOTHING]
    return {"schemas": [PATCH], "Operations": normal}


def with_quotes(text: str) -> str:
    """Return a filter with its texts quoted if it has not one quote: words compared, and `and`.

    Microsoft's own example is `externalId eq jyoung`, authentik 2025.8 sent every look-up so; an
    error would end the synchronisation, and no match would make the person twice.
    https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
    """
    if not _ALL_UNQUOTED.fullmatch(text):
        return text

    def quoted(found: re.Match[str]) -> str:
        if _LITERAL.fullmatch(found[2]):
            return found[0]
        used(Quirk.UNQUOTED_VALUE)
        return f'{found[1]}"{found[2]}"'

    return _UNQUOTED.sub(quoted, text)


def is_tombstone(old: str, new: str) -> bool:
    """Whether a userName is Entra's mark for somebody deleted: 32 hex digits before the old one.

    https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
    """
    is_mark = bool(_TOMBSTONE.match(new)) and new[32:].lower() == old.lower()
    if is_mark:
        used(Quirk.TOMBSTONE_RENAME)
    return is_mark


def refuses_pagination(user_agent: str) -> bool:
    """Whether a client gives up on a ServiceProviderConfig that says RFC 9865's `pagination`.

    canaille's does: scim2-client before 0.8, which talks through httpx.
    https://canaille.readthedocs.io/en/latest/howtos/provisioning.html
    """
    return user_agent.startswith("python-httpx/")


def _operations(operation: Any) -> Iterator[Any]:
    """Yield what one operation means; nothing is ever set to nothing.

    Entra clears with "" or null what RFC 7644 3.5.2 takes away with remove; `add` of nothing
    adds nothing, but for the manager, whom Entra takes away like that.
    """
    if not isinstance(operation, dict):
        yield operation
        return
    notice_operation(operation)
    operation = plainly_named(operation)
    path, value = str(operation.get("path") or ""), operation.get("value")
    if _is_ignored(path):
        return
    clears = str(operation.get("op")).lower() == "replace"
    if path.lower() in _MANAGERS:
        path, value, clears = f"{ENTERPRISE}:manager", _manager(value), True
        operation |= {"path": path, "value": value} if "value" in operation else {"path": path}
    elif path.lower() == ENTERPRISE.lower():
        operation["value"] = _with_manager(value)
    if str(operation.get("op")).lower() == "remove":
        yield {"op": "remove", "path": path} if path.lower() == _MANAGER else operation
    elif not path and isinstance(value, dict):
        yield from _pathless(operation, value, clears=clears)
    elif "value" in operation and value in (None, ""):
        used(Quirk.REPLACE_WITH_NOTHING_REMOVES if clears else Quirk.ADD_OF_NOTHING)
        if clears and not _is_active(path):
            yield {"op": "remove", "path": path}
    else:
        yield operation


def _pathless(
    operation: dict[str, Any], value: dict[str, Any], *, clears: bool
) -> Iterator[dict[str, Any]]:
    """Yield one operation for what is set, and one for each attribute that is cleared.

    Entra's keys may be whole paths, `emails[type eq "work"].value` among them.
    """
    given: dict[str, Any] = {}
    for key, part in value.items():
        if _is_ignored(key):
            continue
        is_manager = key.lower() in _MANAGERS
        notice_key(key, part)
        normal = _manager(part) if is_manager else part
        if key.lower() == ENTERPRISE.lower():
            normal = _with_manager(part)
        if "[" in key and normal not in (None, ""):
            yield {**operation, "path": key, "value": normal}
        elif normal not in (None, ""):
            given[f"{ENTERPRISE}:manager" if is_manager else key] = normal
        elif (is_manager or clears) and not _is_active(key):
            used(Quirk.REPLACE_WITH_NOTHING_REMOVES)
            yield {"op": "remove", "path": f"{ENTERPRISE}:manager" if is_manager else key}
    if given or not value:
        yield {**operation, "value": given}


def plainly_named(operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation with the RFC's names of its members and no blanks around its path."""
    named_so = {key.lower(): value for key, value in operation.items()}
    if isinstance(path := named_so.get("path"), str):
        named_so["path"] = path.strip()
    return named_so


def _is_ignored(path: str) -> bool:
    """Whether a path is nothing to write to: schemas follow from the attributes there are."""
    if path.lower() == "schemas":
        used(Quirk.SCHEMAS_IN_PATCH)
        return True
    if _lacks_quotes(path):
        used(Quirk.UNREADABLE_PATH)
        return True
    return False


def _lacks_quotes(path: str) -> bool:
    """Whether a path has a filter whose text is not quoted: emails[type eq work].value."""
    inside, closed, _ = path.partition("[")[2].partition("]")
    if not closed or '"' in inside:
        return False
    return any(
        word.lower() in _OPERATORS and not _LITERAL.fullmatch(value)
        for word, value in pairwise(inside.split())
    )


def _is_active(path: str) -> bool:
    """Whether it is `active`: Entra's "" for it is nobody's wish."""
    return path.lower() == "active"


def _with_manager(enterprise: Any) -> Any:
    """Return the enterprise extension with its manager in the RFC's form."""
    if not isinstance(enterprise, dict):
        return enterprise
    return {
        key: _manager(value) if key.lower() == "manager" else value
        for key, value in enterprise.items()
    }


def _manager(value: Any) -> dict[str, str] | None:
    """Return a manager with the reference RFC 7643 4.3 asks for and few providers send.

    Entra sends a string, an object or a list, and takes it away with "".
    """
    if isinstance(value, list):
        used(Quirk.MANAGER_AS_LIST)
        value = value[0] if value else None
    reference = None
    if isinstance(value, dict):
        if "$ref" not in value:
            used(Quirk.MANAGER_WITHOUT_REFERENCE)
        reference, value = value.get("$ref"), named(value, "value")
    elif value is not None:
        used(Quirk.MANAGER_AS_STRING)
    if not value:
        return None
    return {"value": str(value), "$ref": str(reference or f"../Users/{value}")}
