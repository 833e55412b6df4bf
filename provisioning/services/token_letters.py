"""Administrators are told before a token ends, and when it did.

left            letter
--------------  -----------------------------------------------------
30 to 7 days    one, if the token was made for longer than 30 days
7 to 1 days     one, if it was made for longer than 7 days
1 day or less   one, if it was made for longer than a day
none            one, within a week of its end

Each leaves once for each administrator: the natural key says so. Whoever looks late gets the
latest only. A token that is revoked or replaced alarms nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from provisioning.mail.token_letters import TokenLetter, render_token_letter
from provisioning.services.context import ServiceContext
from provisioning.services.roles import addresses_of
from provisioning.storage.models.accounts import RoleName
from provisioning.storage.models.effects import Lane, OutboxRecord, OutboxState
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import TokenKind, TokenRecord

log = structlog.get_logger(__name__)

TOKEN_LETTER = "letter.token"  # noqa: S105 - a topic
DAYS = (30, 7, 1)
"""How long before its end a token is spoken of."""

NO_NEWS = timedelta(days=7)
"""An end that is longer ago than this is not told any more."""


class TokenLetters:
    """Writes the letters that are due."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def write_due(self) -> int:
        """Put into the outbox what administrators were not told yet; returns how many letters."""
        now, written = self._context.now(), 0
        with self._context.database.write() as session:
            ending = session.execute(self._ending(now)).all()
            recipients = addresses_of(session, self._context, RoleName.ADMIN) if ending else ()
            for token, source in ending:
                days = _days_left(token, now)
                if days is None:
                    continue
                if not recipients:
                    log.warning("token_ends_and_nobody_to_tell", token=token.id, source=source)
                for address in recipients:
                    written += self._queue(session, token, days, address)
        return written

    def _ending(self, now: datetime) -> Select[TokenRecord, str]:
        """Return the query of tokens that end soon or just did, locked against a rotation."""
        return (
            select(TokenRecord, SourceRecord.name)
            .join(SourceRecord, SourceRecord.id == TokenRecord.source_id)
            .where(
                SourceRecord.intranet_id == self._context.intranet_id,
                TokenRecord.kind != TokenKind.ACCESS,
                TokenRecord.revoked_at.is_(None),
                TokenRecord.replaced_by.is_(None),
                TokenRecord.expires_at.between(now - NO_NEWS, now + timedelta(days=DAYS[0])),
            )
            .order_by(TokenRecord.expires_at, TokenRecord.id)
            .with_for_update(of=TokenRecord)
        )

    def _queue(self, session: Session, token: TokenRecord, days: int, address: str) -> bool:
        key = f"{TOKEN_LETTER}:{token.id}:{days}:{address}"
        told = select(OutboxRecord.id).where(OutboxRecord.natural_key == key)
        if session.scalar(told) is not None:
            return False
        now = self._context.now()
        session.add(
            OutboxRecord(
                intranet_id=self._context.intranet_id,
                lane=Lane.NORMAL,
                topic=TOKEN_LETTER,
                natural_key=key,
                payload={"token": token.id, "days": days, "to": address},
                state=OutboxState.WAITING,
                not_before=now,
                created_at=now,
            )
        )
        return True


def token_letter(
    session: Session, context: ServiceContext, message: OutboxRecord
) -> EmailMessage | None:
    """Return a letter of the outbox, or None if its token was replaced before it left."""
    token = session.get(TokenRecord, message.payload["token"])
    if token is None:
        return None
    over = token.revoked_at is not None or token.replaced_by is not None
    if over and message.delivered_at is None:
        return None
    return render_token_letter(
        TokenLetter(
            intranet_name=context.intranet_name,
            sender=context.sender,
            recipient=message.payload["to"],
            source=session.get_one(SourceRecord, token.source_id).name,
            token_id=token.id,
            kind="token" if token.kind is TokenKind.TOKEN else "OAuth client",
            note=token.note,
            expires_at=token.expires_at,
            days=message.payload["days"],
            page=f"{context.public_url}/admin/tokens",
            message_id=f"<token.{token.id}.{message.id}@usher>",
            time_zone=context.time_zone,
        )
    )


def _days_left(token: TokenRecord, now: datetime) -> int | None:
    """Return which letter is due, by the days it speaks of; None if none is."""
    if token.expires_at <= now:
        return 0
    for days in reversed(DAYS):
        moment = token.expires_at - timedelta(days=days)
        if moment <= now:
            return days if moment > token.created_at else None
    return None
