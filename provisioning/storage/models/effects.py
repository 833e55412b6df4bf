"""What the world is told and what is remembered: outbox, events, findings."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.findings import FindingKind
from provisioning.storage.base import Base, Counter, Json, choice


class OutboxState(StrEnum):
    """How far a message came."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    IN_DOUBT = "in_doubt"
    """Handed over, the answer not seen yet: committed before the call."""

    DELIVERED = "delivered"
    KEPT = "kept"
    """Kept for reading while no relay is named: nobody was written to."""

    DEAD = "dead"


class Lane(StrEnum):
    """Removals overtake everything else (D7)."""

    REMOVAL = "removal"
    NORMAL = "normal"


class OutboxRecord(Base):
    """A side effect committed with the rows it speaks of and not yet delivered."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "state", "lane", "not_before"),
        Index("ix_outbox_intranet", "intranet_id", "id"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    employee_id: Mapped[UUID | None]
    employee_seq: Mapped[int | None]
    lane: Mapped[Lane] = mapped_column(choice(Lane, "outbox_lane"))
    topic: Mapped[str]
    natural_key: Mapped[str] = mapped_column(unique=True)
    """Says the same thing only once, and finds it again after a crash."""

    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[OutboxState] = mapped_column(choice(OutboxState, "outbox_state"))
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    """Counts claims; a worker that lost its claim cannot write the outcome."""

    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    error: Mapped[str | None]


class EventRecord(Base):
    """One thing that happened: timeline and audit in one, append only (S4)."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_employee", "employee_id", "id"),
        Index("ix_event_intranet_at", "intranet_id", "at"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    employee_id: Mapped[UUID | None]
    at: Mapped[datetime]
    actor: Mapped[str]
    door: Mapped[str]
    """run, scim, page, cli, join, job."""

    kind: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)
    because: Mapped[str]
    run_id: Mapped[int | None]


class SealRecord(Base):
    """A batch of events sealed in a hash chain by a job."""

    __tablename__ = "seal"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    first_event: Mapped[int]
    last_event: Mapped[int]
    sealed_at: Mapped[datetime]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class FindingRecord(Base):
    """Something to look at, open until its cause is gone or it is accepted (E5)."""

    __tablename__ = "finding"
    __table_args__ = (
        Index(
            "uq_finding_open",
            "intranet_id",
            "subject",
            "kind",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_finding_employee", "employee_id"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    source_id: Mapped[UUID | None] = mapped_column(ForeignKey("source.id"))
    employee_id: Mapped[UUID | None]
    kind: Mapped[FindingKind] = mapped_column(choice(FindingKind, "finding_kind"))
    subject: Mapped[str]
    """The employee's id, or the anchor of somebody who is no employee."""

    who: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    evidence: Mapped[dict[str, Any]] = mapped_column(Json)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    accepted_reason: Mapped[str | None]
    accepted_until: Mapped[datetime | None]
