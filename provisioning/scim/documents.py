"""SCIM users: what is stored of them, and the person they describe."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from scim2_models import (
    Context,
    Email,
    EnterpriseUser,
    InvalidFilterException,
    PatchOp,
    PatchOperation,
    Path,
    PathNotFoundException,
    ScimPolicy,
    User,
)
from scim2_models.resources.resource import AnyExtension

from provisioning.domain.addresses import address_key, usable_mail
from provisioning.domain.people import DirectoryId, Person
from provisioning.scim.custom import declared_data, patched_data
from provisioning.scim.errors import ScimError
from provisioning.scim.extension import WRITABLE, UsherUser
from provisioning.scim.filters.folding import email_keys, exact_key, search_of_user
from provisioning.scim.observations import Quirk, keeps, used
from provisioning.scim.quirks import is_tombstone
from provisioning.scim.urns import CORE, ENTERPRISE, EXTENSION
from provisioning.services.scim_resources import ScimUserWrite

TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""What real identity providers need; the strict default refuses Entra."""

LONGEST_KEY = 1_000
"""Bytes of a folded key; PostgreSQL indexes texts of 2,704 bytes at most."""


class _Address(Email):
    """An address as it comes: whether a letter can be sent to it is ours to judge (I1)."""

    value: str | None = None


class _AddressedUser(User[AnyExtension]):
    """A user whose unusable address is a finding, not a failed request."""

    emails: list[_Address] | None = None  # type: ignore[assignment]  # nobody appends to it


ScimUser = _AddressedUser[EnterpriseUser | UsherUser]

_UserPatch, _UserPath = PatchOp[ScimUser], Path[ScimUser]
"""Kept: pydantic forgets a parametrised model nobody holds, and making it again takes 3 ms."""


def parse_user(payload: dict[str, Any], *, replacing: bool) -> dict[str, Any]:
    """Validate a posted or put user; returns its document without read-only parts.

    Raises:
        ValidationError: It is no SCIM user.
    """
    context = (
        Context.RESOURCE_REPLACEMENT_REQUEST if replacing else Context.RESOURCE_CREATION_REQUEST
    )
    user = ScimUser.model_validate(payload, scim_ctx=context, scim_policy=TOLERANT)
    return _stored_form(user, declared_data(payload))


