"""Letters about invitations: what they say as they leave, and what begins once they left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.message import EmailMessage
from uuid import UUID

from sqlalchemy.orm import Session

from provisioning.mail.letters import InvitationLetter, render_invitation, render_reminder
from provisioning.services.audit import record
from provisioning.services.context import SYSTEM, ServiceContext
from provisioning.services.invitations import INVITATION_LETTER, REMINDER_LETTER
from provisioning.services.links import join_link
from provisioning.services.tasks import give_default_task
from provisioning.storage.models.accounts import InvitationRecord
from provisioning.storage.models.effects import OutboxRecord, OutboxState
from provisioning.storage.models.employees import EmployeeRecord

GONE = frozenset({OutboxState.DELIVERED, OutboxState.KEPT})
"""A letter in one of these states can be read as it was, whatever became of its invitation."""

LETTERS: Mapping[str, tuple[Callable[[InvitationLetter], EmailMessage], str]] = {
    INVITATION_LETTER: (render_invitation, ""),
    REMINDER_LETTER: (render_reminder, ".reminder"),
}
"""By topic: how a letter is written, and what its Message-ID adds to the id of the invitation."""


def invitation_letter(
    session: Session, context: ServiceContext, message: OutboxRecord
) -> EmailMessage | None:
    """Render a letter, unless its invitation was over before it left."""
    invitation = session.get(InvitationRecord, UUID(message.payload["invitation"]))
    if invitation is None:
        return None
    if invitation.ended_at is not None and message.state not in GONE:
        return None
    employee = session.get_one(EmployeeRecord, invitation.employee_id)
    leaves_at = invitation.sent_at or context.now()
    render, suffix = LETTERS[message.topic]
    return render(
        InvitationLetter(
            intranet_name=context.intranet_name,
            sender=context.sender,
            recipient=invitation.address,
            display_name=employee.display_name,
            link=join_link(context, invitation.id),
            expires_at=leaves_at + context.times.lifetime,
            time_zone=context.time_zone,
            message_id=f"<{invitation.id}{suffix}@usher>",
        )
    )


def letter_left(
    session: Session, context: ServiceContext, message: OutboxRecord, *, kept: bool
) -> None:
    """Start the clock of an invitation with its first letter, and tell the timeline (I1, I3, I4).

    Args:
        session: The transaction in which the message is marked as gone.
        context: The intranet.
        message: The letter.
        kept: Whether it was kept for reading and nobody was written to.
    """
    invitation = session.get(InvitationRecord, UUID(message.payload["invitation"]))
    if invitation is None:
        return
    if message.topic == REMINDER_LETTER:
        rule, what = "I4", "reminder"
    elif invitation.sent_at is None:
        _start(session, context, invitation)
        rule, what = "I1", "invitation"
    else:
        return
    words = f"left for {invitation.address}"
    if kept:
        words = f"was kept for reading; nobody wrote to {invitation.address}"
    record(
        session,
        context,
        SYSTEM,
        f"{what}_{'kept' if kept else 'sent'}",
        f"the {what} {words} ({rule})",
        employee_id=invitation.employee_id,
    )


def _start(session: Session, context: ServiceContext, invitation: InvitationRecord) -> None:
    """Start the clock of the invitation and give the default task (I3, I8)."""
    now = context.now()
    invitation.sent_at, invitation.expires_at = now, now + context.times.lifetime
    give_default_task(session, context, invitation.employee_id)
