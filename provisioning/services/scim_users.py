"""One SCIM request is a run of one person: the same rules, the same gates (S3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from provisioning.domain.actions import Action, ActionKind
from provisioning.domain.context import PlanningContext
from provisioning.domain.employees import WaitingReason
from provisioning.domain.errors import (
    NotFoundError,
    SeatLimitError,
    StaleWriteError,
    UniquenessError,
)
from provisioning.domain.findings import Finding, FindingKind
from provisioning.domain.people import Person
from provisioning.domain.plan import Plan
from provisioning.domain.planning import plan_one
from provisioning.domain.policy import WhenFull
from provisioning.domain.seats import Seats
from provisioning.domain.snapshots import RegisteredPerson, StagedPerson
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.findings import open_finding
from provisioning.services.planning import planning_context
from provisioning.services.provision import Provisioner, linked_employee
from provisioning.services.scim_resources import Rewrite, ScimUserView, ScimUserWrite, view_of
from provisioning.services.waiting import WaitingService
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.scim import ScimCounterRecord, ScimUserRecord
from provisioning.storage.registry import registered_people


class ScimUserService:
    """Creates, changes and deletes the people of one SCIM source."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def create(
        self, source_id: UUID, build: Callable[[UUID], ScimUserWrite], actor: Actor
    ) -> ScimUserView:
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
                self._require_unique(session, source_id, write, None)
                self._provision(session, source, actor, write.person, str(id_))
                return self._insert(session, source, id_, write)
        except IntegrityError as error:
            with self._context.database.read() as session:
                self._require_unique(session, source_id, write, None)
            raise StaleWriteError("the same person was written by another request") from error

    def change(
        self,
        source_id: UUID,
        id: UUID,
        rewrite: Rewrite,
        actor: Actor,
        *,
        expected_version: int | None = None,
    ) -> ScimUserView:
        """Replace or patch a resource under a row lock; parallel changes queue up.

        Raises:
            NotFoundError: There is no visible resource with this id.
            StaleWriteError: `expected_version` (If-Match) is not the stored version.
            UniquenessError: Another visible resource has the new userName or externalId.
        """
        try:
            with self._context.database.write() as session:
                record = self._locked(session, source_id, id)
                if expected_version is not None and record.version != expected_version:
                    raise StaleWriteError(
                        f"the resource is at version {record.version}, not {expected_version}; "
                        "read it again"
                    )
                write = rewrite(record.document, id)
                self._require_unique(session, source_id, write, id)
                source = session.get_one(SourceRecord, source_id)
                self._provision(session, source, actor, write.person, str(id))
                view = self._store(session, source, record, write)
        except IntegrityError as error:
            with self._context.database.read() as session:
                self._require_unique(session, source_id, write, id)
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
            record = self._locked(session, source_id, id)
            if expected_version is not None and record.version != expected_version:
                raise StaleWriteError(f"the resource is at version {record.version}")
            source = session.get_one(SourceRecord, source_id)
            self._provision(session, source, actor, None, str(id))
            record.hidden_at = self._context.now()
            session.execute(
                update(LinkRecord)
                .where(LinkRecord.source_id == source_id, LinkRecord.anchor == str(id))
                .values(hidden=True),
            )
            _count(session, source_id, -1)
        self._serve_waiting(active=False)

    def _provision(
        self,
        session: Session,
        source: SourceRecord,
        actor: Actor,
        person: Person | None,
        anchor: str,
    ) -> None:
        """Decide by the rules of a run and do it, in this transaction."""
        there = next(registered_people(session, source.id, anchor=anchor), None)
        here = None if person is None else StagedPerson(anchor, "", person)
        context = self._planning_context(session, source)
        plan = plan_one(here, there, context)
        self._reject_if_full(plan, context.seats)
        provisioner = Provisioner(
            session=session, context=self._context, source=source, actor=actor
        )
        for action in plan:
            if action.held:
                self._report_held(session, source, action, there)
            else:
                provisioner.perform(action)

    def _planning_context(self, session: Session, source: SourceRecord) -> PlanningContext:
        """A request means now: the nights of grace are for readings (D2)."""
        context = planning_context(session, self._context, source)
        now = replace(context.policy, disabled_grace_nights=0, missing_grace_nights=0)
        return replace(context, policy=now)

    def _reject_if_full(self, plan: Plan, seats: Seats) -> None:
        if self._context.policy.when_full is not WhenFull.REJECT:
            return
        for action in plan:
            if action.kind is ActionKind.WAIT and action.reason in (
                WaitingReason.NO_SEAT,
                WaitingReason.HIRED_BACK,
            ):
                raise SeatLimitError(limit=seats.limit or 0, taken=seats.taken)

    def _report_held(
        self,
        session: Session,
        source: SourceRecord,
        action: Action,
        there: RegisteredPerson | None,
    ) -> None:
        """The client sees what it set; an administrator sees what did not happen."""
        if not action.is_removal or there is None or action.held is None:
            return
        finding = Finding(
            kind=FindingKind.DEPARTED_STILL_ACTIVE,
            subject=str(there.employee_id),
            evidence=(("because", str(action.because)), ("held", action.held.sentence)),
        )
        open_finding(
            session,
            self._context,
            finding,
            who=action.who,
            employee_id=there.employee_id,
            source_id=source.id,
        )

    def _insert(
        self, session: Session, source: SourceRecord, id_: UUID, write: ScimUserWrite
    ) -> ScimUserView:
        now = self._context.now()
        record = ScimUserRecord(
            id=id_,
            seq=_count(session, source.id, 1),
            source_id=source.id,
            created_at=now,
            modified_at=now,
        )
        self._fill(session, source, record, write)
        session.add(record)
        session.flush()
        return view_of(record)

    def _store(
        self,
        session: Session,
        source: SourceRecord,
        record: ScimUserRecord,
        write: ScimUserWrite,
    ) -> ScimUserView:
        """Write what changed; a write that changes nothing leaves version and time (RFC 7644)."""
        self._fill(session, source, record, write)
        if session.is_modified(record):
            record.modified_at = self._context.now()
        session.flush()
        return view_of(record)

    def _fill(
        self,
        session: Session,
        source: SourceRecord,
        record: ScimUserRecord,
        write: ScimUserWrite,
    ) -> None:
        employee = linked_employee(session, source, str(record.id))
        record.employee_id = employee.id if employee else None
        record.user_name_key = write.user_name_key
        record.display_name_key = write.display_name_key
        record.external_id = write.external_id
        record.desired_active = write.person.active
        record.document = write.document

    def _locked(self, session: Session, source_id: UUID, id_: UUID) -> ScimUserRecord:
        record = session.get(ScimUserRecord, id_, with_for_update=True, populate_existing=True)
        if record is None or record.source_id != source_id or record.hidden_at is not None:
            raise NotFoundError("user", id_)
        return record

    def _require_unique(
        self, session: Session, source_id: UUID, write: ScimUserWrite, own: UUID | None
    ) -> None:
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

    def _serve_waiting(self, active: bool) -> None:  # noqa: FBT001 - what the client set
        if not active:
            WaitingService(self._context).serve()


def _count(session: Session, source_id: UUID, difference: int) -> int:
    """Keep the number of visible resources exact; returns the place of a new one."""
    counter = session.get(ScimCounterRecord, source_id, with_for_update=True)
    if counter is None:
        counter = ScimCounterRecord(source_id=source_id, users=0, groups=0, next_seq=1)
        session.add(counter)
    counter.users += difference
    seq = counter.next_seq
    counter.next_seq += max(difference, 0)
    return seq
