"""The link of an invitation: made from the deployment's key, found by its hash, used once (I3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.errors import InvitationError
from provisioning.services.context import ServiceContext
from provisioning.services.digests import digest_of
from provisioning.storage.models.accounts import InvitationRecord
from provisioning.storage.models.employees import EmployeeRecord


def invitation_token(context: ServiceContext, invitation_id: UUID) -> str:
    """Return the link's secret: 256 bits, 43 characters.

    It is derived from the deployment's secret key instead of stored, so that a copy of the
    database opens nothing and a letter sent again carries the same link.
    """
    digest = hmac.digest(context.secret_key, b"invitation:" + invitation_id.bytes, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def join_link(context: ServiceContext, invitation_id: UUID) -> str:
    """Return the link of a letter, under the configured public URL."""
    return f"{context.public_url}/join/{invitation_token(context, invitation_id)}"


def find_by_token(
    session: Session, context: ServiceContext, token: str, *, for_update: bool = False
) -> tuple[InvitationRecord, EmployeeRecord]:
    """Return the open invitation of a link and its employee (I3).

    Raises:
        InvitationError: The link is unknown, used, replaced, revoked or expired.
    """
    invitation = session.scalars(
        select(InvitationRecord)
        .join(EmployeeRecord, EmployeeRecord.id == InvitationRecord.employee_id)
        .where(
            InvitationRecord.token_hash == digest_of(token),
            EmployeeRecord.intranet_id == context.intranet_id,
        )
    ).one_or_none()
    if invitation is not None and for_update:
        invitation = locked_invitation(session, invitation.id)
    if invitation is None:
        raise InvitationError("unknown", "This link does not belong to any invitation.")
    if invitation.ended_at is not None:
        raise InvitationError(invitation.end_reason or "ended", _ENDED[invitation.end_reason or ""])
    if invitation.expires_at is not None and invitation.expires_at <= context.now():
        raise InvitationError("expired", _ENDED["expired"])
    return invitation, session.get_one(EmployeeRecord, invitation.employee_id)


def locked_invitation(session: Session, invitation_id: UUID) -> InvitationRecord | None:
    """Lock an invitation's employee and then itself: runs take them in this order, too."""
    invitation = session.get(InvitationRecord, invitation_id)
    if invitation is None:
        return None
    session.get(
        EmployeeRecord, invitation.employee_id, with_for_update=True, populate_existing=True
    )
    return session.get(
        InvitationRecord, invitation_id, with_for_update=True, populate_existing=True
    )


_ENDED = {
    "accepted": "This invitation has been accepted already: there is nothing more to do.",
    "expired": "This invitation has expired. Ask your administrator for a new one.",
    "stale": "This invitation was withdrawn, as it was open for too long. "
    "Ask your administrator for a new one.",
    "undeliverable": "This invitation is over. Ask your administrator for a new one.",
    "revoked": "This invitation was withdrawn. Ask your administrator.",
    "replaced": "A newer invitation was sent to your new address. Use the link in that letter.",
    "": "This invitation is no longer open. Ask your administrator for a new one.",
}
