"""What identity providers asked, redacted, kept for a while."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.storage.base import Base, Counter, Json


def _only(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class InboundRequestRecord(Base):
    """One request of an identity provider, or how many could not be noted.

    Rows are found and removed by their number, which follows the time they were written.
    """

    __tablename__ = "inbound_request"
    __table_args__ = (
        Index("ix_inbound_request_source", "source_id", "id"),
        _only("ix_inbound_request_failed", "id", where="failed"),
        _only("ix_inbound_request_employee", "employee_id", "id", where="employee_id IS NOT NULL"),
        _only("ix_inbound_request_unknown", "source_id", "id", where="unknown IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    intranet_id: Mapped[UUID] = mapped_column(ForeignKey("intranet.id"))
    source_id: Mapped[UUID | None] = mapped_column(ForeignKey("source.id"))
    """None when no good token came with it."""

    token_id: Mapped[str | None]
    """The public part of the token, or the id of the client, good or not."""

    remote_address: Mapped[str | None]
    at: Mapped[datetime]
    """When it was answered."""

    method: Mapped[str]
    path: Mapped[str]
    """Below /scim/v2; whole where it is not below it, or reads as if it were not."""

    query: Mapped[str | None]
    body: Mapped[str | None]
    outcome: Mapped[int]
    """The HTTP status; 0 in a row that counts what could not be noted."""

    failed: Mapped[bool]
    scim_type: Mapped[str | None]
    """The error's own code; that of RFC 6749 for a request for access."""

    detail: Mapped[str | None]
    duration_ms: Mapped[float]
    quirks: Mapped[list[str] | None] = mapped_column(Json)
    unknown: Mapped[list[str] | None] = mapped_column(Json)
    """Attributes that were sent and ignored."""

    scim_user_id: Mapped[UUID | None]
    scim_group_id: Mapped[UUID | None]
    employee_id: Mapped[UUID | None]
    """No foreign key: the log outlives whom it is about, and never keeps anybody."""

    dropped: Mapped[int] = mapped_column(default=0)
    """Requests that could not be noted before this row was written."""
