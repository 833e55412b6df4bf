"""People and groups as SCIM sources describe them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.storage.base import Base, Json, Key

_VISIBLE = text("hidden_at IS NULL")


class ScimUserRecord(Base):
    """One person as one SCIM source describes them. A deleted one is hidden, not gone."""

    __tablename__ = "scim_user"
    __table_args__ = (
        Index(
            "uq_scim_user_user_name_while_visible",
            "source_id",
            "user_name_key",
            unique=True,
            sqlite_where=_VISIBLE,
            postgresql_where=_VISIBLE,
        ),
        Index(
            "uq_scim_user_external_id_while_visible",
            "source_id",
            "external_id",
            unique=True,
            sqlite_where=_VISIBLE,
            postgresql_where=_VISIBLE,
        ),
        Index(
            "ix_scim_user_display_name",
            "source_id",
            "display_name_key",
            sqlite_where=_VISIBLE,
            postgresql_where=_VISIBLE,
        ),
        Index(
            "ix_scim_user_modified",
            "source_id",
            "modified_at",
            sqlite_where=_VISIBLE,
            postgresql_where=_VISIBLE,
        ),
        Index(
            "ix_scim_user_page",
            "source_id",
            "seq",
            sqlite_where=_VISIBLE,
            postgresql_where=_VISIBLE,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    """The SCIM id and the anchor of the link."""

    seq: Mapped[int]
    """A stable order for paging, per source."""

    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"))
    employee_id: Mapped[UUID | None] = mapped_column(ForeignKey("employee.id"), index=True)
    """None while the matching queue decides who they are (P3)."""

    external_id: Mapped[str | None] = mapped_column(Key)
    """NFC, as scim2-models compares it; None when it is absent or empty."""

    user_name_key: Mapped[str] = mapped_column(Key)
    """NFC and lower case, as scim2-models compares it; what the unique index sees."""

    display_name_key: Mapped[str | None] = mapped_column(Key)
    desired_active: Mapped[bool]
    """What the client set; the employee's state is what came of it."""

    document: Mapped[bytes] = mapped_column(LargeBinary)
    """Rendered JSON without meta.location, meta.version and our extension."""

    search: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    """The document, folded: what filters compare. Written with it and never read."""

    created_at: Mapped[datetime]
    modified_at: Mapped[datetime]
    hidden_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()
    """Counts writes; SCIM shows it as the ETag, and a stale write is refused."""

    __mapper_args__: Any = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own


class ScimEmailRecord(Base):
    """One folded address of one visible user, so that looking it up is no scan."""

    __tablename__ = "scim_email"
    __table_args__ = (Index("ix_scim_email_value", "value_key", "user_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("scim_user.id"), primary_key=True)
    value_key: Mapped[str] = mapped_column(Key, primary_key=True)
    """Its beginning, if it is long; the search document decides."""


class ScimCounterRecord(Base):
    """How many visible resources a source has, and the next place in their order."""

    __tablename__ = "scim_counter"

    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"), primary_key=True)
    users: Mapped[int] = mapped_column(default=0)
    groups: Mapped[int] = mapped_column(default=0)
    next_seq: Mapped[int] = mapped_column(default=1)


class ScimGroupRecord(Base):
    """A group of a SCIM source; its members are rows of their own."""

    __tablename__ = "scim_group"
    __table_args__ = (
        Index("ix_scim_group_name", "source_id", "display_name_key"),
        Index("ix_scim_group_page", "source_id", "seq"),
        Index("uq_scim_group_external_id", "source_id", "external_id", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    seq: Mapped[int]
    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"))
    display_name: Mapped[str]
    display_name_key: Mapped[str] = mapped_column(Key)
    external_id: Mapped[str | None] = mapped_column(Key)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    search: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    """The document, folded: what filters compare. Written with it and never read."""

    created_at: Mapped[datetime]
    modified_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__: Any = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own


class ScimMemberRecord(Base):
    """One member of one group."""

    __tablename__ = "scim_member"
    __table_args__ = (Index("ix_scim_member_of", "member_kind", "member_id"),)

    group_id: Mapped[UUID] = mapped_column(ForeignKey("scim_group.id"), primary_key=True)
    member_kind: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
