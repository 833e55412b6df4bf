"""Signing in and staying signed in: sessions live on the server (A2, A6)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from provisioning.domain.errors import CredentialsError
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.credentials import WRONG, Credentials
from provisioning.services.digests import digest_of
from provisioning.storage.models.accounts import (
    BindingRecord,
    IdentityRecord,
    RoleGrantRecord,
    RoleName,
    SessionRecord,
)

SESSION_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody whose session is good."""

    account_id: UUID
    session_id: UUID
    address: str
    role: RoleName | None
    employee_id: UUID | None
    must_change_password: bool

    @property
    def actor(self) -> Actor:
        """How they appear on the timeline."""
        return Actor(self.address, "page")


class SessionService:
    """Opens, recognises and ends sessions."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet and the hasher at hand."""
        self._context = context
        self._credentials = Credentials(context)

    def sign_in(self, address: str, password: str) -> str:
        """Return the secret of a new session, for the cookie.

        Raises:
            CredentialsError: Address and password do not fit; the same words and the same
                time whether the address exists or not.
        """
        if self._credentials.authenticate(address, password) is None:
            self._credentials.verify(None, password)
        secret = secrets.token_urlsafe(32)
        with self._context.database.write() as session:
            found = self._credentials.find(session, address)
            if found is None:
                raise CredentialsError(WRONG)
            found.failed_attempts, found.locked_until = 0, None
            session.add(
                SessionRecord(
                    token_hash=digest_of(secret),
                    account_id=found.account_id,
                    created_at=self._context.now(),
                    last_seen_at=self._context.now(),
                )
            )
        return secret

    def signed_in(self, secret: str) -> SignedIn | None:
        """Return who a session belongs to, or None when it is over."""
        with self._context.database.read() as session:
            row = session.execute(
                select(
                    SessionRecord,
                    IdentityRecord,
                    RoleGrantRecord.role,
                    BindingRecord.employee_id,
                )
                .join(IdentityRecord, IdentityRecord.account_id == SessionRecord.account_id)
                .outerjoin(
                    RoleGrantRecord,
                    (RoleGrantRecord.account_id == SessionRecord.account_id)
                    & (RoleGrantRecord.intranet_id == self._context.intranet_id),
                )
                .outerjoin(
                    BindingRecord,
                    (BindingRecord.account_id == SessionRecord.account_id)
                    & (BindingRecord.intranet_id == self._context.intranet_id),
                )
                .where(
                    SessionRecord.token_hash == digest_of(secret),
                    SessionRecord.ended_at.is_(None),
                    SessionRecord.created_at > self._context.now() - SESSION_LIFETIME,
                )
            ).first()
        if row is None:
            return None
        found, identity, role, employee_id = row
        return SignedIn(
            account_id=found.account_id,
            session_id=found.id,
            address=identity.address or identity.subject or "",
            role=role,
            employee_id=employee_id,
            must_change_password=identity.one_time,
        )

    def confirm(self, who: SignedIn, password: str) -> None:
        """Ask whoever is signed in for their password again, before what cannot be taken back.

        Raises:
            CredentialsError: It is not theirs; counted like one at the entrance.
        """
        if self._credentials.authenticate(who.address, password) is None:
            raise CredentialsError(WRONG)

    def sign_out(self, secret: str) -> None:
        """End a session."""
        with self._context.database.write() as session:
            found = session.scalars(
                select(SessionRecord).where(SessionRecord.token_hash == digest_of(secret))
            ).one_or_none()
            if found is not None:
                found.ended_at = self._context.now()


def end_sessions(
    session: Session, context: ServiceContext, account_id: UUID, *, but: UUID | None = None
) -> None:
    """End every session of an account: whoever is signed in with it is not any more (D7)."""
    theirs = update(SessionRecord).where(
        SessionRecord.account_id == account_id, SessionRecord.ended_at.is_(None)
    )
    if but is not None:
        theirs = theirs.where(SessionRecord.id != but)
    session.execute(
        theirs.values(ended_at=context.now()),
        execution_options={"synchronize_session": False},
    )
