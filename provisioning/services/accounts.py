"""Accounts: accepting an invitation, signing in, sessions, the first administrator (A, I6)."""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from provisioning.domain.addresses import address_key, usable_mail
from provisioning.domain.employees import Change
from provisioning.domain.errors import CredentialsError, NotFoundError
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.credentials import Credentials, require_good_password
from provisioning.services.findings import refresh
from provisioning.services.invitations import end_invitation
from provisioning.services.links import find_by_token
from provisioning.services.sessions import end_sessions
from provisioning.services.states import move
from provisioning.storage.models.accounts import (
    BindingRecord,
    IdentityKind,
    IdentityRecord,
    RoleGrantRecord,
    RoleName,
)
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord


class AccountService:
    """What people do with their own accounts."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet and the hasher at hand."""
        self._context = context
        self._credentials = Credentials(context)

    def accept(self, token: str, address: str, password: str) -> UUID:
        """Accept an invitation with an e-mail account; returns the employee's id (I3, I6).

        The account is created, or is the existing one of that address if the password fits.

        Raises:
            InvitationError: The link opens nothing.
            PasswordError: The new password is not acceptable.
            CredentialsError: This is no address, or it has an account with another password.
        """
        if not usable_mail(address):
            raise CredentialsError(f'"{address}" is not an e-mail address.')
        hashed = self._hash_for(address, password)
        try:
            return self._accept(token, address, hashed)
        except IntegrityError as error:
            raise CredentialsError(
                f"{address} was given an account at this very moment. Nothing was changed; "
                "try again."
            ) from error

    def _accept(self, token: str, address: str, hashed: str) -> UUID:
        with self._context.database.write() as session:
            invitation, employee = find_by_token(session, self._context, token, for_update=True)
            identity = self._credentials.find(session, address)
            if identity is None:
                proven = address_key(address) == invitation.address_key
                if not proven:
                    self._require_nobody_elses(session, employee, address)
                identity = self._credentials.create(session, address, hashed, proven=proven)
                session.flush()
            self._bind(session, employee, identity)
            end_invitation(session, self._context, employee.id, "accepted")
            move(employee, Change.ACCEPT, self._context.now())
            employee.accepted_at = self._context.now()
            employee.because = f"accepted the invitation sent to {invitation.address} (I6)"
            record(
                session,
                self._context,
                Actor(address, "join"),
                "accepted",
                employee.because,
                employee_id=employee.id,
                before={"state": "invited"},
                after={"state": "active", "login": address},
            )
            session.flush()
            refresh(session, self._context, employee)
            return employee.id

    def _require_nobody_elses(
        self, session: Session, employee: EmployeeRecord, address: str
    ) -> None:
        """Refuse an account at a colleague's address: they could not make their own any more."""
        key, others = address_key(address), EmployeeRecord.id != employee.id
        here = EmployeeRecord.intranet_id == self._context.intranet_id
        contact = select(EmployeeRecord.id).where(
            here, others, EmployeeRecord.contact_email_key == key
        )
        described = (
            select(EmployeeRecord.id)
            .join(AddressRecord, AddressRecord.employee_id == EmployeeRecord.id)
            .where(here, others, AddressRecord.value_key == key)
        )
        if session.scalar(contact.union_all(described).limit(1)) is not None:
            raise CredentialsError(
                f"{address} is another person's address here. Use the address you were invited at, "
                "or one of your own."
            )

    def _hash_for(self, address: str, password: str) -> str:
        """Check or hash the password before the transaction: argon2 takes its time."""
        existing = self._credentials.authenticate(address, password)
        if existing is not None:
            return existing.password_hash or ""
        require_good_password(password)
        return self._credentials.hash(password)

    def change_password(
        self, account_id: UUID, password: str, *, session_id: UUID | None = None
    ) -> None:
        """Set a new password; a one-time one is used up, and every session but this one ends.

        Raises:
            PasswordError: It is not acceptable (A6).
        """
        require_good_password(password)
        hashed = self._credentials.hash(password)
        with self._context.database.write() as session:
            identity = session.scalars(
                select(IdentityRecord).where(
                    IdentityRecord.account_id == account_id,
                    IdentityRecord.kind == IdentityKind.EMAIL,
                )
            ).one()
            identity.password_hash, identity.one_time = hashed, False
            end_sessions(session, self._context, account_id, but=session_id)

    def reset_password(self, address: str, actor: Actor) -> str:
        """Give an account a new one-time password and end its sessions; returns the password.

        Raises:
            NotFoundError: There is no e-mail account with this address.
        """
        password = secrets.token_urlsafe(12)
        hashed = self._credentials.hash(password)
        with self._context.database.write() as session:
            identity = self._credentials.find(session, address)
            if identity is None:
                raise NotFoundError("account", f'"{address}"', hint="nothing was changed")
            identity.password_hash, identity.one_time = hashed, True
            identity.failed_attempts, identity.locked_until = 0, None
            end_sessions(session, self._context, identity.account_id)
            because = f"{actor.name} gave {address} a new one-time password (A4)"
            record(session, self._context, actor, "password_reset", because)
        return password

    def create_administrator(self, address: str) -> str | None:
        """Make the first administrator; returns the one-time password, or None if there is one."""
        password = secrets.token_urlsafe(12)
        hashed = self._credentials.hash(password)
        with self._context.database.write() as session:
            admins = select(RoleGrantRecord).where(
                RoleGrantRecord.intranet_id == self._context.intranet_id,
                RoleGrantRecord.role == RoleName.ADMIN,
            )
            if session.scalars(admins.limit(1)).first() is not None:
                return None
            identity = self._credentials.create(session, address, hashed, one_time=True)
            session.flush()
            session.add(
                RoleGrantRecord(
                    account_id=identity.account_id,
                    intranet_id=self._context.intranet_id,
                    role=RoleName.ADMIN,
                    granted_by="usher",
                    granted_at=self._context.now(),
                )
            )
            because = f"{address} is the first administrator (A7)"
            record(session, self._context, Actor("usher", "cli"), "role_granted", because)
        return password

    def _bind(self, session: Session, employee: EmployeeRecord, identity: IdentityRecord) -> None:
        taken = session.scalars(
            select(BindingRecord).where(
                BindingRecord.account_id == identity.account_id,
                BindingRecord.intranet_id == self._context.intranet_id,
            )
        ).one_or_none()
        if taken is not None:
            raise CredentialsError(
                "This account already belongs to another employee of this intranet. "
                "Use another address."
            )
        session.add(
            BindingRecord(
                employee_id=employee.id,
                account_id=identity.account_id,
                intranet_id=self._context.intranet_id,
                bound_at=self._context.now(),
            )
        )
