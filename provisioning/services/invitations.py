"""Invitations: one letter to one address with a single-use link (I)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import Change, WaitingReason
from provisioning.domain.findings import Finding, FindingKind
from provisioning.services.audit import record
from provisioning.services.context import SYSTEM, Actor, ServiceContext
from provisioning.services.digests import digest_of
from provisioning.services.findings import open_finding
from provisioning.services.links import (
    find_by_token,
    invitation_token,
    locked_invitation,
)
from provisioning.services.seats import free_seat
from provisioning.services.sources import find_source
from provisioning.services.states import move
from provisioning.storage.core import add_row, execute, table_of, this
from provisioning.storage.models.accounts import InvitationRecord
from provisioning.storage.models.effects import Lane, OutboxRecord, OutboxState
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord

FIRST_APPROVAL = "first_approval"
"""Letters of a source that nobody released yet (I10)."""

INVITATION_LETTER = "letter.invitation"
REMINDER_LETTER = "letter.reminder"


_OF_EMPLOYEE = (this(InvitationRecord.employee_id), InvitationRecord.ended_at.is_(None))
_OPEN = select(InvitationRecord).where(*_OF_EMPLOYEE)
_END = update(table_of(InvitationRecord)).where(*_OF_EMPLOYEE)


class Letter(NamedTuple):
    """One letter about an invitation."""

    invitation_id: UUID
    address: str
    not_before: datetime
    topic: str

    @classmethod
    def about(cls, invitation: InvitationRecord, topic: str) -> Self:
        """Return a letter about an invitation that there is."""
        return cls(invitation.id, invitation.address, invitation.not_before, topic)


def open_invitation(
    session: Session,
    context: ServiceContext,
    employee: EmployeeRecord,
    address: str,
    *,
    hold_reason: str | None = None,
) -> None:
    """Decide on a letter; it leaves after the grace, unless it is held (I1, I2, I9, I10)."""
    now, id_ = context.now(), uuid4()
    employee.contact_email = address
    employee.contact_email_key = address_key(address)
    session.flush()
    invitation = {
        "id": id_,
        "employee_id": employee.id,
        "address": address,
        "address_key": employee.contact_email_key,
        "token_hash": digest_of(invitation_token(context, id_)),
        "created_at": now,
        "not_before": now + context.times.grace,
        "hold_reason": hold_reason,
    }
    add_row(session, InvitationRecord, **invitation)
    if hold_reason is None:
        letter = Letter(id_, address, now + context.times.grace, INVITATION_LETTER)
        queue_letter(session, context, letter, employee)


def queue_letter(
    session: Session,
    context: ServiceContext,
    letter: Letter,
    employee: EmployeeRecord,
) -> None:
    """Put a letter about an invitation into the outbox, one of each topic (R5)."""
    add_row(
        session,
        OutboxRecord,
        intranet_id=context.intranet_id,
        employee_id=employee.id,
        employee_seq=employee.seq,
        lane=Lane.NORMAL,
        topic=letter.topic,
        natural_key=f"{letter.topic}:{letter.invitation_id}",
        payload={"invitation": str(letter.invitation_id), "to": letter.address},
        state=OutboxState.WAITING,
        not_before=letter.not_before,
        created_at=context.now(),
    )


def open_invitation_of(session: Session, employee_id: UUID) -> InvitationRecord | None:
    """Return the invitation that is open, if there is one."""
    return session.scalars(_OPEN, {"this_employee_id": employee_id}).one_or_none()


def end_invitation(
    session: Session, context: ServiceContext, employee_id: UUID, reason: str
) -> None:
    """End the open invitation; its link opens nothing and an unsent letter never leaves.

    An object that was read before does not see it.
    """
    session.flush()
    ended = {"ended_at": context.now(), "end_reason": reason}
    execute(session, _END, this_employee_id=employee_id, **ended)


class InvitationService:
    """What happens to invitations by themselves, and the release of a source."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def expire_due(self) -> int:
        """End every invitation whose time is over; the seat is free, the person lapses (I4)."""
        return sum(
            map(self._expire, self._open(InvitationRecord.expires_at <= self._context.now()))
        )

    def remind_due(self) -> int:
        """Remind, once, of every invitation that is open for long; returns how many (I4)."""
        now = self._context.now()
        due = self._open(
            InvitationRecord.sent_at <= now - self._context.times.reminder,
            InvitationRecord.expires_at > now,
            InvitationRecord.reminded_at.is_(None),
        )
        return sum(map(self._remind, due))

    def _open(self, *conditions: ColumnElement[bool]) -> Sequence[UUID]:
        """Return the open invitations of this intranet for which all conditions hold."""
        query = (
            select(InvitationRecord.id)
            .join(EmployeeRecord, EmployeeRecord.id == InvitationRecord.employee_id)
            .where(
                EmployeeRecord.intranet_id == self._context.intranet_id,
                InvitationRecord.ended_at.is_(None),
                *conditions,
            )
            .order_by(InvitationRecord.created_at, InvitationRecord.id)
        )
        with self._context.database.read() as session:
            return session.scalars(query).all()

    def _remind(self, invitation_id: UUID) -> bool:
        with self._context.database.write() as session:
            invitation = locked_invitation(session, invitation_id)
            if invitation is None or invitation.ended_at or invitation.reminded_at:
                return False
            invitation.reminded_at = self._context.now()
            employee = session.get_one(EmployeeRecord, invitation.employee_id)
            letter = Letter.about(invitation, REMINDER_LETTER)
            queue_letter(session, self._context, letter, employee)
            return True

    def _expire(self, invitation_id: UUID) -> bool:
        with self._context.database.write() as session:
            because = "the invitation expired without being accepted (I4)"
            return lapse(session, self._context, invitation_id, "expired", because)

    def release(self, source_name: str, actor: Actor) -> int:
        """Let a source's first letters go: grace and expiry start now; returns how many (I10).

        Raises:
            NotFoundError: There is no such source.
        """
        with self._context.database.write() as session:
            source = find_source(session, self._context, source_name, for_update=True)
            if source.released_at is None:
                source.released_at = self._context.now()
                record(
                    session,
                    self._context,
                    actor,
                    "source_released",
                    f"{actor.name} released {source_name} (I10)",
                )
            return self._queue_held(session, source)

    def _queue_held(self, session: Session, source: SourceRecord) -> int:
        held = session.execute(
            select(InvitationRecord, EmployeeRecord)
            .join(EmployeeRecord, EmployeeRecord.id == InvitationRecord.employee_id)
            .join(LinkRecord, LinkRecord.employee_id == EmployeeRecord.id)
            .where(
                LinkRecord.source_id == source.id,
                InvitationRecord.ended_at.is_(None),
                InvitationRecord.hold_reason == FIRST_APPROVAL,
            )
        ).all()
        for invitation, employee in held:
            invitation.hold_reason = None
            invitation.not_before = self._context.now() + self._context.times.grace
            letter = Letter.about(invitation, INVITATION_LETTER)
            queue_letter(session, self._context, letter, employee)
        return len(held)

    def find(self, token: str) -> tuple[InvitationRecord, EmployeeRecord]:
        """Return what a link opens.

        Raises:
            InvitationError: Nothing; the reason says why.
        """
        with self._context.database.read() as session:
            return find_by_token(session, self._context, token)


