"""SCIM resources as the SCIM layer hands them in and gets them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from provisioning.domain.errors import UniquenessError
from provisioning.domain.people import Person
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.scim import ScimCounterRecord, ScimEmailRecord, ScimUserRecord


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

    search: dict[str, Any]
    """The document, folded for filters."""

    email_keys: frozenset[str]
    """What its addresses are looked up by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimUserView:
    """A stored resource, for rendering."""

    id: UUID
    document: bytes
    version: int
    created_at: datetime
    modified_at: datetime
    employee: EmployeeRecord | None
    """Who it is, as of the same moment; to be shown, not to be written."""


Rewrite = Callable[[bytes, UUID], ScimUserWrite]
"""Turns the stored document and the resource's id into what shall be stored instead."""


def view_of(record: ScimUserRecord, employee: EmployeeRecord | None) -> ScimUserView:
    """Return a stored resource without its session."""
    return ScimUserView(
        id=record.id,
        document=record.document,
        version=record.version,
        created_at=record.created_at,
        modified_at=record.modified_at,
        employee=employee,
    )


def require_unique(
    session: Session, source_id: UUID, write: ScimUserWrite, own: UUID | None
) -> None:
    """Refuse names that another visible resource of the source has.

    Raises:
        UniquenessError: It names the other's id.
    """
    visible = select(ScimUserRecord.id).where(
        ScimUserRecord.source_id == source_id, ScimUserRecord.hidden_at.is_(None)
    )
    keys: list[tuple[str, str, InstrumentedAttribute[Any], str]] = [
        ("userName", write.user_name, ScimUserRecord.user_name_key, write.user_name_key)
    ]
    if write.external_id is not None:
        column = ScimUserRecord.external_id
        keys.append(("externalId", write.external_id, column, write.external_id))
    for attribute, value, column, key in keys:
        other = session.scalar(visible.where(column == key))
        if other is not None and other != own:
            raise UniquenessError(attribute=attribute, value=value, existing_id=str(other))


def count_resources(session: Session, source_id: UUID, difference: int) -> int:
    """Keep the number of visible resources exact; returns the place of a new one.

    The counter's lock also makes creations of one source wait for each other: two who are
    one human by their keys must see each other (P3).
    """
    counter = session.get(ScimCounterRecord, source_id, with_for_update=True)
    if counter is None:
        counter = ScimCounterRecord(source_id=source_id, users=0, groups=0, next_seq=1)
        session.add(counter)
    counter.users += difference
    seq = counter.next_seq
    counter.next_seq += max(difference, 0)
    session.flush()
    return seq


def store_emails(session: Session, user_id: UUID, keys: frozenset[str]) -> None:
    """Write what changed of the addresses a user is looked up by; mostly nothing."""
    emails = ScimEmailRecord
    stored = set(session.scalars(select(emails.value_key).where(emails.user_id == user_id)))
    if gone := stored - keys:
        session.execute(
            delete(emails)
            .where(emails.user_id == user_id, emails.value_key.in_(gone))
            .execution_options(synchronize_session=False)
        )
    if new := keys - stored:
        session.execute(
            insert(emails), [{"user_id": user_id, "value_key": key} for key in sorted(new)]
        )
