"""Letters to administrators: something stands still until one of them decides."""

from __future__ import annotations

from email.message import EmailMessage
from uuid import UUID

from sqlalchemy.orm import Session

from provisioning.mail.breaker_letters import BreakerLetter, render_breaker
from provisioning.services.context import ServiceContext
from provisioning.services.roles import addresses_of
from provisioning.storage.holds import held_by_breaker
from provisioning.storage.models.accounts import RoleName
from provisioning.storage.models.effects import Lane, OutboxRecord, OutboxState
from provisioning.storage.models.holds import HeldEffectRecord
from provisioning.storage.sources import Source

BREAKER_LETTER = "letter.breaker"


def queue_breaker_letters(
    session: Session, context: ServiceContext, source: Source, first: HeldEffectRecord
) -> None:
    """Write to everybody who may decide, once for a breaker that has tripped (D6).

    Args:
        session: The transaction.
        context: The intranet.
        source: Whose removals are held.
        first: The first of them: its number keeps the letter from being written twice.
    """
    now = context.now()
    for address in addresses_of(session, context, RoleName.APPROVER, RoleName.ADMIN):
        key = f"{BREAKER_LETTER}:{first.id}:{address}"
        session.add(
            OutboxRecord(
                intranet_id=context.intranet_id,
                lane=Lane.NORMAL,
                topic=BREAKER_LETTER,
                natural_key=key,
                payload={
                    "to": address,
                    "source": source.name,
                    "source_id": str(source.id),
                },
                state=OutboxState.WAITING,
                not_before=now,
                created_at=now,
            )
        )


def breaker_letter(
    session: Session, context: ServiceContext, message: OutboxRecord
) -> EmailMessage | None:
    """Return a letter of the outbox, or None if everything was decided before it left."""
    payload = message.payload
    held = held_by_breaker(session, UUID(payload["source_id"]))
    if not held and message.delivered_at is None:
        return None
    return render_breaker(
        BreakerLetter(
            intranet_name=context.intranet_name,
            sender=context.sender,
            recipient=payload["to"],
            source=payload["source"],
            link=f"{context.public_url}/admin/held",
            message_id=f"<breaker.{message.id}@usher>",
        )
    )
