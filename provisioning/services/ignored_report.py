"""What the clients of a source send that is ignored, by name: for its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from provisioning.services.context import ServiceContext
from provisioning.storage.models.inbound import InboundRequestRecord

_RECENT = 1_000
"""Requests with unknown attributes that are looked through: the newest of a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAttribute:
    """Something a client sends and nothing here understands."""

    name: str
    requests: int
    last_at: datetime


def unknown_attributes(context: ServiceContext, source_id: UUID) -> Sequence[UnknownAttribute]:
    """Return what a source's clients sent lately that was ignored, by name."""
    query = (
        select(InboundRequestRecord.unknown, InboundRequestRecord.at)
        .where(
            InboundRequestRecord.source_id == source_id,
            InboundRequestRecord.unknown.is_not(None),
        )
        .order_by(InboundRequestRecord.id.desc())
        .limit(_RECENT)
    )
    found: dict[str, UnknownAttribute] = {}
    with context.database.read() as session:
        for names, at in session.execute(query):
            for name in names or ():
                known = found.get(name)
                found[name] = UnknownAttribute(
                    name=name,
                    requests=known.requests + 1 if known else 1,
                    last_at=max(known.last_at, at) if known else at,
                )
    return sorted(found.values(), key=lambda attribute: attribute.name)
