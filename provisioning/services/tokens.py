"""Bearer tokens of SCIM sources: shown once, kept as a digest, checked on every request."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.errors import ConfigurationError, NotFoundError
from provisioning.domain.people import SOURCE_NAME
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.digests import digest_of
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import TokenRecord
from provisioning.storage.models.scim import ScimCounterRecord

PREFIX = "usher"
SCOPES = ("users:read", "users:write", "groups:read", "groups:write")
LIFETIME = timedelta(days=365)

_TOUCH_EVERY = timedelta(minutes=1)
"""The time of last use is exact to a minute, so that reading does not mean writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token just made; `secret` is shown once."""

    id: str
    secret: str
    source: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom a valid token speaks for."""

    token_id: str
    source_id: UUID
    source: str
    scopes: frozenset[str]

    @property
    def actor(self) -> Actor:
        """How the caller appears on the timeline."""
        return Actor(f"{self.source} (token {self.token_id})", "scim")


class TokenService:
    """Makes, lists, revokes and checks tokens."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def create(self, source: str, actor: Actor, *, first_run: str | None = None) -> NewToken:
        """Make a token; a SCIM source of a new name is made with it.

        Raises:
            ConfigurationError: The name belongs to a source that is read, not one that pushes.
        """
        id_, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        token = f"{PREFIX}_{id_}_{secret}"
        now = self._context.now()
        with self._context.database.write() as session:
            found = self._scim_source(session, source, first_run)
            session.add(
                TokenRecord(
                    id=id_,
                    source_id=found.id,
                    hash=digest_of(token),
                    scopes=" ".join(SCOPES),
                    created_at=now,
                    expires_at=now + LIFETIME,
                )
            )
            because = f"{actor.name} made token {id_} for {source}"
            record(session, self._context, actor, "token_created", because)
        return NewToken(id=id_, secret=token, source=source, expires_at=now + LIFETIME)

    def list(self) -> Sequence[tuple[TokenRecord, str]]:
        """Return every token of the intranet with its source's name, newest first."""
        with self._context.database.read() as session:
            rows = session.execute(
                select(TokenRecord, SourceRecord.name)
                .join(SourceRecord, SourceRecord.id == TokenRecord.source_id)
                .where(SourceRecord.intranet_id == self._context.intranet_id)
                .order_by(TokenRecord.created_at.desc())
            )
            return [(token, name) for token, name in rows]

    def revoke(self, token_id: str, actor: Actor) -> None:
        """Make a token worthless from the next request on.

        Raises:
            NotFoundError: There is no such token.
        """
        with self._context.database.write() as session:
            row = session.execute(
                select(TokenRecord)
                .join(SourceRecord, SourceRecord.id == TokenRecord.source_id)
                .where(
                    TokenRecord.id == token_id,
                    SourceRecord.intranet_id == self._context.intranet_id,
                )
            ).scalar_one_or_none()
            if row is None:
                raise NotFoundError("token", token_id, hint="`usher token list` shows them")
            row.revoked_at = row.revoked_at or self._context.now()
            because = f"{actor.name} revoked token {token_id}"
            record(session, self._context, actor, "token_revoked", because)

    def check(self, token: str, address: str) -> Caller | None:
        """Return whom a token speaks for, or None; the reason stays with the token.

        The look-up is by the public part; the digest is compared as bytes in constant time.
        """
        parts = token.split("_", 2)
        if len(parts) != 3 or parts[0] != PREFIX:  # noqa: PLR2004 - usher_<id>_<secret>
            return None
        with self._context.database.read() as session:
            row = session.execute(
                select(TokenRecord, SourceRecord)
                .join(SourceRecord, SourceRecord.id == TokenRecord.source_id)
                .where(
                    TokenRecord.id == parts[1],
                    SourceRecord.intranet_id == self._context.intranet_id,
                )
            ).one_or_none()
        if row is None:
            return None
        record_, source = row
        if not hmac.compare_digest(record_.hash, digest_of(token)):
            return None
        rejected = self._why_rejected(record_)
        self._touch(record_, address, rejected)
        if rejected:
            return None
        return Caller(
            token_id=record_.id,
            source_id=source.id,
            source=source.name,
            scopes=frozenset(record_.scopes.split()),
        )

    def _why_rejected(self, record_: TokenRecord) -> str | None:
        if record_.revoked_at is not None:
            return "revoked"
        return "expired" if record_.expires_at <= self._context.now() else None

    def _touch(self, record_: TokenRecord, address: str, rejected: str | None) -> None:
        now = self._context.now()
        last = record_.last_rejected_at if rejected else record_.last_used_at
        if last is not None and now - last < _TOUCH_EVERY:
            return
        with self._context.database.write() as session:
            row = session.get(TokenRecord, record_.id)
            if row is None:
                return
            if rejected:
                row.last_rejected_at, row.last_rejected = now, rejected
            else:
                row.last_used_at, row.last_used_from = now, address
                session.get_one(SourceRecord, row.source_id).last_request_at = now

    def _scim_source(self, session: Session, name: str, first_run: str | None) -> SourceRecord:
        found = session.scalars(
            select(SourceRecord).where(
                SourceRecord.intranet_id == self._context.intranet_id, SourceRecord.name == name
            )
        ).one_or_none()
        if found is None:
            if not SOURCE_NAME.fullmatch(name):
                raise ConfigurationError(
                    f'"{name}" cannot be the name of a source: use small letters, digits and '
                    "hyphens. No token was made."
                )
            found = SourceRecord(
                intranet_id=self._context.intranet_id,
                name=name,
                kind="scim",
                first_run=first_run or "plan",
                created_at=self._context.now(),
            )
            session.add(found)
            session.flush()
        elif found.kind != "scim":
            raise ConfigurationError(
                f"{name} is a source of type {found.kind}, which Usher reads itself; "
                "no token was made. Choose another name."
            )
        elif first_run is not None:
            found.first_run = first_run
        if session.get(ScimCounterRecord, found.id) is None:
            # Made here, so that the first requests of a source have one row to wait for.
            session.add(ScimCounterRecord(source_id=found.id, users=0, groups=0, next_seq=1))
        return found