def give_up(session: Session, context: ServiceContext, invitation_id: UUID, error: str) -> None:
    """End an invitation whose letter no relay takes: the seat is free, somebody has to look."""
    invitation = session.get(InvitationRecord, invitation_id)
    because = f"the invitation could not be delivered: {error} (I4)"
    if invitation and lapse(session, context, invitation_id, "undeliverable", because):
        employee = session.get_one(EmployeeRecord, invitation.employee_id)
        finding = Finding(
            kind=FindingKind.NO_USABLE_ADDRESS,
            subject=str(employee.id),
            evidence=(("address", invitation.address), ("refused", error)),
        )
        who = employee.display_name
        open_finding(session, context, finding, who=who, employee_id=employee.id)


def lapse(
    session: Session,
    context: ServiceContext,
    invitation_id: UUID,
    reason: str,
    because: str,
    actor: Actor = SYSTEM,
) -> bool:
    """End an open invitation that leads nowhere; whether it was open (I4)."""
    invitation = locked_invitation(session, invitation_id)
    if invitation is None or invitation.ended_at is not None:
        return False
    employee = session.get_one(EmployeeRecord, invitation.employee_id)
    end_invitation(session, context, employee.id, reason)
    was, now = employee.state, move(employee, Change.EXPIRE, context.now())
    employee.state_reason = WaitingReason.LAPSED
    employee.because = because
    free_seat(session, context)
    record(
        session,
        context,
        actor,
        f"invitation_{reason}",
        because,
        employee_id=employee.id,
        before={"state": was.value, "address": invitation.address},
        after={"state": now.value},
    )
    return True
