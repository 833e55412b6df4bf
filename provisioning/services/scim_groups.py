"""Groups of SCIM sources: departments and teams; nobody's state depends on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from provisioning.domain.brakes import Brake
from provisioning.domain.errors import StaleWriteError, UniquenessError
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.scim_members import (
    MemberChange,
    Memberships,
    leave_groups,
    require_left,
)
from provisioning.services.scim_resources import as_expected, drop_resource, place_resource
from provisioning.services.switches import require_off
from provisioning.storage.core import add_row
from provisioning.storage.models.scim import ScimCounterRecord, ScimGroupRecord, ScimMemberRecord
from provisioning.storage.scim_rows import GROUP, GroupRow
from provisioning.storage.scim_writes import (
    StoredGroup,
    differing,
    locked_group,
    rewrite_group,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimGroupWrite:
    """What a client wants one of its groups to be, already validated by the SCIM layer."""

    display_name: str
    display_name_key: str
    external_id: str | None
    document: bytes
    """The resource as it is answered, without its members and meta."""

    search: dict[str, Any]
    """The document, folded for filters."""


GroupRewrite = Callable[[bytes, UUID], ScimGroupWrite]
"""Turns the stored document and the resource's id into what shall be stored instead."""


class ScimGroupService:
    """Creates, changes and deletes the groups of one SCIM source."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def create(
        self,
        source_id: UUID,
        build: Callable[[UUID], ScimGroupWrite],
        members: Sequence[MemberChange],
        actor: Actor,
    ) -> GroupRow:
        """Add a group with its members.

        Args:
            source_id: The token's source.
            build: Given the new resource's id, returns what to store.
            members: Who is in it; unknown ones are left out.
            actor: The token.

        Raises:
            UniquenessError: A group of this source has this externalId.
        """
        id_ = uuid4()
        write = build(id_)
        try:
            with self._writing() as session:
                _require_unique(session, source_id, write, None)
                row = self._insert(session, source_id, id_, write)
                memberships = Memberships(session, source_id, id_)
                memberships.apply(members)
                self._record(session, actor, "group_created", write, memberships)
                return row
        except IntegrityError as error:
            raise self._who_was_first(source_id, write, None) from error

    def change(
        self,
        source_id: UUID,
        id: UUID,
        rewrite: GroupRewrite,
        changes: Sequence[MemberChange],
        actor: Actor,
        *,
        expected_version: int | None = None,
    ) -> GroupRow:
        """Replace or patch a group under a row lock; parallel changes queue up, none is lost.

        Raises:
            NotFoundError: There is no group with this id.
            StaleWriteError: `expected_version` (If-Match) is not the stored version.
            UniquenessError: Another group has the new externalId.
            GroupLoopError: A group would contain itself.
        """
        try:
            with self._writing() as session:
                found = locked_group(session, source_id, id)
                before = as_expected(found, "group", id, expected_version)
                write = rewrite(before.document, id)
                if before.external_id != write.external_id:
                    _require_unique(session, source_id, write, id)
                memberships = Memberships(session, source_id, id)
                memberships.apply(changes)
                changed = differing(before, _values(write))
                if not changed and not memberships.changed:
                    return _row(id, before, before.version, before.modified_at, before.document)
                now = self._context.now()
                if "document" in changed:
                    changed["search"] = write.search
                rewrite_group(session, id, **changed, modified_at=now)
                self._record(session, actor, "group_changed", write, memberships)
                return _row(id, before, before.version + 1, now, write.document)
        except IntegrityError as error:
            raise self._who_was_first(source_id, write, id) from error

    def delete(
        self, source_id: UUID, id: UUID, actor: Actor, *, expected_version: int | None = None
    ) -> None:
        """Delete a group; its members stay who they are.

        Raises:
            NotFoundError: There is no group with this id.
            StaleWriteError: `expected_version` (If-Match) is not the stored version, or somebody
                put it into a group meanwhile.
        """
        with self._writing() as session:
            leave_groups(session, GROUP, id, self._context.now())
            found = locked_group(session, source_id, id, leaving=True)
            group = as_expected(found, "group", id, expected_version)
            require_left(session, GROUP, id)
            drop_resource(session, source_id, ScimCounterRecord.groups)
            session.execute(delete(ScimMemberRecord).where(ScimMemberRecord.group_id == id))
            session.execute(delete(ScimGroupRecord).where(ScimGroupRecord.id == id))
            because = f"{actor.name} deleted the group {group.display_name}"
            record(session, self._context, actor, "group_deleted", because)

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """Open the transaction of a request, unless nothing may be changed."""
        with self._context.database.write() as session:
            require_off(session, self._context, Brake.READ_ONLY)
            yield session

    def _insert(
        self, session: Session, source_id: UUID, id_: UUID, write: ScimGroupWrite
    ) -> GroupRow:
        now, seq = self._context.now(), place_resource(session, source_id, ScimCounterRecord.groups)
        add_row(
            session,
            ScimGroupRecord,
            id=id_,
            seq=seq,
            source_id=source_id,
            created_at=now,
            modified_at=now,
            version=1,
            search=write.search,
            **_values(write),
        )
        return GroupRow(id_, seq, write.document, 1, now, now)

    def _record(
        self,
        session: Session,
        actor: Actor,
        kind: str,
        write: ScimGroupWrite,
        memberships: Memberships,
    ) -> None:
        """Write one event for everything a request changed of a group (S4)."""
        moved = f"{memberships.added} in, {memberships.removed} out"
        because = f"{actor.name}: {write.display_name}, {moved}"
        record(session, self._context, actor, kind, because)

    def _who_was_first(
        self, source_id: UUID, write: ScimGroupWrite, own: UUID | None
    ) -> StaleWriteError:
        """Tell a name taken a moment ago from a mere coincidence of writes.

        Raises:
            UniquenessError: Another group has the externalId.
        """
        with self._context.database.read() as session:
            _require_unique(session, source_id, write, own)
        return StaleWriteError("the same group was written by another request")


def _values(write: ScimGroupWrite) -> dict[str, Any]:
    """Return what a group's row holds of a write, beside what it is searched by."""
    return {
        "display_name": write.display_name,
        "display_name_key": write.display_name_key,
        "external_id": write.external_id,
        "document": write.document,
    }


def _row(
    id_: UUID, before: StoredGroup, version: int, modified_at: datetime, document: bytes
) -> GroupRow:
    return GroupRow(id_, before.seq, document, version, before.created_at, modified_at)


def _require_unique(
    session: Session, source_id: UUID, write: ScimGroupWrite, own: UUID | None
) -> None:
    if write.external_id is None:
        return
    other = session.scalar(
        select(ScimGroupRecord.id).where(
            ScimGroupRecord.source_id == source_id,
            ScimGroupRecord.external_id == write.external_id,
        )
    )
    if other is not None and other != own:
        raise UniquenessError(
            what="group",
            attribute="externalId",
            value=write.external_id,
            existing_id=str(other),
        )
