"""Mappings that administrators saved, every version of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.storage.base import Base, Counter, Json


class MappingVersionRecord(Base):
    """One version of a source's own rules; the last one is in force (R8)."""

    __tablename__ = "mapping_version"
    __table_args__ = (UniqueConstraint("source_id", "number"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    number: Mapped[int]
    """From 1, in each source."""

    rules: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """What stands before the preset's rules; None: the configuration's word counts again."""

    compiled: Mapped[str]
    """The version that runs by these rules write down."""

    comment: Mapped[str]
    saved_by: Mapped[str]
    saved_at: Mapped[datetime]
    read: Mapped[int]
    """People it was counted over before it was saved."""

    changed: Mapped[int]
    """Those of them it made another person of."""
