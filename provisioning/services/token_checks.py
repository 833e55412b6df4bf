"""Whether a token is good: asked on every request, answered by one statement.

Nothing is remembered between two requests: a token that was revoked is worthless with the next.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from provisioning.services.context import Actor, ServiceContext
from provisioning.services.digests import digest_of
from provisioning.services.silence import note_heard
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import TokenKind, TokenRecord

TOUCH_EVERY = timedelta(minutes=1)
"""Last use and last rejection are exact to a minute, so that reading does not mean writing."""

_TOKEN = re.compile(r"usher_([0-9a-f]{8,16})_.+", re.DOTALL)
EXPIRED = "expired"
_UNSYNCED = {"synchronize_session": False}
_NOBODY = digest_of("")
_WANTED = (
    TokenRecord.id,
    TokenRecord.client_id,
    TokenRecord.hash,
    TokenRecord.scopes,
    TokenRecord.expires_at,
    TokenRecord.replaced_by,
    TokenRecord.revoked_at,
    TokenRecord.last_used_at,
    TokenRecord.last_rejected_at,
    SourceRecord.id.label("source_id"),
    SourceRecord.name.label("source"),
)
_ANY = (
    select(*_WANTED)
    .join(SourceRecord, SourceRecord.id == TokenRecord.source_id)
    .where(
        TokenRecord.id == bindparam("token_id"),
        SourceRecord.intranet_id == bindparam("intranet_id"),
    )
)
_BEARER = _ANY.where(TokenRecord.kind != TokenKind.CLIENT)
_CLIENT = _ANY.where(TokenRecord.kind == TokenKind.CLIENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom a valid token speaks for."""

    token_id: str
    """Of the token, or of the client an access token was given to."""

    source_id: UUID
    source: str
    scopes: frozenset[str]

    @property
    def actor(self) -> Actor:
        """How the caller appears on the timeline."""
        return Actor(f"{self.source} (token {self.token_id})", "scim")


class TokenChecks:
    """Recognises tokens and clients, and notes when they came."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def bearer(self, token: str, address: str) -> Caller | None:
        """Return whom a bearer token speaks for, or None; the reason stays with the token."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        return self._checked(self._look(_BEARER, parts[1]), token, address)

    def client(self, client_id: str, secret: str, address: str) -> Caller | None:
        """Return whom an OAuth client speaks for, or None; the reason stays with the client."""
        row = self._look(_CLIENT, client_id) if client_id.isalnum() else None
        return self._checked(row, secret, address)

    def _look(self, statement: Any, token_id: str) -> Any | None:
        values = {"token_id": token_id, "intranet_id": self._context.intranet_id}
        return self._context.database.first(statement, values)

    def _checked(self, row: Any | None, secret: str, address: str) -> Caller | None:
        """Compare in constant time, whether there is something to compare with or not."""
        fits = hmac.compare_digest(row.hash if row else _NOBODY, digest_of(secret))
        if row is None:
            return None
        now = self._context.now()
        rejected = _why_rejected(row, now) if fits else "wrong secret"
        if rejected is not None:
            self._note_rejection(row, now, address, rejected)
            return None
        self._note_use(row, now, address)
        return Caller(
            token_id=row.client_id or row.id,
            source_id=row.source_id,
            source=row.source,
            scopes=frozenset(row.scopes.split()),
        )

    def _note_use(self, row: Any, now: datetime, address: str) -> None:
        if not _is_due(row.last_used_at, now):
            return
        used = _touching({row.id, row.client_id or row.id}, TokenRecord.last_used_at, now)
        with self._context.database.write() as session:
            session.execute(used.values(last_used_at=now, last_used_from=address))
            note_heard(session, row.source_id, now)

    def _note_rejection(self, row: Any, now: datetime, address: str, why: str) -> None:
        if not _is_due(row.last_rejected_at, now) or (row.client_id and why == EXPIRED):
            # That an access token ends after its hour is no news of its client.
            return
        with self._context.database.write() as session:
            note_rejection(session, {row.id, row.client_id or row.id}, now, address, why)


def _why_rejected(row: Any, now: datetime) -> str | None:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at > now:
        return None
    return f"replaced by {row.replaced_by}" if row.replaced_by else EXPIRED


def _is_due(last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= TOUCH_EVERY


def note_rejection(
    session: Session, token_ids: Collection[str], now: datetime, address: str, why: str
) -> None:
    """Write down that tokens were turned away, unless that was noted within the last minute."""
    rejected = _touching(token_ids, TokenRecord.last_rejected_at, now)
    session.execute(
        rejected.values(last_rejected_at=now, last_rejected_from=address, last_rejected=why)
    )


def _touching(token_ids: Collection[str], column: Any, now: datetime) -> Any:
    """Return an update of tokens that only the first of several makes."""
    return (
        update(TokenRecord)
        .where(
            TokenRecord.id.in_(token_ids),
            or_(column.is_(None), column <= now - TOUCH_EVERY),
        )
        .execution_options(**_UNSYNCED)
    )
