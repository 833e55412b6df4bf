"""Addresses with passwords: hashed with argon2id, compared in equal time (A6)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.addresses import address_key
from provisioning.domain.errors import CredentialsError, PasswordError
from provisioning.services.context import ServiceContext
from provisioning.storage.models.accounts import AccountRecord, IdentityKind, IdentityRecord

MIN_PASSWORD = 12
MAX_PASSWORD = 1024
"""Longer ones only cost time (A6)."""

DECOY = (
    "$argon2id$v=19$m=65536,t=3,p=4$oa328Qi1EbUEjHJmLh8ctA"
    "$0tAZGy3nBOE9sVXUi186B6pmQ0EYocyG5yYVuqGX7lA"
)
"""The hash of a password that was thrown away: compared when there is no account, so that an
address that exists takes no longer than one that does not. Its cost is that of new hashes."""

WRONG = "The address and the password do not belong together. After five wrong ones wait a minute."
"""The same words for an address nobody has, a wrong password, and one that has to wait."""

FREE_ATTEMPTS = 5
LOCK = timedelta(minutes=1)


class Credentials:
    """Finds, makes and checks e-mail identities."""

    def __init__(self, context: ServiceContext) -> None:
        """Prepare the hasher."""
        self._context = context
        self._hasher = PasswordHasher()

    def hash(self, password: str) -> str:
        """Return what is stored of a password; takes tens of milliseconds on purpose."""
        return self._hasher.hash(password)

    def authenticate(self, address: str, password: str) -> IdentityRecord | None:
        """Return whose address and password these are; None when nobody has the address.

        Raises:
            CredentialsError: They do not fit, or failed too often just now.
        """
        with self._context.database.read() as session:
            identity = self.find(session, address)
        if identity is None:
            return None
        now = self._context.now()
        waits = identity.locked_until is not None and identity.locked_until > now
        try:
            self.verify(None if waits else identity, password)
        except CredentialsError:
            if not waits:
                self._count_failure(identity.id)
            raise
        return identity

    def _count_failure(self, identity_id: UUID) -> None:
        with self._context.database.write() as session:
            identity = session.get_one(IdentityRecord, identity_id, with_for_update=True)
            identity.failed_attempts += 1
            if identity.failed_attempts >= FREE_ATTEMPTS:
                identity.locked_until = self._context.now() + LOCK

    def verify(self, identity: IdentityRecord | None, password: str) -> None:
        """Compare in equal time whether the address exists or not.

        Raises:
            CredentialsError: They do not fit.
        """
        stored = identity.password_hash if identity else None
        try:
            self._hasher.verify(stored or DECOY, password[:MAX_PASSWORD])
        except (VerifyMismatchError, InvalidHashError):
            raise CredentialsError(WRONG) from None
        if stored is None:
            raise CredentialsError(WRONG)

    def find(self, session: Session, address: str) -> IdentityRecord | None:
        """Return the e-mail identity of an address, if there is one."""
        return session.scalars(
            select(IdentityRecord).where(
                IdentityRecord.kind == IdentityKind.EMAIL,
                IdentityRecord.address_key == address_key(address),
            )
        ).one_or_none()

    def create(
        self,
        session: Session,
        address: str,
        hashed: str,
        *,
        one_time: bool = False,
        proven: bool = False,
    ) -> IdentityRecord:
        """Add an account with an e-mail identity; its owner changes it from now on (E2).

        Args:
            session: The transaction.
            address: What they sign in with.
            hashed: The password's hash.
            one_time: Whether the password has to be replaced at the first sign-in.
            proven: Whether a letter to this address was answered.
        """
        account = AccountRecord(created_at=self._context.now())
        session.add(account)
        session.flush()
        identity = IdentityRecord(
            account_id=account.id,
            kind=IdentityKind.EMAIL,
            address=address,
            address_key=address_key(address),
            password_hash=hashed,
            one_time=one_time,
            confirmed_at=self._context.now() if proven else None,
        )
        session.add(identity)
        return identity


def require_good_password(password: str) -> None:
    """Refuse what is guessed first (A6).

    Raises:
        PasswordError: Too short, too long, or one character over and over.
    """
    if len(password) < MIN_PASSWORD:
        raise PasswordError(f"Choose a password of at least {MIN_PASSWORD} characters.")
    if len(password) > MAX_PASSWORD:
        raise PasswordError(f"Choose a password of at most {MAX_PASSWORD} characters.")
    if len(set(password)) < 4:  # noqa: PLR2004 - fewer is one key held down
        raise PasswordError("Choose a password with more different characters.")
