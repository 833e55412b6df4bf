"""Who pushes and who is pulled: every source with its last sign of life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from provisioning.services.context import ServiceContext
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunRecord, TokenRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One source as the overview shows it."""

    name: str
    kind: str
    released: bool
    """Whether its letters may leave (I10)."""

    last_read: int | None
    """People its last complete reading returned."""

    last_run: int | None
    last_request_at: datetime | None
    last_rejected_at: datetime | None
    last_rejected: str | None
    """Why the last rejected request was rejected."""


def connections(context: ServiceContext) -> Sequence[Connection]:
    """Return every source of the intranet by name."""
    last_run = (
        select(func.max(RunRecord.id))
        .where(RunRecord.source_id == SourceRecord.id)
        .scalar_subquery()
    )
    query = (
        select(SourceRecord, last_run)
        .where(SourceRecord.intranet_id == context.intranet_id)
        .order_by(SourceRecord.name)
    )
    with context.database.read() as session:
        found = session.execute(query).all()
        tokens = session.scalars(
            select(TokenRecord)
            .join(SourceRecord, SourceRecord.id == TokenRecord.source_id)
            .where(SourceRecord.intranet_id == context.intranet_id)
        ).all()
    return [
        _connection(source, run, [token for token in tokens if token.source_id == source.id])
        for source, run in found
    ]


def _connection(
    source: SourceRecord, last_run: int | None, tokens: Sequence[TokenRecord]
) -> Connection:
    used = [token.last_used_at for token in tokens if token.last_used_at]
    rejected = max(
        (token for token in tokens if token.last_rejected_at),
        key=lambda token: str(token.last_rejected_at),
        default=None,
    )
    return Connection(
        name=source.name,
        kind=source.kind,
        released=source.is_released,
        last_read=source.last_read,
        last_run=last_run,
        last_request_at=max(used, default=None),
        last_rejected_at=rejected.last_rejected_at if rejected else None,
        last_rejected=rejected.last_rejected if rejected else None,
    )
