"""Employees, which person is which of them, and their addresses."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.employees import EmployeeState
from provisioning.domain.matching import Decision
from provisioning.storage.base import Base, Counter, Json, Key, choice


class EmployeeRecord(Base):
    """One human as the registry records them in one intranet. Never deleted once active (S2)."""

    __tablename__ = "employee"
    __table_args__ = (
        UniqueConstraint("intranet_id", "seq"),
        Index("ix_employee_state", "intranet_id", "state", "seq"),
        Index("ix_employee_contact", "intranet_id", "contact_email_key"),
        Index("ix_employee_manager", "manager_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    seq: Mapped[int]
    state: Mapped[EmployeeState] = mapped_column(choice(EmployeeState, "employee_state"))
    state_reason: Mapped[str] = mapped_column(default="")
    """Why they wait or were dismissed: a reason code."""

    because: Mapped[str] = mapped_column(default="")
    """The *why* of the state, one sentence with its rule (S4)."""

    state_since: Mapped[datetime]
    display_name: Mapped[str]
    display_name_key: Mapped[str] = mapped_column(Key)
    department: Mapped[str | None]
    title: Mapped[str | None]
    manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employee.id", ondelete="SET NULL"))
    """Who their source says manages them; None while that is nobody here."""

    contact_email: Mapped[str | None]
    contact_email_key: Mapped[str | None] = mapped_column(Key)
    mailbox: Mapped[str | None]
    accepted_at: Mapped[datetime | None]
    dismissed_at: Mapped[datetime | None]
    dismissed_by_source: Mapped[str | None]
    waiting_since: Mapped[datetime | None]
    starts_at: Mapped[datetime | None]
    line_place: Mapped[int | None]
    """Where an administrator put them on the waiting list, from 1; None: where the rules do."""

    pinned: Mapped[bool] = mapped_column(default=False)
    protected: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()
    """Counts writes; a stale write is refused."""

    __mapper_args__: Any = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own


class LinkRecord(Base):
    """Which person of a source is which employee; by directory id, never by name (P1)."""

    __tablename__ = "link"
    __table_args__ = (
        Index("ix_link_employee", "employee_id", "source_id"),
        Index("ix_link_user_name", "source_id", "user_name_key"),
        Index("ix_link_employee_number", "source_id", "employee_number_key"),
        Index("ix_link_mail", "source_id", "mail_key"),
        Index("ix_link_external_id", "source_id", "external_id"),
        Index("ix_link_where", "source_id", "where_key"),
        Index("ix_link_manager", "source_id", "manager_key"),
    )

    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"), primary_key=True)
    anchor: Mapped[str] = mapped_column(Key, primary_key=True)
    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employee.id"))
    raw_hash: Mapped[str] = mapped_column(default="")
    """The entry as last applied; empty forces a look at the next reading."""

    mapping_version: Mapped[str] = mapped_column(default="")
    review_at: Mapped[datetime | None]
    """When time alone may change the outcome: the entry's own end date."""

    last_seen_run: Mapped[int | None]
    missing_since: Mapped[date | None]
    """The local date on which the source ceased to vouch for them (D2)."""

    missing_counted: Mapped[bool] = mapped_column(default=False)
    """Whether that mark counted in the limits of its night; a removal counts once (D5)."""

    hidden: Mapped[bool] = mapped_column(default=False)
    """Deleted over SCIM: no longer vouches, still evidence for P2."""

    authoritative: Mapped[bool] = mapped_column(default=True)
    applied: Mapped[dict[str, Any]] = mapped_column(Json)
    """The person as last applied: what this source owns of the employee (P6)."""

    user_name: Mapped[str]
    user_name_key: Mapped[str] = mapped_column(Key)
    mail_key: Mapped[str | None] = mapped_column(Key)
    employee_number_key: Mapped[str | None] = mapped_column(Key)
    external_id: Mapped[str | None] = mapped_column(Key)
    where_key: Mapped[str] = mapped_column(Key, default="")
    """How others of the source name this person: the normal form of a DN, or the anchor."""

    manager_key: Mapped[str | None] = mapped_column(Key)
    """How the source names the manager, in the same form; None if it names nobody."""

    linked_at: Mapped[datetime]


class AddressRecord(Base):
    """An address of an employee, and who says so."""

    __tablename__ = "address"
    __table_args__ = (
        Index("ix_address_role_value", "role", "value_key"),
        Index("ix_address_employee", "employee_id"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employee.id", ondelete="CASCADE"))
    source_id: Mapped[UUID | None] = mapped_column(ForeignKey("source.id"))
    role: Mapped[str]
    """directory, alias, contact, mailbox, or emails[type]."""

    value: Mapped[str]
    value_key: Mapped[str] = mapped_column(Key)
    primary: Mapped[bool] = mapped_column(default=False)


class MatchRecord(Base):
    """A person nobody could place: the matching queue (P2, P3).

    An open question goes away with its cause; a decision stays and is honoured (P5).
    """

    __tablename__ = "match"
    __table_args__ = (
        UniqueConstraint("source_id", "anchor"),
        Index("ix_match_decision", "source_id", "decision"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"))
    anchor: Mapped[str] = mapped_column(Key)
    person: Mapped[dict[str, Any]] = mapped_column(Json)
    """As the source described them last: what a decision acts on."""

    candidates: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """Who they may be and by which keys, as it was when they were seen."""

    because: Mapped[str]
    opened_at: Mapped[datetime]
    decision: Mapped[Decision | None] = mapped_column(choice(Decision, "decision"))
    """None while nobody decided."""

    decided_employee_id: Mapped[UUID | None]
    """Who they are; only with same_person, and the employee may be gone since."""

    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
