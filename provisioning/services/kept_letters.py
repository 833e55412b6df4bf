"""Letters that were only kept for reading leave after all, once a relay is named (I1)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.errors import NotInvitableError
from provisioning.ports import Mailer
from provisioning.services.context import ServiceContext
from provisioning.services.invitations import INVITATION_LETTER
from provisioning.storage.models.accounts import InvitationRecord
from provisioning.storage.models.effects import OutboxRecord, OutboxState


def send_kept(context: ServiceContext, mailer: Mailer) -> int:
    """Let the invitations leave that were only kept, with clocks that start then.

    Returns how many. Reminders are not sent late, and who joined meanwhile is left alone.

    Raises:
        NotInvitableError: Letters are still only kept.
    """
    if mailer.keeps_letters:
        raise NotInvitableError("No relay is named, so letters are kept: set SMTP_URL first.")
    with context.database.write() as session:
        kept = session.scalars(
            select(OutboxRecord).where(
                OutboxRecord.intranet_id == context.intranet_id,
                OutboxRecord.state == OutboxState.KEPT,
                OutboxRecord.topic == INVITATION_LETTER,
            )
        ).all()
        return sum(_take_back(session, context, message) for message in kept)


def _take_back(session: Session, context: ServiceContext, message: OutboxRecord) -> bool:
    invitation = session.get(InvitationRecord, UUID(message.payload["invitation"]))
    if invitation is None or invitation.ended_at is not None:
        return False
    message.state, message.delivered_at = OutboxState.WAITING, None
    message.not_before = context.now()
    invitation.sent_at = invitation.expires_at = invitation.reminded_at = None
    return True
