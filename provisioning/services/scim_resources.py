"""SCIM resources as the SCIM layer hands them in and gets them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from provisioning.domain.people import Person
from provisioning.storage.models.scim import ScimUserRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimUserWrite:
    """What a client wants one of its people to be, already validated by the SCIM layer."""

    user_name: str
    user_name_key: str
    external_id: str | None
    display_name_key: str | None
    person: Person
    """With our resource id as its directory id; `active` is what the client set."""

    document: bytes
    """The resource as it is answered, without meta.location, meta.version and our extension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimUserView:
    """A stored resource, for rendering."""

    id: UUID
    document: bytes
    version: int
    created_at: datetime
    modified_at: datetime
    employee_id: UUID | None


Rewrite = Callable[[bytes, UUID], ScimUserWrite]
"""Turns the stored document and the resource's id into what shall be stored instead."""


def view_of(record: ScimUserRecord) -> ScimUserView:
    """Return a stored resource without its session."""
    return ScimUserView(
        id=record.id,
        document=record.document,
        version=record.version,
        created_at=record.created_at,
        modified_at=record.modified_at,
        employee_id=record.employee_id,
    )
