"""Letters to administrators: something stands still until one of them decides."""

from __future__ import annotations

from email.message import EmailMessage
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provisioning.mail.breaker_letters import BreakerLetter, render_breaker
from provisioning.services.context import ServiceContext
from provisioning.storage.holds import held_by_breaker
from provisioning.storage.models.accounts import IdentityRecord, RoleGrantRecord, RoleName
from provisioning.storage.models.effects import Lane, OutboxRecord, OutboxState
from provisioning.storage.models.holds import HeldEffectRecord
from provisioning.storage.models.intranets import SourceRecord

BREAKER_LETTER = "letter.breaker"

_DECIDE = (RoleName.APPROVER, RoleName.ADMIN)


def queue_breaker_letters(
    session: Session, context: ServiceContext, source: SourceRecord, first: HeldEffectRecord
) -> None:
    """Write to everybody who may decide, once for a breaker that has tripped (D6).

    Args:
        session: The transaction.
        context: The intranet.
        source: Whose removals are held.
        first: The first of them: its number keeps the letter from being written twice.
    """
    addresses = session.execute(
        select(IdentityRecord.account_id, func.min(IdentityRecord.address))
        .join(RoleGrantRecord, RoleGrantRecord.account_id == IdentityRecord.account_id)
        .where(
            RoleGrantRecord.intranet_id == context.intranet_id,
            RoleGrantRecord.role.in_(_DECIDE),
            IdentityRecord.address.is_not(None),
        )
        .group_by(IdentityRecord.account_id)
    )
    now = context.now()
    for account_id, address in addresses:
        key = f"{BREAKER_LETTER}:{first.id}:{account_id}"
        session.add(
            OutboxRecord(
                intranet_id=context.intranet_id,
                lane=Lane.NORMAL,
                topic=BREAKER_LETTER,
                natural_key=key,
                payload={
                    "to": address,
                    "key": key,
                    "source": source.name,
                    "source_id": str(source.id),
                },
                state=OutboxState.WAITING,
                not_before=now,
                created_at=now,
            )
        )


def breaker_letter(
    session: Session, context: ServiceContext, message: OutboxRecord, *, gone: bool
) -> EmailMessage | None:
    """Render the letter, unless everything was decided before it left.

    Args:
        session: The transaction.
        context: The intranet.
        message: What was queued.
        gone: Whether it left already and is only read again.
    """
    payload = message.payload
    if not gone and not held_by_breaker(session, UUID(payload["source_id"])):
        return None
    return render_breaker(
        BreakerLetter(
            intranet_name=context.intranet_name,
            sender=context.sender,
            recipient=payload["to"],
            source=payload["source"],
            link=f"{context.public_url.rstrip('/')}/admin/held",
            message_id=f"<{payload['key'].replace(':', '.')}@usher>",
        )
    )