def patch_user(document: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """Apply a PATCH to a stored document, whole or not at all.

    Raises:
        ValidationError: The operations are none.
        SCIMException: An operation cannot be applied.
    """
    patch = _UserPatch.model_validate(
        payload, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=TOLERANT
    )
    with TOLERANT:
        user = ScimUser.model_validate(document)
        _apply(patch, user)
    return _stored_form(user, patched_data(declared_data(document), payload["Operations"]))


def _apply(patch: PatchOp[ScimUser], user: ScimUser) -> None:
    """Apply every operation; one whose filter is misspelled changes nothing, like its path."""
    try:
        made = _makes_entry(patch, user)
        patch.patch(user)
        if made:
            used(Quirk.FILTER_CREATES)
    except InvalidFilterException as error:
        if not isinstance(error.__cause__, PathNotFoundException):
            raise
        used(Quirk.UNREADABLE_PATH)
        operations = patch.operations or []
        if len(operations) == 1:
            return
        for operation in operations:
            _apply(patch.model_copy(update={"operations": [operation]}), user)


def _makes_entry(patch: PatchOp[ScimUser], user: ScimUser) -> bool:
    """Whether a filter finds no entry to write to, so that the one it describes is made."""
    filters = [
        str(operation.path).rpartition("]")[0] + "]"
        for operation in patch.operations or ()
        if "]" in str(operation.path) and operation.op is not PatchOperation.Op.remove
    ]
    return any(_UserPath(text).get(user) is None for text in filters)


def _stored_form(user: ScimUser, custom: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = user.model_dump(scim_ctx=Context.DEFAULT)
    ours = document.pop(EXTENSION, {})
    for read_only in ("id", "meta", "groups", "password"):
        document.pop(read_only, None)
    keeps(custom)
    # Whatever a request was validated by, no fact of ours is stored as a client's word.
    if written := {name: ours[name] for name in WRITABLE if name in ours}:
        document[EXTENSION] = written
    extensions = [urn for urn in (ENTERPRISE, EXTENSION) if urn in document]
    document["schemas"] = [CORE, *extensions, *custom]
    return {**document, **custom}


def write_of(
    document: dict[str, Any],
    id_: UUID,
    source: str,
    before: dict[str, Any] | None,
    *,
    was_active: bool = True,
) -> ScimUserWrite:
    """Return what to store for a validated document.

    Args:
        document: The client's wish, without read-only parts.
        id_: Our resource id.
        source: The token's source.
        before: The stored document, if there is one.
        was_active: What holds on while `active` has no value, which is never a dismissal.

    Raises:
        ScimError: 400 invalidValue: a name or key is empty or too long.
    """
    document = dict(document)
    if before is None:
        document.setdefault("active", True)
    user_name = str(document["userName"]).strip()
    if before is not None and is_tombstone(str(before.get("userName", "")), user_name):
        user_name = before["userName"]
    document = {"schemas": document.pop("schemas"), "id": str(id_), **document}
    document["userName"] = user_name
    display_name = document.get("displayName")
    if not user_name:
        raise _invalid("userName is empty.")
    for name, value in (
        ("userName", user_name),
        ("externalId", document.get("externalId")),
        ("displayName", display_name),
        ("employeeNumber", (document.get(ENTERPRISE) or {}).get("employeeNumber")),
    ):
        if len(address_key(value or "").encode()) > LONGEST_KEY:
            raise _invalid(f"{name} is longer than {LONGEST_KEY:,} bytes.")
    person = person_of(document, DirectoryId(source, str(id_)), was_active=was_active)
    return ScimUserWrite(
        user_name=user_name,
        user_name_key=address_key(user_name),
        external_id=exact_key(document.get("externalId") or "") or None,
        display_name_key=address_key(str(display_name)) if display_name else None,
        person=person,
        document=orjson.dumps(document),
        # `active` may be removed, which dismisses nobody: filters go by what holds on.
        search=search_of_user({**document, "active": person.active}),
        email_keys=email_keys(document),
        replaced_email_keys=email_keys(before) if before else frozenset(),
    )


def _invalid(detail: str) -> ScimError:
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidValue")


def person_of(document: dict[str, Any], id_: DirectoryId, *, was_active: bool = True) -> Person:
    """Return the person a document describes; `was_active` holds where it does not say."""
    name = document.get("name") or {}
    enterprise = document.get(ENTERPRISE) or {}
    ours = document.get(EXTENSION) or {}
    addresses = _addresses(document)
    mail = next(iter(addresses), None) or usable_mail(str(document["userName"]))
    given, family = name.get("givenName"), name.get("familyName")
    joined = " ".join(part for part in (given, family) if part)
    user_name = str(document["userName"]).strip()
    phones = document.get("phoneNumbers") or [{}]
    active = bool(document.get("active", was_active))
    return Person(
        id=id_,
        user_name=user_name,
        mail=mail,
        display_name=document.get("displayName") or name.get("formatted") or joined or user_name,
        active=active,
        inactive_reason="" if active else f"active=false from {id_.source}",
        given_name=given,
        family_name=family,
        employee_number=enterprise.get("employeeNumber"),
        external_id=document.get("externalId") or None,
        department=enterprise.get("department"),
        title=document.get("title"),
        phone=phones[0].get("value"),
        manager=(enterprise.get("manager") or {}).get("value"),
        language=document.get("preferredLanguage"),
        mailbox=usable_mail(ours.get("mailbox") or ""),
        aliases=tuple(address for address in addresses if address != mail),
    )


def _addresses(document: dict[str, Any]) -> list[str]:
    """Return usable addresses: primary first, then work, then the others as they came."""

    def rank(email: dict[str, Any]) -> tuple[bool, bool]:
        return not email.get("primary"), str(email.get("type", "")).lower() != "work"

    ordered = sorted(document.get("emails") or [], key=rank)
    found = (usable_mail(str(email.get("value") or "")) for email in ordered)
    return list(dict.fromkeys(address for address in found if address))
