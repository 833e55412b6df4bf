"""SCIM groups: what is stored of them, beside their members."""

from __future__ import annotations

from collections.abc import Sequence
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
from provisioning.scim.member_changes import member_ids
from provisioning.scim.quirks import with_schema
from provisioning.scim.urns import GROUP, PATCH
from provisioning.services.scim_groups import ScimGroupWrite


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


def _stored_form(group: Group) -> dict[str, Any]:
    document: dict[str, Any] = group.model_dump(scim_ctx=Context.DEFAULT)
    for read_only in ("id", "meta", "members"):
        document.pop(read_only, None)
    document["schemas"] = [GROUP]
    return document


def _invalid(detail: str) -> ScimError:
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidValue")
