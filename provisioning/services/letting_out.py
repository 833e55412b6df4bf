"""Which messages a brake lets leave the outbox; the others stay as they are."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, false, true
from sqlalchemy.orm import Session

from provisioning.domain.brakes import Brake
from provisioning.services.context import ServiceContext
from provisioning.services.switches import is_on
from provisioning.storage.models.effects import OutboxRecord


def may_leave(
    session: Session, context: ServiceContext, invitations: Collection[str]
) -> ColumnElement[bool]:
    """Return the condition under which messages may leave now.

    Args:
        session: The transaction that claims them.
        context: The intranet.
        invitations: The topics that invite or remind.
    """
    if is_on(session, context, Brake.READ_ONLY):
        return false()
    if is_on(session, context, Brake.NO_INVITATIONS):
        return OutboxRecord.topic.not_in(invitations)
    return true()


def is_stopped(
    session: Session, context: ServiceContext, topic: str, invitations: Collection[str]
) -> bool:
    """Whether a message that was claimed before may not leave any more."""
    invites = topic in invitations and is_on(session, context, Brake.NO_INVITATIONS)
    return invites or is_on(session, context, Brake.READ_ONLY)
