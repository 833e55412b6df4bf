"""Accounts, how they sign in, what they are bound to; invitations and tasks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.storage.base import Base, Json, Key, choice


class IdentityKind(StrEnum):
    """How an account signs in."""

    EMAIL = "email"
    SOCIAL = "social"


class RoleName(StrEnum):
    """What somebody may do on the administrators' pages, least first (A7)."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


class AccountRecord(Base):
    """A person's own sign-in, across intranets."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    created_at: Mapped[datetime]


class IdentityRecord(Base):
    """One way of signing in: an address with a password, or a provider's subject (A1)."""

    __tablename__ = "identity"
    __table_args__ = (
        UniqueConstraint("kind", "issuer", "subject"),
        Index(
            "uq_identity_address_of_email",
            "address_key",
            unique=True,
            sqlite_where=text("kind = 'email'"),
            postgresql_where=text("kind = 'email'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[IdentityKind] = mapped_column(choice(IdentityKind, "identity_kind"))
    issuer: Mapped[str | None]
    subject: Mapped[str | None]
    address: Mapped[str | None]
    address_key: Mapped[str | None] = mapped_column(Key)
    password_hash: Mapped[str | None]
    one_time: Mapped[bool] = mapped_column(default=False)
    """The password was given by a machine and must be replaced at the first sign-in."""

    failed_attempts: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]


class BindingRecord(Base):
    """Which account opens the intranet for which employee."""

    __tablename__ = "binding"
    __table_args__ = (UniqueConstraint("account_id", "intranet_id"),)

    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employee.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    bound_at: Mapped[datetime]


class RoleGrantRecord(Base):
    """A role given to an account in one intranet, by an administrator (A7)."""

    __tablename__ = "role_grant"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"), primary_key=True)
    role: Mapped[RoleName] = mapped_column(choice(RoleName, "role_name"))
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]


class SessionRecord(Base):
    """Somebody signed in; known by the digest of what their cookie holds."""

    __tablename__ = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class InvitationRecord(Base):
    """One letter to one address with a single-use link (I3)."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index(
            "uq_invitation_open_of_employee",
            "employee_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_invitation_employee", "employee_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employee.id", ondelete="CASCADE"))
    address: Mapped[str]
    address_key: Mapped[str] = mapped_column(Key)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    """No letter leaves earlier: the grace of I9."""

    hold_reason: Mapped[str | None]
    """first_approval while the source is not released (I10)."""

    sent_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    """Counted from the moment the letter left; None before."""

    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    """accepted, expired, stale, undeliverable, revoked, or replaced."""


class TaskState(StrEnum):
    """Open or done."""

    OPEN = "open"
    DONE = "done"


class TaskRole(StrEnum):
    """How an employee is named in a task."""

    CREATOR = "creator"
    RESPONSIBLE = "responsible"
    PARTICIPANT = "participant"
    OBSERVER = "observer"


class TaskRecord(Base):
    """Something to do on the built-in intranet."""

    __tablename__ = "task"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    title: Mapped[str]
    kind: Mapped[str] = mapped_column(default="task")
    """complete_profile for the default task of I8, else task."""

    state: Mapped[TaskState] = mapped_column(choice(TaskState, "task_state"))
    created_at: Mapped[datetime]


class TaskRoleRecord(Base):
    """Who is named in a task, and as what (I7)."""

    __tablename__ = "task_role"
    __table_args__ = (Index("ix_task_role_employee", "employee_id"),)

    task_id: Mapped[UUID] = mapped_column(
        ForeignKey("task.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[TaskRole] = mapped_column(choice(TaskRole, "task_role_name"), primary_key=True)
    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employee.id"), primary_key=True)


class RemedyRecord(Base):
    """A remedy under way: resumable, with its confirmations (E6, E7)."""

    __tablename__ = "remedy"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id"), index=True)
    kind: Mapped[str]
    step: Mapped[str]
    state: Mapped[str]
    confirmations: Mapped[dict[str, Any] | None] = mapped_column(Json)
    expires_at: Mapped[datetime | None]
