"""What administrators were told of, and how long sources were silent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.alarms import AlarmKind
from provisioning.storage.base import Base, Counter, choice

_OPEN = text("ended_at IS NULL")


class AlarmRecord(Base):
    """A state that administrators were told of, open until it is over."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index(
            "uq_alarm_open",
            "intranet_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    kind: Mapped[AlarmKind] = mapped_column(choice(AlarmKind, "alarm_kind"))
    subject: Mapped[str]
    state: Mapped[str]
    title: Mapped[str]
    path: Mapped[str]
    opened_at: Mapped[datetime]
    told_at: Mapped[datetime]
    times_told: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None]


class SilenceRecord(Base):
    """A while of an hour or more in which a source that sends by itself sent nothing."""

    __tablename__ = "silence"
    __table_args__ = (Index("ix_silence_source", "source_id", "ended_at"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]
