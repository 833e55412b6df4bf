"""SCIM users as the SCIM layer hands them in and gets them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from provisioning.domain.errors import NotFoundError, StaleWriteError, UniquenessError
from provisioning.domain.people import Person
from provisioning.storage.models.scim import ScimCounterRecord, ScimEmailRecord, ScimUserRecord
from provisioning.storage.scim_rows import UserRow, find_user


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


Rewrite = Callable[[bytes, UUID], ScimUserWrite]
"""Turns the stored document and the resource's id into what shall be stored instead."""


def stored_user(session: Session, record: ScimUserRecord) -> UserRow:
    """Return a resource just written, as it is answered."""
    session.flush()
    row = find_user(session, record.source_id, record.id)
    if row is None:
        raise NotFoundError("user", record.id)
    return row


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
            raise UniquenessError(
                what="person", attribute=attribute, value=value, existing_id=str(other)
            )


def require_version(version: int, expected: int | None) -> None:
    """Refuse to write over a version the client has not seen.

    Raises:
        StaleWriteError: `expected` (If-Match) is another one.
    """
    if expected is not None and version != expected:
        raise StaleWriteError(
            f"the resource is at version {version}, not {expected}; read it again"
        )


def place_resource(session: Session, source_id: UUID, counted: InstrumentedAttribute[int]) -> int:
    """Count a new resource; returns its place in the order of its source.

    The counter's lock also makes creations of one source wait for each other: two who are
    one human by their keys must see each other (P3).
    """
    place = ScimCounterRecord.next_seq
    return session.execute(
        update(ScimCounterRecord)
        .where(ScimCounterRecord.source_id == source_id)
        .values({counted: counted + 1, place: place + 1})
        .returning(place - 1)
        .execution_options(synchronize_session=False)
    ).scalar_one()


def drop_resource(session: Session, source_id: UUID, counted: InstrumentedAttribute[int]) -> None:
    """Count one resource less."""
    session.execute(
        update(ScimCounterRecord)
        .where(ScimCounterRecord.source_id == source_id)
        .values({counted: counted - 1})
        .execution_options(synchronize_session=False)
    )


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
