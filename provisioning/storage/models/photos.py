"""Photos: each kept once, and whose it is by which source."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.storage.base import Base, Key


class PhotoRecord(Base):
    """One photo, however many have it."""

    __tablename__ = "photo"

    hash: Mapped[str] = mapped_column(primary_key=True)
    content_type: Mapped[str]
    content: Mapped[bytes]


class LinkPhotoRecord(Base):
    """What a source has of somebody; without a row it was not looked at yet."""

    __tablename__ = "link_photo"
    __table_args__ = (
        ForeignKeyConstraint(
            ["source_id", "anchor"], ["link.source_id", "link.anchor"], ondelete="CASCADE"
        ),
        Index("ix_link_photo_hash", "hash"),
    )

    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    anchor: Mapped[str] = mapped_column(Key, primary_key=True)
    hash: Mapped[str | None] = mapped_column(ForeignKey("photo.hash"))
    """None: there is none, or none that can be shown."""
