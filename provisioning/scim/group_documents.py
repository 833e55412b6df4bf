"""SCIM groups: what is stored of them, and what a PATCH does to their members.

Members never go through pydantic: they are ids, and there may be a hundred thousand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from scim2_models import Context, Group, PatchOp

from provisioning.domain.addresses import address_key
from provisioning.scim.bodies import named
from provisioning.scim.documents import LONGEST_KEY, TOLERANT
from provisioning.scim.errors import ScimError
from provisioning.scim.filters import exact_key, search_of_group
from provisioning.scim.member_filters import member_condition
from provisioning.scim.quirks import with_schema
from provisioning.scim.urns import GROUP, PATCH
from provisioning.services.scim_groups import ScimGroupWrite
from provisioning.services.scim_members import MemberChange, MemberVerb

_MEMBERS = re.compile(
    rf"^(?:{re.escape(GROUP)}:)?members(?:\[(?P<filter>.*)\])?(?:\.(?P<sub>[$\w]+))?$",
    re.IGNORECASE | re.DOTALL,
)
_READ_ONLY = frozenset({"id", "meta", "schemas"})


def parse_group(payload: dict[str, Any], *, replacing: bool) -> tuple[dict[str, Any], Any]:
    """Validate a posted or put group; returns its document and its members, if it names any.

    Raises:
        ValidationError: It is no SCIM group.
        ScimError: 400: its members are no list of ids.
    """
    members = named(payload, "members")
    rest = {key: value for key, value in payload.items() if key.lower() != "members"}
    context = (
        Context.RESOURCE_REPLACEMENT_REQUEST if replacing else Context.RESOURCE_CREATION_REQUEST
    )
    group = Group.model_validate(with_schema(rest, GROUP), scim_ctx=context, scim_policy=TOLERANT)
    return _stored_form(group), None if members is None else member_ids(members)


def group_write(document: dict[str, Any], id_: UUID) -> ScimGroupWrite:
    """Return what to store for a validated document.

    Raises:
        ScimError: 400 invalidValue: a name or key is empty or too long.
    """
    name = str(document.get("displayName") or "").strip()
    if not name:
        raise _invalid("displayName is empty.")
    external_id = exact_key(document.get("externalId") or "") or None
    for attribute, value in (("displayName", name), ("externalId", external_id)):
        if len(address_key(value or "").encode()) > LONGEST_KEY:
            raise _invalid(f"{attribute} is longer than {LONGEST_KEY:,} bytes.")
    document = {"schemas": document["schemas"], "id": str(id_), **document, "displayName": name}
    return ScimGroupWrite(
        display_name=name,
        display_name_key=address_key(name),
        external_id=external_id,
        search=search_of_group(document),
        document=orjson.dumps(document),
    )


def patch_group(document: dict[str, Any], operations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Apply the operations that are not about members to a stored document.

    Raises:
        ValidationError: The operations are none.
        SCIMException: An operation cannot be applied.
    """
    if not operations:
        return document
    patch = PatchOp[Group].model_validate(
        {"schemas": [PATCH], "Operations": operations},
        scim_ctx=Context.RESOURCE_PATCH_REQUEST,
        scim_policy=TOLERANT,
    )
    with TOLERANT:
        group = Group.model_validate(document)
        patch.patch(group)
    return _stored_form(group)


def split_operations(
    payload: dict[str, Any],
) -> tuple[list[dict[str, Any]], list[MemberChange]]:
    """Return the operations on the group itself, and those on its members, each in order.

    Raises:
        ScimError: 400: there are no operations, or one is not understood.
    """
    operations = named(payload, "operations")
    if not isinstance(operations, list) or not operations:
        raise ScimError(
            HTTPStatus.BAD_REQUEST, "The PATCH has no list of Operations.", "invalidSyntax"
        )
    own: list[dict[str, Any]] = []
    changes: list[MemberChange] = []
    for operation in operations:
        if not isinstance(operation, dict):
            raise ScimError(
                HTTPStatus.BAD_REQUEST, "An operation is no JSON object.", "invalidSyntax"
            )
        rest, members = _split({key.lower(): value for key, value in operation.items()})
        own.extend(rest)
        changes.extend(members)
    return own, changes


def _split(operation: dict[str, Any]) -> tuple[list[dict[str, Any]], list[MemberChange]]:
    """Return what one operation says of the group, and of its members."""
    op = str(operation.get("op") or "").lower()
    path, value = str(operation.get("path") or "").strip(), operation.get("value")
    if op not in ("add", "remove", "replace"):
        raise ScimError(
            HTTPStatus.BAD_REQUEST, f"op has to be add, remove or replace, not {op[:20]!r}.",
            "invalidSyntax",
        )  # fmt: skip
    found = _MEMBERS.match(path)
    if found:
        if op == "remove" and found["filter"] is None and "value" not in operation:
            # Entra and Okta name whom they remove; a bare remove means everybody (3.5.2.2).
            return [], [MemberChange(MemberVerb.REPLACE)]
        return [], list(_on_members(op, found["filter"], found["sub"], value))
    if path or not isinstance(value, dict):
        return [{**operation, "op": op}], []
    members = named(value, "members")
    rest = {
        key: part
        for key, part in value.items()
        if key.lower() != "members" and key.lower() not in _READ_ONLY
    }
    own = [{"op": op, "value": rest}] if rest else []
    return own, [] if members is None else list(_on_members(op, None, None, members))


def _on_members(
    op: str, filter_: str | None, sub: str | None, value: Any
) -> Iterator[MemberChange]:
    """Yield what an operation on members means.

    A sub-attribute of a member that is there already never changes: all are immutable.
    """
    if sub is not None and sub.lower() != "value":
        return
    if filter_ is not None:
        where = member_condition(filter_)
        if op == "remove" or (op == "replace" and value):
            yield MemberChange(MemberVerb.REMOVE, where=where)
        if op != "remove" and value:
            yield MemberChange(MemberVerb.ADD, member_ids(value))
    elif op == "replace":
        yield MemberChange(MemberVerb.REPLACE, member_ids(value or []))
    elif value:
        verb = MemberVerb.ADD if op == "add" else MemberVerb.REMOVE
        yield MemberChange(verb, member_ids(value))


def member_ids(value: Any) -> list[UUID]:
    """Return the ids in a list of members; what cannot be an id of ours is left out.

    Raises:
        ScimError: 400 invalidValue: it is no list of members.
    """
    entries = value if isinstance(value, list) else [value]
    found: list[UUID] = []
    for entry in entries:
        id_ = named(entry, "value") if isinstance(entry, dict) else entry
        if not isinstance(id_, str):
            raise _invalid('A member has to be like {"value": "<id>"}.')
        try:
            found.append(UUID(id_))
        except ValueError:
            continue
    return found


def _stored_form(group: Group) -> dict[str, Any]:
    document: dict[str, Any] = group.model_dump(scim_ctx=Context.DEFAULT)
    for read_only in ("id", "meta", "members"):
        document.pop(read_only, None)
    document["schemas"] = [GROUP]
    return document


def _invalid(detail: str) -> ScimError:
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidValue")
