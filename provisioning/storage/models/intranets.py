"""Intranets, their seats, their sources, and the brakes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, UniqueConstraint, or_
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.storage.base import Base, Json


class IntranetRecord(Base):
    """One company's portal."""

    __tablename__ = "intranet"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    target: Mapped[str] = mapped_column(default="builtin")
    time_zone: Mapped[str] = mapped_column(default="UTC")
    policy: Mapped[dict[str, Any] | None] = mapped_column(Json)
    policy_version: Mapped[int] = mapped_column(default=1)
    next_employee_seq: Mapped[int] = mapped_column(default=1)


class SeatCounterRecord(Base):
    """The one ledger of seats: taken only by an update that carries its condition (L1)."""

    __tablename__ = "seat_counter"
    __table_args__ = (CheckConstraint("taken >= 0", name="taken_not_negative"),)

    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True, default="employee")
    taken: Mapped[int] = mapped_column(default=0)
    limit: Mapped[int | None]
    """None: unlimited."""

    recounted_at: Mapped[datetime | None]


class SeatDayRecord(Base):
    """How many seats were taken on a local date, as counted last on it (L8)."""

    __tablename__ = "seat_day"

    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    taken: Mapped[int]


class SourceRecord(Base):
    """A system that vouches for people."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("intranet_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    name: Mapped[str]
    kind: Mapped[str]
    settings: Mapped[dict[str, Any] | None] = mapped_column(Json)
    rules: Mapped[str] = mapped_column(default="")
    """Mapping and scope of the last run that was applied (R8)."""

    authoritative: Mapped[bool] = mapped_column(default=True)
    first_run: Mapped[str] = mapped_column(default="plan")
    released_at: Mapped[datetime | None]
    mark: Mapped[str | None]
    """Where changes after the last reading begin; the connector's own words."""

    photos_read_at: Mapped[datetime | None]
    """When the last reading of photos began; the next looks at what was modified since."""

    last_read: Mapped[int | None]
    """People the last complete reading returned."""

    last_request_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    quarantined_until: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @hybrid_property
    def is_released(self) -> bool:
        """Whether it may act: it was released, or needs no release (I10)."""
        return self.first_run == "apply" or self.released_at is not None

    @is_released.inplace.expression
    @classmethod
    def _is_released(cls) -> ColumnElement[bool]:
        return or_(cls.first_run == "apply", cls.released_at.is_not(None))


class SwitchRecord(Base):
    """A brake an administrator pulled."""

    __tablename__ = "switch"

    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    on_since: Mapped[datetime]
    on_by: Mapped[str]
