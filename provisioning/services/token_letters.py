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

from sqlalchemy import Select, select

from provisioning.mail.letters import moment_in
from provisioning.services.context import ServiceContext
from provisioning.services.notices import Notice, write_notice
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import TokenKind, TokenRecord

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
            for token, source in ending:
                days = _days_left(token, now)
                if days is not None:
                    notice = self._notice(token, source, days)
                    written += write_notice(session, self._context, notice)
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

    def _notice(self, token: TokenRecord, source: str, days: int) -> Notice:
        context = self._context
        until = moment_in(token.expires_at, context.time_zone)
        kind = "token" if token.kind is TokenKind.TOKEN else "OAuth client"
        about = {"token": token.id, "source": source, "days": days, "expires_at": until}
        note = (f"Its note: {token.note}",) if token.note else ()
        if days:
            news = (
                (
                    f"The SCIM {kind} {token.id} of {source} expires on {until}. From then on "
                    "the identity provider is refused, and nobody is invited or dismissed by it "
                    "until it has a new one."
                ),
                *note,
                (
                    "Give the new one to the identity provider: both work until the old one ends. "
                    "Once it is replaced or revoked we write no more about it."
                ),
            )
        else:
            news = (
                (
                    f"The SCIM {kind} {token.id} of {source} expired on {until}. The identity "
                    "provider is refused: nobody is invited or dismissed by it until it has a new "
                    "one."
                ),
                *note,
                "If it is not needed any more, there is nothing to do. We write no more about it.",
            )
        ends = f"expires on {until}" if days else "has expired"
        return Notice(
            kind="token",
            key=f"{token.id}:{days}",
            title=f"The SCIM {kind} of {source} {ends}",
            sentences=news,
            path="/admin/tokens",
            action="Replace it" if days else "Make a new one",
            about=about,
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
