"""Runs with their plans, staged snapshots and budgets; jobs; tokens and what came in with them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.actions import ActionKind, HoldReason
from provisioning.storage.base import Base, Counter, Json, Key, choice


class RunState(StrEnum):
    """How far a run came."""

    READY = "ready"
    HELD = "held"
    REJECTED = "rejected"
    EXPIRED = "expired"
    APPLYING = "applying"
    APPLIED = "applied"
    PARTIAL = "partial"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class RunKind(StrEnum):
    """What a run read, and why."""

    FULL = "full"
    AFRESH = "afresh"
    """Everyone once more, to compare with a plan that was shown (R4)."""

    CHANGES = "changes"
    """What changed since the last reading."""

    UNDO = "undo"
    """Nothing: it takes back what another run did (D8)."""


class ActionStatus(StrEnum):
    """How far an action of a run came."""

    PLANNED = "planned"
    DUE = "due"
    """Chosen by the apply that is under way."""

    DONE = "done"
    DRIFTED = "drifted"
    """The world changed: not done, and not to be done."""

    FAILED = "failed"
    REJECTED = "rejected"


class TokenKind(StrEnum):
    """What a row of the token table is presented as."""

    TOKEN = "token"  # noqa: S105 - a kind
    """A long-lived bearer token."""

    CLIENT = "client"
    """The id and secret of an OAuth client, which fetches access tokens (RFC 6749 4.4)."""

    ACCESS = "access"
    """An access token of a client, good for an hour."""


class RunRecord(Base):
    """One read-plan-guard-apply of one source."""

    __tablename__ = "run"
    __table_args__ = (
        Index(
            "uq_run_applying_of_source",
            "source_id",
            unique=True,
            sqlite_where=text("state = 'applying'"),
            postgresql_where=text("state = 'applying'"),
        ),
        Index("ix_run_source", "source_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"))
    kind: Mapped[RunKind] = mapped_column(choice(RunKind, "run_kind"), default=RunKind.FULL)
    state: Mapped[RunState] = mapped_column(choice(RunState, "run_state"))
    digest: Mapped[str] = mapped_column(default="")
    undoes: Mapped[int | None] = mapped_column(Counter)
    """The run that this one takes back (D8)."""

    counts: Mapped[dict[str, int]] = mapped_column(Json)
    read: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    mapping_version: Mapped[str] = mapped_column(default="")
    rules: Mapped[str] = mapped_column(default="")
    """Mapping and scope together: by other rules than the last, a run is only planned (R8)."""

    started_by: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    proof: Mapped[dict[str, Any] | None] = mapped_column(Json)
    error: Mapped[str | None]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    comment: Mapped[str | None]
    settled: Mapped[bool] = mapped_column(default=False)
    """Whether the apply that is under way has chosen its actions; what a resumed one trusts."""

    heartbeat: Mapped[datetime | None]
    worker: Mapped[str | None]
    """Who applies it: host and process id."""


class RunPersonRecord(Base):
    """Whom a run has news of: new, changed, back or missing; dropped after it."""

    __tablename__ = "run_person"

    run_id: Mapped[int] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    anchor: Mapped[str] = mapped_column(Key, primary_key=True)
    raw_hash: Mapped[str]
    vouched: Mapped[bool] = mapped_column(default=True)
    """Whether the source says they are in; unchanged people keep what was said before."""

    missing: Mapped[bool] = mapped_column(default=False)
    """Whether they are linked and the reading does not have them."""

    person: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Mapped attributes, only where the entry changed."""

    problem: Mapped[str | None]
    user_name_key: Mapped[str | None] = mapped_column(Key)
    mail_key: Mapped[str | None] = mapped_column(Key)
    employee_number_key: Mapped[str | None] = mapped_column(Key)
    """Set only for people without a link: what newcomers may share with one another (P3)."""


class RunActionRecord(Base):
    """One action of a run with its before-image."""

    __tablename__ = "run_action"
    __table_args__ = (
        Index("ix_run_action_status", "run_id", "status", "seq"),
        Index("ix_run_action_employee", "employee_id"),
        Index("ix_run_action_anchor", "run_id", "anchor"),
    )

    run_id: Mapped[int] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[ActionKind] = mapped_column(choice(ActionKind, "action_kind"))
    employee_id: Mapped[UUID | None]
    anchor: Mapped[str] = mapped_column(Key)
    who: Mapped[str]
    fingerprint: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any]] = mapped_column(Json)
    """The action's own document."""

    left_since: Mapped[datetime | None]
    """Since when the employee was in the state it left them in; another one changed since (D8)."""

    because: Mapped[str]
    held: Mapped[HoldReason | None] = mapped_column(choice(HoldReason, "hold_reason"))
    status: Mapped[ActionStatus] = mapped_column(choice(ActionStatus, "action_status"))
    error: Mapped[str | None]


class RemovalRecord(Base):
    """One person removed or marked: the rolling budgets of D5 and D6."""

    __tablename__ = "removal"
    __table_args__ = (Index("ix_removal_intranet_at", "intranet_id", "at"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"))
    employee_id: Mapped[UUID]
    at: Mapped[datetime]
    door: Mapped[str]
    released: Mapped[bool] = mapped_column(default=False)
    """An administrator looked and released the breaker since: it counts no more (D6)."""


class JobRunRecord(Base):
    """A scheduled job in one slot: the row is the guard that it runs once (R6)."""

    __tablename__ = "job_run"
    __table_args__ = (UniqueConstraint("job", "intranet_id", "source", "slot"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    job: Mapped[str]
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    source: Mapped[str] = mapped_column(default="")
    slot: Mapped[str]
    state: Mapped[str]
    """asked, running, done or failed."""

    node: Mapped[str]
    asked_by: Mapped[str | None]
    """Who wanted it now; None: it was due."""

    attempts: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    error: Mapped[str | None]


class NodeRecord(Base):
    """A scheduler that runs, and when it last said so; a process that stops takes it away."""

    __tablename__ = "node"

    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    """The process: host, number and start."""

    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]


class TokenRecord(Base):
    """What one source proves itself with; only the digest of it is kept."""

    __tablename__ = "token"

    id: Mapped[str] = mapped_column(Key, primary_key=True)
    """The public part, by which it is found."""

    kind: Mapped[TokenKind] = mapped_column(choice(TokenKind, "token_kind"))
    client_id: Mapped[str | None] = mapped_column(Key, ForeignKey("token.id"), index=True)
    """The client an access token was given to; None for everything else."""

    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"), index=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[str]
    """Space separated, as in OAuth."""

    note: Mapped[str] = mapped_column(default="")
    """What an administrator wants to remember of it."""

    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime]
    replaced_by: Mapped[str | None] = mapped_column(Key)
    """The token a rotation made in its place."""

    last_used_at: Mapped[datetime | None]
    last_used_from: Mapped[str | None]
    last_rejected_at: Mapped[datetime | None]
    last_rejected_from: Mapped[str | None]
    last_rejected: Mapped[str | None]
    """Why it was rejected."""

    revoked_at: Mapped[datetime | None]
