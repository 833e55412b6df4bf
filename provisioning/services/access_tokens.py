"""Access tokens: what an OAuth client fetches and sends for an hour (RFC 6749 4.4)."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete

from provisioning.domain.errors import TokenError
from provisioning.services.context import ServiceContext
from provisioning.services.digests import digest_of
from provisioning.services.token_checks import Caller, TokenChecks
from provisioning.services.tokens import PREFIX
from provisioning.storage.models.runs import TokenKind, TokenRecord

LIFETIME = timedelta(hours=1)
KEEP = timedelta(days=1)
"""How long an expired one still tells why it was rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token just made; `secret` is told once."""

    secret: str = field(repr=False)
    lifetime: timedelta


class AccessTokenService:
    """Recognises clients, gives them access, and forgets what is over."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context
        self._checks = TokenChecks(context)

    def client(self, client_id: str, secret: str, address: str) -> Caller | None:
        """Return whom an OAuth client speaks for, or None; the reason stays with the client."""
        return self._checks.client(client_id, secret, address)

    def issue(self, client: Caller, scopes: Collection[str]) -> AccessToken:
        """Give a client access for an hour, never longer than it lives itself.

        Raises:
            TokenError: The client was revoked or expired at this very moment.
        """
        id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        token = f"{PREFIX}_{id_}_{secret}"
        with self._context.database.write() as session:
            now = self._context.now()
            # Whoever revokes the client locks it, too: no access token slips through.
            row = session.get_one(TokenRecord, client.token_id, with_for_update=True)
            if row.revoked_at is not None or row.expires_at <= now:
                raise TokenError(f"Client {client.token_id} is over; it was given no access.")
            expires_at = min(now + LIFETIME, row.expires_at)
            session.add(
                TokenRecord(
                    id=id_,
                    kind=TokenKind.ACCESS,
                    client_id=row.id,
                    source_id=row.source_id,
                    hash=digest_of(token),
                    scopes=" ".join(sorted(scopes)),
                    created_at=now,
                    created_by=f"client {row.id}",
                    expires_at=expires_at,
                    # The client's use was noted just now; the next is due in a minute.
                    last_used_at=now,
                )
            )
        return AccessToken(secret=token, lifetime=expires_at - now)

    def forget_old(self) -> int:
        """Delete access tokens that ended a day ago; returns how many."""
        with self._context.database.write() as session:
            old = delete(TokenRecord).where(
                TokenRecord.kind == TokenKind.ACCESS,
                TokenRecord.expires_at < self._context.now() - KEEP,
            )
            done = session.execute(old, execution_options={"synchronize_session": False})
            return int(done.rowcount)  # type: ignore[attr-defined] # a delete has one
