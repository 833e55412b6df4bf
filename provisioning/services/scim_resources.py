"""SCIM users as the SCIM layer hands them in and gets them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import Select, bindparam, delete, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.dml import ReturningUpdate

from provisioning.domain.errors import NotFoundError, StaleWriteError, UniquenessError
from provisioning.domain.people import Person
from provisioning.storage.core import add_rows, execute, table_of, this
from provisioning.storage.models.scim import ScimCounterRecord, ScimEmailRecord, ScimUserRecord
from provisioning.storage.scim_rows import UserRow, find_user
from provisioning.storage.scim_writes import StoredGroup, StoredUser


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

    replaced_email_keys: frozenset[str] = frozenset()
    """What those of the document it replaces are looked up by."""


Stored = TypeVar("Stored", StoredUser, StoredGroup)

Rewrite = Callable[[bytes, UUID, bool], ScimUserWrite]
"""Turns the stored document, the resource's id and what the client last set `active` to into
what shall be stored instead."""


def stored_user(session: Session, source_id: UUID, id_: UUID, *, with_outcome: bool) -> UserRow:
    """Return a resource just written, as it is answered."""
    session.flush()
    row = find_user(session.connection(), source_id, id_, with_outcome=with_outcome)
    if row is None:
        raise NotFoundError("user", id_)
    return row


def _visible_with(column: InstrumentedAttribute[Any], name: str) -> Select[*tuple[Any, ...]]:
    user = ScimUserRecord
    return select(user.id, user.user_name_key, user.external_id).where(
        this(user.source_id), user.hidden_at.is_(None), column == bindparam(name)
    )


# Two look-ups by their indexes: with OR, SQLite reads every user of the source.
_NAMED_ALIKE = union_all(
    _visible_with(ScimUserRecord.user_name_key, "user_name"),
    _visible_with(ScimUserRecord.external_id, "external_id"),
)


def require_unique(
    session: Session, source_id: UUID, write: ScimUserWrite, own: UUID | None
) -> None:
    """Refuse names that another visible resource of the source has.

    Raises:
        UniquenessError: It names the other's id.
    """
    others = execute(
        session,
        _NAMED_ALIKE,
        this_source_id=source_id,
        user_name=write.user_name_key,
        external_id=write.external_id,
    )
    for attribute, value, column, key in (
        ("userName", write.user_name, "user_name_key", write.user_name_key),
        ("externalId", write.external_id, "external_id", write.external_id),
    ):
        for other in others:
            if key is not None and getattr(other, column) == key and other.id != own:
                raise UniquenessError(
                    what="person",
                    attribute=attribute,
                    value=value or "",
                    existing_id=str(other.id),
                )


def as_expected(found: Stored | None, what: str, id_: UUID, version: int | None) -> Stored:
    """Return a resource that was locked, unless the client knows another one, or none is there.

    Raises:
        NotFoundError: There is none.
        StaleWriteError: `version` (If-Match) is not the stored one.
    """
    if found is None:
        raise NotFoundError(what, id_)
    if version is not None and found.version != version:
        raise StaleWriteError(
            f"the resource is at version {found.version}, not {version}; read it again"
        )
    return found


def place_resource(session: Session, source_id: UUID, counted: InstrumentedAttribute[int]) -> int:
    """Count a new resource; returns its place in the order of its source.

    The counter's lock also makes creations of one source wait for each other: two who are
    one human by their keys must see each other (P3).
    """
    row = execute(session, _count(counted.key, 1), this_source_id=source_id).one()
    return int(row[0])


def drop_resource(session: Session, source_id: UUID, counted: InstrumentedAttribute[int]) -> None:
    """Count one resource less."""
    execute(session, _count(counted.key, -1), this_source_id=source_id).one()


@cache
def _count(name: str, difference: int) -> ReturningUpdate[int]:
    """Return the statement that counts, and gives out a place if there is one resource more."""
    counter = table_of(ScimCounterRecord)
    places = {"next_seq": counter.c.next_seq + 1} if difference > 0 else {}
    return (
        update(counter)
        .where(this(counter.c.source_id))
        .values({name: counter.c[name] + difference, **places})
        .returning(counter.c.next_seq - 1)
    )


def add_emails(session: Session, user_id: UUID, keys: frozenset[str]) -> None:
    """Write the addresses a user is looked up by."""
    add_rows(
        session, ScimEmailRecord, [{"user_id": user_id, "value_key": key} for key in sorted(keys)]
    )


def store_emails(session: Session, user_id: UUID, write: ScimUserWrite) -> None:
    """Write what changed of the addresses a user is looked up by; mostly nothing."""
    gone = write.replaced_email_keys - write.email_keys
    if gone:
        execute(session, _DROP_EMAILS, this_user_id=user_id, gone=sorted(gone))
    add_emails(session, user_id, write.email_keys - write.replaced_email_keys)


def forget_emails(session: Session, user_id: UUID) -> None:
    """Let nobody be found by the addresses of a user any more."""
    execute(session, _FORGET_EMAILS, this_user_id=user_id)


_FORGET_EMAILS = delete(table_of(ScimEmailRecord)).where(this(ScimEmailRecord.user_id))
_DROP_EMAILS = _FORGET_EMAILS.where(
    ScimEmailRecord.value_key.in_(bindparam("gone", expanding=True))
)


def set_active(record: ScimUserRecord, *, active: bool) -> None:
    """Write what is in effect into a stored user, everything else as it was."""
    record.desired_active = active
    record.document = orjson.dumps({**orjson.loads(record.document), "active": active})
    record.search = {**record.search, "active": str(active).lower()}
