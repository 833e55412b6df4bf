"""SCIM resources under change: locked, compared and written as rows, without objects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from provisioning.storage.base import Base
from provisioning.storage.core import execute, table_of, this
from provisioning.storage.models.scim import ScimGroupRecord, ScimUserRecord


class StoredUser(NamedTuple):
    """A visible user as it is before a change."""

    version: int
    document: bytes
    user_name_key: str
    external_id: str | None
    display_name_key: str | None
    desired_active: bool
    employee_id: UUID | None


class StoredGroup(NamedTuple):
    """A group as it is before a change."""

    version: int
    seq: int
    document: bytes
    display_name: str
    display_name_key: str
    external_id: str | None
    created_at: datetime
    modified_at: datetime


def locked_user(session: Session, source_id: UUID, id_: UUID) -> StoredUser | None:
    """Return a visible user of a source, kept from other writers until the commit.

    A writing transaction of SQLite is alone from its first moment; it has no locks. Nothing else
    is read with it: on PostgreSQL that would be as it was before waiting for the lock.
    """
    found = execute(session, _USER, this_source_id=source_id, this_id=id_).first()
    return None if found is None else StoredUser(*found)


def locked_group(
    session: Session, source_id: UUID, id_: UUID, *, leaving: bool = False
) -> StoredGroup | None:
    """Return a group of a source, kept from other writers until the commit.

    Other groups may take it in meanwhile, unless it is `leaving`: two that are put into each
    other must not wait for one another.
    """
    statement = _LEAVING_GROUP if leaving else _GROUP
    found = execute(session, statement, this_source_id=source_id, this_id=id_).first()
    return None if found is None else StoredGroup(*found)


def rewrite_user(session: Session, id_: UUID, **values: Any) -> None:
    """Write columns of a locked user; it has a new version."""
    execute(session, _REWRITE_USER, this_id=id_, **values)


def rewrite_group(session: Session, id_: UUID, **values: Any) -> None:
    """Write columns of a locked group; it has a new version."""
    execute(session, _REWRITE_GROUP, this_id=id_, **values)


def differing(stored: StoredUser | StoredGroup, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the values that are others than the stored ones."""
    return {name: value for name, value in values.items() if getattr(stored, name) != value}


def _stored(
    entity: type[Base], row: type[StoredUser | StoredGroup], *, kept: bool = False
) -> Select[*tuple[Any, ...]]:
    """Return the query for one resource by `this_id` and `this_source_id`, locking it.

    One that is `kept` may become a member of something meanwhile.
    """
    table = table_of(entity)
    columns = (table.c[name] for name in row._fields)
    query = select(*columns).where(this(table.c.id), this(table.c.source_id))
    return query.with_for_update(of=table, key_share=kept)


_USER = _stored(ScimUserRecord, StoredUser).where(ScimUserRecord.hidden_at.is_(None))
_GROUP = _stored(ScimGroupRecord, StoredGroup, kept=True)
_LEAVING_GROUP = _stored(ScimGroupRecord, StoredGroup)
_REWRITE_USER, _REWRITE_GROUP = (
    update(table).where(this(table.c.id)).values(version=table.c.version + 1)
    for table in map(table_of, (ScimUserRecord, ScimGroupRecord))
)
