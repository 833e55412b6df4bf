"""Effects of SCIM requests that wait for an administrator."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.actions import ActionKind, HoldReason
from provisioning.storage.base import Base, Counter, Key, choice

_OPEN = text("ended_at IS NULL")


class HoldEnd(StrEnum):
    """How a held effect ended."""

    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """The client took it back."""

    OVERTAKEN = "overtaken"
    """It came about, or ceased to make sense, by another door."""


class HeldEffectRecord(Base):
    """What a SCIM request asked for and a guard stopped: one row a person, open until decided."""

    __tablename__ = "held_effect"
    __table_args__ = (
        Index(
            "uq_held_effect_open",
            "source_id",
            "employee_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_held_effect_employee", "employee_id"),
        Index(
            "ix_held_effect_page",
            "intranet_id",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"))
    employee_id: Mapped[UUID]
    anchor: Mapped[str] = mapped_column(Key)
    """The resource whose request it was; it may have been deleted by that request."""

    who: Mapped[str]
    kind: Mapped[ActionKind] = mapped_column(choice(ActionKind, "action_kind"))
    reason: Mapped[HoldReason] = mapped_column(choice(HoldReason, "hold_reason"))
    because: Mapped[str]
    held_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end: Mapped[HoldEnd | None] = mapped_column(choice(HoldEnd, "hold_end"))
    ended_by: Mapped[str | None]
    comment: Mapped[str | None]
