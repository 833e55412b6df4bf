"""SCIM users: created, changed and deleted with what each means for the employee (S3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from provisioning.domain.brakes import Brake
from provisioning.domain.errors import StaleWriteError
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.people import linked_employee
from provisioning.services.pushing import Push
from provisioning.services.scim_members import leave_groups, require_left
from provisioning.services.scim_resources import (
    Rewrite,
    ScimUserWrite,
    add_emails,
    as_expected,
    drop_resource,
    forget_emails,
    place_resource,
    require_unique,
    store_emails,
    stored_user,
)
from provisioning.services.switches import require_off
from provisioning.services.waiting import WaitingService
from provisioning.storage.core import add_row, execute, table_of, this
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.models.scim import ScimCounterRecord, ScimUserRecord
from provisioning.storage.scim_rows import USER, UserRow
from provisioning.storage.scim_writes import StoredUser, differing, locked_user, rewrite_user
from provisioning.storage.sources import Source, read_source

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
        self,
        source_id: UUID,
        build: Callable[[UUID], ScimUserWrite],
        actor: Actor,
        *,
        with_outcome: bool = False,
    ) -> UserRow:
        """Add a resource, correlate, then invite, let wait or hire back.

        Args:
            source_id: The token's source.
            build: Given the new resource's id, returns what to store.
            actor: The token.
            with_outcome: Whether what became of them is wanted.

        Raises:
            BrakeError: Nothing may be changed now.
            UniquenessError: A visible resource has this userName or externalId.
            SeatLimitError: No seat is free and the policy says to reject (L3).
        """
        id_ = uuid4()
        write = build(id_)
        try:
            with self._writing() as session:
                seq = place_resource(session, source_id, ScimCounterRecord.users)
                require_unique(session, source_id, write, None)
                push = self._push(session, read_source(session, source_id), actor)
                who = push.provision(str(id_), write.person, first_heard=True)
                self._insert(session, source_id, id_, seq, write, who)
                return stored_user(session, source_id, id_, with_outcome=with_outcome)
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
        with_outcome: bool = False,
    ) -> UserRow:
        """Replace or patch a resource under a row lock; parallel changes queue up.

        Raises:
            NotFoundError: There is no visible resource with this id.
            StaleWriteError: `expected_version` (If-Match) is not the stored version.
            UniquenessError: Another visible resource has the new userName or externalId.
        """
        try:
            with self._writing() as session:
                found = locked_user(session, source_id, id)
                before = as_expected(found, "user", id, expected_version)
                write = rewrite(before.document, id, before.desired_active)
                if (before.user_name_key, before.external_id) != (
                    write.user_name_key,
                    write.external_id,
                ):
                    require_unique(session, source_id, write, id)
                source = read_source(session, source_id)
                who = self._push(session, source, actor).provision(str(id), write.person)
                who = who or linked_employee(session, source, str(id))
                self._store(session, id, before, write, who)
                view = stored_user(session, source_id, id, with_outcome=with_outcome)
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
            StaleWriteError: `expected_version` (If-Match) is not the stored version, or somebody
                put them into a group meanwhile.
        """
        with self._writing() as session:
            now = self._context.now()
            leave_groups(session, USER, id, now)
            found = locked_user(session, source_id, id)
            as_expected(found, "user", id, expected_version)
            require_left(session, USER, id)
            drop_resource(session, source_id, ScimCounterRecord.users)
            push = self._push(session, read_source(session, source_id), actor)
            push.provision(str(id), None)
            rewrite_user(session, id, hidden_at=now)
            forget_emails(session, id)
            execute(session, _HIDE, this_source_id=source_id, this_anchor=str(id))
        self._serve_waiting(active=False)

    def _push(self, session: Session, source: Source, actor: Actor) -> Push:
        return Push(session=session, context=self._context, source=source, actor=actor)

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """Open the transaction of a request, unless nothing may be changed."""
        with self._context.database.write() as session:
            require_off(session, self._context, Brake.READ_ONLY)
            yield session

    def _insert(
        self,
        session: Session,
        source_id: UUID,
        id_: UUID,
        seq: int,
        write: ScimUserWrite,
        who: UUID | None,
    ) -> None:
        now = self._context.now()
        made = {"created_at": now, "modified_at": now, "version": 1}
        add_row(
            session,
            ScimUserRecord,
            id=id_,
            seq=seq,
            source_id=source_id,
            **made,
            **_values(write, who),
            search=write.search,
        )
        add_emails(session, id_, write.email_keys)

    def _store(
        self,
        session: Session,
        id_: UUID,
        before: StoredUser,
        write: ScimUserWrite,
        who: UUID | None,
    ) -> None:
        """Write what changed; a write that changes nothing leaves version and time (RFC 7644)."""
        changed = differing(before, _values(write, who))
        if "document" in changed:
            changed["search"] = write.search
            store_emails(session, id_, write)
        if changed:
            rewrite_user(session, id_, **changed, modified_at=self._context.now())

    def _serve_waiting(self, active: bool) -> None:  # noqa: FBT001 - what the client set
        """Pass a seat on at once; the request is done, and the job makes up for a failure."""
        if active:
            return
        try:
            WaitingService(self._context).serve()
        except SQLAlchemyError:
            log.warning("waiting_not_served", exc_info=True)


def _values(write: ScimUserWrite, who: UUID | None) -> dict[str, Any]:
    """Return what a resource's row holds of a write, beside what it is searched by."""
    return {
        "employee_id": who,
        "user_name_key": write.user_name_key,
        "display_name_key": write.display_name_key,
        "external_id": write.external_id,
        "desired_active": write.person.active,
        "document": write.document,
    }
