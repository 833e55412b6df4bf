"""SCIM users: created, changed and deleted with what each means for the employee (S3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from provisioning.domain.errors import NotFoundError, StaleWriteError
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.people import linked_employee
from provisioning.services.pushing import Push
from provisioning.services.scim_members import leave_groups
from provisioning.services.scim_resources import (
    Rewrite,
    ScimUserWrite,
    add_emails,
    drop_resource,
    place_resource,
    require_unique,
    require_version,
    store_emails,
    stored_user,
)
from provisioning.services.waiting import WaitingService
from provisioning.storage.core import add_row, execute, table_of, this
from provisioning.storage.locks import locked
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.scim import ScimCounterRecord, ScimUserRecord
from provisioning.storage.scim_rows import USER, UserRow

log = structlog.get_logger(__name__)

_HIDE = (
    update(table_of(LinkRecord))
    .where(this(LinkRecord.source_id), this(LinkRecord.anchor))
    .values(hidden=True)
)


class ScimUserService:
    """Creates, changes and deletes the people of one SCIM source."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def create(
        self, source_id: UUID, build: Callable[[UUID], ScimUserWrite], actor: Actor
    ) -> UserRow:
        """Add a resource, correlate, then invite, let wait or hire back.

        Args:
            source_id: The token's source.
            build: Given the new resource's id, returns what to store.
            actor: The token.

        Raises:
            UniquenessError: A visible resource has this userName or externalId.
            SeatLimitError: No seat is free and the policy says to reject (L3).
        """
        id_ = uuid4()
        write = build(id_)
        try:
            with self._context.database.write() as session:
                source = session.get_one(SourceRecord, source_id)
                seq = place_resource(session, source_id, ScimCounterRecord.users)
                require_unique(session, source_id, write, None)
                who = self._push(session, source, actor).provision(str(id_), write.person)
                return self._insert(session, source_id, id_, seq, write, who)
        except IntegrityError as error:
            with self._context.database.read() as session:
                require_unique(session, source_id, write, None)
            raise StaleWriteError("the same person was written by another request") from error

    def change(
        self,
        source_id: UUID,
        id: UUID,
        rewrite: Rewrite,
        actor: Actor,
        *,
        expected_version: int | None = None,
    ) -> UserRow:
        """Replace or patch a resource under a row lock; parallel changes queue up.

        Raises:
            NotFoundError: There is no visible resource with this id.
            StaleWriteError: `expected_version` (If-Match) is not the stored version.
            UniquenessError: Another visible resource has the new userName or externalId.
        """
        try:
            with self._context.database.write() as session:
                record = self._locked(session, source_id, id, expected_version)
                write = rewrite(record.document, id, record.desired_active)
                if _names(record) != (write.user_name_key, write.external_id):
                    require_unique(session, source_id, write, id)
                source = session.get_one(SourceRecord, source_id)
                who = self._push(session, source, actor).provision(str(id), write.person)
                who = who or linked_employee(session, source, str(id))
                view = self._store(session, record, write, who)
        except IntegrityError as error:
            with self._context.database.read() as session:
                require_unique(session, source_id, write, id)
            raise StaleWriteError("the same person was written by another request") from error
        self._serve_waiting(write.person.active)
        return view

    def delete(
        self,
        source_id: UUID,
        id: UUID,
        actor: Actor,
        *,
        expected_version: int | None = None,
    ) -> None:
        """Dismiss and hide: no filter finds it, its names are free, the employee is kept (D1).

        Raises:
            NotFoundError: There is no visible resource with this id.
            StaleWriteError: `expected_version` (If-Match) is not the stored version.
        """
        with self._context.database.write() as session:
            leave_groups(session, USER, id, self._context.now())
            record = self._locked(session, source_id, id, expected_version)
            source = session.get_one(SourceRecord, source_id)
            drop_resource(session, source_id, ScimCounterRecord.users)
            self._push(session, source, actor).provision(str(id), None)
            record.hidden_at = self._context.now()
            store_emails(session, id, frozenset())
            execute(session, _HIDE, this_source_id=source_id, this_anchor=str(id))
        self._serve_waiting(active=False)

    def _push(self, session: Session, source: SourceRecord, actor: Actor) -> Push:
        return Push(session=session, context=self._context, source=source, actor=actor)

    def _insert(
        self,
        session: Session,
        source_id: UUID,
        id_: UUID,
        seq: int,
        write: ScimUserWrite,
        who: UUID | None,
    ) -> UserRow:
        now = self._context.now()
        made = {"created_at": now, "modified_at": now, "version": 1}
        session.flush()
        add_row(
            session,
            ScimUserRecord,
            id=id_,
            seq=seq,
            source_id=source_id,
            **made,
            **_values(write, who),
        )
        add_emails(session, id_, write.email_keys)
        return stored_user(session, source_id, id_)

    def _store(
        self, session: Session, record: ScimUserRecord, write: ScimUserWrite, who: UUID | None
    ) -> UserRow:
        """Write what changed; a write that changes nothing leaves version and time (RFC 7644)."""
        values = _values(write, who)
        if record.document == write.document:
            # The folded one is of the same text; it is not loaded, so it would look changed.
            del values["search"]
        else:
            store_emails(session, record.id, write.email_keys)
        for name, value in values.items():
            setattr(record, name, value)
        if session.is_modified(record):
            record.modified_at = self._context.now()
        return stored_user(session, record.source_id, record.id)

    def _locked(
        self, session: Session, source_id: UUID, id_: UUID, expected_version: int | None
    ) -> ScimUserRecord:
        record = locked(session, ScimUserRecord, id_)
        if record and record.source_id == source_id and record.hidden_at is None:
            require_version(record.version, expected_version)
            return record
        raise NotFoundError("user", id_)

    def _serve_waiting(self, active: bool) -> None:  # noqa: FBT001 - what the client set
        """Pass a seat on at once; the request is done, and the job makes up for a failure."""
        if active:
            return
        try:
            WaitingService(self._context).serve()
        except OperationalError:
            log.warning("waiting_not_served", exc_info=True)


def _values(write: ScimUserWrite, who: UUID | None) -> dict[str, Any]:
    """Return what a resource's row holds of a write."""
    return {
        "employee_id": who,
        "user_name_key": write.user_name_key,
        "display_name_key": write.display_name_key,
        "external_id": write.external_id,
        "desired_active": write.person.active,
        "document": write.document,
        "search": write.search,
    }


def _names(record: ScimUserRecord) -> tuple[str, str | None]:
    """Return what no other visible resource of the source may have, too."""
    return record.user_name_key, record.external_id
