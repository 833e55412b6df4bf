"""What a PATCH says of a group itself and what of its members, in whatever dialect.

Members never go through pydantic: they are ids, and there may be a hundred thousand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any
from uuid import UUID

from provisioning.scim.bodies import named
from provisioning.scim.errors import ScimError
from provisioning.scim.member_filters import member_condition
from provisioning.scim.noticing import notice_key, notice_members, notice_operation
from provisioning.scim.observations import Quirk, used
from provisioning.scim.quirks import plainly_named
from provisioning.scim.urns import GROUP
from provisioning.services.scim_members import MemberChange, MemberVerb

_MEMBERS = re.compile(
    rf"^(?:{re.escape(GROUP)}:)?members(?:\[(?P<filter>.*)\])?(?:\.(?P<sub>[$\w]+))?$",
    re.IGNORECASE | re.DOTALL,
)
_READ_ONLY = frozenset({"id", "meta"})
_NOTHING = (None, "")

Own = list[dict[str, Any]]
"""Operations that are not about members."""


def split_operations(payload: dict[str, Any]) -> tuple[Own, list[MemberChange]]:
    """Return the operations on the group itself, and those on its members, each in order.

    Raises:
        ScimError: 400: there are no operations, or one is not understood.
    """
    operations = named(payload, "operations")
    if not isinstance(operations, list) or not operations:
        raise _no_syntax("The PATCH has no list of Operations.")
    notice_members(payload)
    own: Own = []
    changes: list[MemberChange] = []
    for operation in operations:
        if not isinstance(operation, dict):
            raise _no_syntax("An operation is no JSON object.")
        notice_operation(operation)
        rest, members = _split(plainly_named(operation))
        own.extend(rest)
        changes.extend(members)
    return own, changes


def member_ids(value: Any) -> list[UUID]:
    """Return the ids in a list of members; what cannot be an id of ours is left out.

    Raises:
        ScimError: 400 invalidValue: it is no list of members.
    """
    if isinstance(value, dict):
        used(Quirk.SINGLE_MEMBER)
    found: list[UUID] = []
    for entry in value if isinstance(value, list) else [value]:
        id_ = named(entry, "value") if isinstance(entry, dict) else entry
        if not isinstance(id_, str):
            raise ScimError(
                HTTPStatus.BAD_REQUEST, 'A member has to be like {"value": "<id>"}.', "invalidValue"
            )
        if id_ is entry:
            used(Quirk.MEMBER_AS_STRING)
        try:
            found.append(UUID(id_))
        except ValueError:
            used(Quirk.UNKNOWN_MEMBER)
    return found


def notice_effects(changes: Iterable[MemberChange]) -> None:
    """Notice what came of changes that is not what the client will think."""
    for change in changes:
        if change.effect.left_out:
            used(Quirk.UNKNOWN_MEMBER)
        if change.verb is MemberVerb.EXCHANGE and not change.effect.removed:
            used(Quirk.FILTER_CREATES)


def _split(operation: dict[str, Any]) -> tuple[Own, list[MemberChange]]:
    """Return what one operation says of the group, and of its members."""
    op = str(operation.get("op") or "").lower()
    path, value = str(operation.get("path") or ""), operation.get("value")
    if op not in ("add", "remove", "replace"):
        raise _no_syntax(f"op has to be add, remove or replace, not {op[:20]!r}.")
    found = _MEMBERS.match(path)
    if found:
        if op == "remove" and found["filter"] is None and "value" not in operation:
            # Entra and Okta name whom they remove; a bare remove means everybody (3.5.2.2).
            return [], [MemberChange(MemberVerb.REPLACE)]
        return [], list(_on_members(op, found, value))
    if path.lower() == "schemas":
        used(Quirk.SCHEMAS_IN_PATCH)
        return [], []
    if path or not isinstance(value, dict):
        return [{**operation, "op": op}], []
    return _pathless(op, value)


def _pathless(op: str, value: dict[str, Any]) -> tuple[Own, list[MemberChange]]:
    """Return what a value says whose keys are attributes, or whole paths."""
    rest: dict[str, Any] = {}
    changes: list[MemberChange] = []
    for key, part in value.items():
        found = _MEMBERS.match(key)
        if key.lower() in _READ_ONLY:
            used(Quirk.READ_ONLY_PART)
            continue
        notice_key(key, part)
        if found is None:
            if key.lower() != "schemas":
                rest[key] = part
        elif part is not None:
            changes.extend(_on_members(op, found, part))
    return [{"op": op, "value": rest}] if rest else [], changes


def _on_members(op: str, path: re.Match[str], value: Any) -> Iterator[MemberChange]:
    """Yield what an operation on members means.

    A sub-attribute of a member that is there already never changes: all are immutable.
    """
    if path["sub"] is not None and path["sub"].lower() != "value":
        used(Quirk.READ_ONLY_PART)
        return
    if value in _NOTHING and op != "remove":
        used(Quirk.ADD_OF_NOTHING if op == "add" else Quirk.REPLACE_WITH_NOTHING_REMOVES)
    if path["filter"] is not None:
        yield from _on_some(op, path["filter"], value)
    elif op == "replace":
        yield MemberChange(MemberVerb.REPLACE, member_ids(value or []))
    elif value:
        verb = MemberVerb.ADD if op == "add" else MemberVerb.REMOVE
        yield MemberChange(verb, member_ids(value))
    elif op == "remove":
        used(Quirk.REMOVE_WITH_VALUE)


def _on_some(op: str, text: str, value: Any) -> Iterator[MemberChange]:
    """Yield what an operation on those members means that a filter finds."""
    where = member_condition(text)
    if op == "remove":
        yield MemberChange(MemberVerb.REMOVE, where=where)
    elif value and op == "replace":
        yield MemberChange(MemberVerb.EXCHANGE, member_ids(value), where=where)
    elif value:
        used(Quirk.ADD_TO_FILTER)
        yield MemberChange(MemberVerb.ADD, member_ids(value))


def _no_syntax(detail: str) -> ScimError:
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidSyntax")
