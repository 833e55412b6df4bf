"""Tokens and OAuth clients of SCIM sources: shown once, kept as a digest, rotated, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from provisioning.domain.errors import ConfigurationError, NotFoundError, TokenError
from provisioning.domain.people import SOURCE_NAME
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.digests import digest_of
from provisioning.services.token_checks import Caller, TokenChecks
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import TokenKind, TokenRecord
from provisioning.storage.models.scim import ScimCounterRecord

PREFIX = "usher"
SCOPES = ("users:read", "users:write", "groups:read", "groups:write", "registry:read")
DEFAULT_SCOPES = SCOPES[:4]
LIFETIME = timedelta(days=365)
LONGEST = timedelta(days=3_650)
OVERLAP = timedelta(hours=24)
"""How long a rotated token goes on beside the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token or client just made; `secret` is shown once."""

    id: str
    kind: TokenKind
    secret: str = field(repr=False)
    """What is sent as a bearer token, or the secret of the client whose id is `id`."""

    source: str
    scopes: tuple[str, ...]
    expires_at: datetime


class TokenService:
    """Makes, lists, rotates, revokes and checks tokens."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context
        self._checks = TokenChecks(context)

    def create(
        self,
        source: str,
        actor: Actor,
        *,
        first_run: str | None = None,
        scopes: Collection[str] = DEFAULT_SCOPES,
        lifetime: timedelta = LIFETIME,
        note: str = "",
        client: bool = False,
    ) -> NewToken:
        """Make a token, or an OAuth client; a SCIM source of a new name is made with it.

        Args:
            source: The source it speaks for.
            actor: Who makes it.
            first_run: `apply` lets the source act without a release, `plan` does not.
            scopes: What it may do, of SCOPES.
            lifetime: How long it is good, ten years at most.
            note: What to remember of it.
            client: Whether to make a client that fetches access tokens instead.

        Raises:
            ConfigurationError: The name belongs to a source that is read, a scope is unknown,
                or the lifetime is none.
        """
        _require_sensible(scopes, lifetime)
        with self._context.database.write() as session:
            found = self._scim_source(session, source, first_run)
            row = TokenRecord(
                kind=TokenKind.CLIENT if client else TokenKind.TOKEN,
                source_id=found.id,
                scopes=" ".join(scope for scope in SCOPES if scope in scopes),
                note=note,
            )
            made = self._add(session, row, source, actor, lifetime)
            because = f"{actor.name} made {row.kind} {made.id} for {source}"
            record(session, self._context, actor, "token_created", because, after=_shown(row))
        return made

    def list(self) -> Sequence[tuple[TokenRecord, str]]:
        """Return every token and client of the intranet with its source's name, newest first."""
        with self._context.database.read() as session:
            rows = session.execute(
                select(TokenRecord, SourceRecord.name)
                .join(SourceRecord, SourceRecord.id == TokenRecord.source_id)
                .where(
                    SourceRecord.intranet_id == self._context.intranet_id,
                    TokenRecord.kind != TokenKind.ACCESS,
                )
                .order_by(TokenRecord.created_at.desc(), TokenRecord.id)
            )
            return [(token, name) for token, name in rows]

    def rotate(self, token_id: str, actor: Actor, *, overlap: timedelta = OVERLAP) -> NewToken:
        """Make a new token in place of another, which goes on for the overlap and then ends.

        The new one has the old one's source, scopes, note and lifetime.

        Raises:
            NotFoundError: There is no such token.
            TokenError: It is revoked, expired or replaced already.
            ConfigurationError: The overlap is negative.
        """
        if overlap < timedelta(0):
            raise ConfigurationError("An overlap cannot be negative. Nothing was rotated.")
        with self._context.database.write() as session:
            old, source = self._found(session, token_id)
            now = self._context.now()
            _require_good(old, now)
            row = TokenRecord(
                kind=old.kind, source_id=old.source_id, scopes=old.scopes, note=old.note
            )
            made = self._add(session, row, source, actor, old.expires_at - old.created_at)
            old.replaced_by, before = made.id, old.expires_at
            old.expires_at = min(before, now + overlap)
            self._end_access(session, old.id, old.expires_at)
            record(
                session,
                self._context,
                actor,
                "token_rotated",
                f"{actor.name} replaced {old.kind} {old.id} of {source} by {made.id}",
                before={"token": old.id, "expires_at": before.isoformat()},
                after=_shown(row) | {"old_expires_at": old.expires_at.isoformat()},
            )
        return made

    def revoke(self, token_id: str, actor: Actor) -> None:
        """Make a token worthless from the next request on; a client's access tokens with it.

        Raises:
            NotFoundError: There is no such token.
        """
        with self._context.database.write() as session:
            row, source = self._found(session, token_id)
            if row.revoked_at is not None:
                return
            row.revoked_at = self._context.now()
            self._end_access(session, row.id, row.revoked_at, revoked=True)
            because = f"{actor.name} revoked {row.kind} {token_id} of {source}"
            record(session, self._context, actor, "token_revoked", because, before=_shown(row))

    def check(self, token: str, address: str) -> Caller | None:
        """Return whom a bearer token speaks for, or None; the reason stays with the token."""
        return self._checks.bearer(token, address)

    def _add(
        self, session: Session, row: TokenRecord, source: str, actor: Actor, lifetime: timedelta
    ) -> NewToken:
        id_, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        if row.kind is TokenKind.TOKEN:
            secret = f"{PREFIX}_{id_}_{secret}"
        now = self._context.now()
        row.id, row.hash = id_, digest_of(secret)
        row.created_at, row.created_by, row.expires_at = now, actor.name, now + lifetime
        session.add(row)
        return NewToken(
            id=id_,
            kind=row.kind,
            secret=secret,
            source=source,
            scopes=tuple(row.scopes.split()),
            expires_at=row.expires_at,
        )

    def _found(self, session: Session, token_id: str) -> tuple[TokenRecord, str]:
        """Return a token and its source's name, locked: nobody fetches access meanwhile."""
        row = session.execute(
            select(TokenRecord, SourceRecord.name)
            .join(SourceRecord, SourceRecord.id == TokenRecord.source_id)
            .where(
                TokenRecord.id == token_id,
                TokenRecord.kind != TokenKind.ACCESS,
                SourceRecord.intranet_id == self._context.intranet_id,
            )
            .with_for_update(of=TokenRecord)
        ).one_or_none()
        if row is None:
            raise NotFoundError("token", token_id, hint="`usher token list` shows them")
        return row.TokenRecord, row.name

    def _end_access(
        self, session: Session, client_id: str, end: datetime, *, revoked: bool = False
    ) -> None:
        """Let no access token of a client outlive it."""
        theirs = update(TokenRecord).where(TokenRecord.client_id == client_id)
        change = (
            theirs.values(revoked_at=end)
            if revoked
            else theirs.where(TokenRecord.expires_at > end).values(expires_at=end)
        )
        session.execute(change, execution_options={"synchronize_session": False})

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


def _require_sensible(scopes: Collection[str], lifetime: timedelta) -> None:
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ConfigurationError(
            f"There is no scope {unknown[0] if unknown else 'chosen'}; there are: "
            f"{', '.join(SCOPES)}. No token was made."
        )
    if not timedelta(0) < lifetime <= LONGEST:
        raise ConfigurationError(
            f"A token is good for 1 to {LONGEST.days:,} days. No token was made."
        )


def _require_good(row: TokenRecord, now: datetime) -> None:
    if row.revoked_at is not None:
        what = "is revoked"
    elif row.replaced_by is not None:
        what = f"was replaced by {row.replaced_by} already"
    elif row.expires_at <= now:
        what = "has expired"
    else:
        return
    raise TokenError(f"Token {row.id} {what}. Nothing was rotated; make a new one instead.")


def _shown(row: TokenRecord) -> dict[str, str]:
    return {"token": row.id, "scopes": row.scopes, "expires_at": row.expires_at.isoformat()}
