"""What the clients of a source send that is ignored, by name: for its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from provisioning.services.context import ServiceContext
from provisioning.services.sources import find_source
from provisioning.storage.models.inbound import InboundRequestRecord

_RECENT = 1_000
"""Requests with unknown attributes that are looked through: the newest of a source."""


_OURS = tuple(
    f"urn:ietf:params:scim:schemas:{schema}:2.0:"
    for schema in ("core", "extension:enterprise", "extension:usher")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredAttribute:
    """Something a client sends and nothing here understands."""

    name: str
    requests: int
    """How many of the newest thousand that had something ignored."""

    last_at: datetime

    @property
    def is_of_extension(self) -> bool:
        """Whether it belongs to a schema that is not ours, which a request could declare."""
        name = self.name.lower()
        return name.startswith("urn:") and not name.startswith(_OURS)


def ignored_attributes(context: ServiceContext, source: str) -> Sequence[IgnoredAttribute]:
    """Return what a source's clients sent lately that was ignored, by name.

    Raises:
        NotFoundError: There is no such source.
    """
    with context.database.read() as session:
        rows = session.execute(
            select(InboundRequestRecord.unknown, InboundRequestRecord.at)
            .where(
                InboundRequestRecord.source_id == find_source(session, context, source).id,
                InboundRequestRecord.unknown.is_not(None),
            )
            .order_by(InboundRequestRecord.id.desc())
            .limit(_RECENT)
        ).all()
    found: dict[str, IgnoredAttribute] = {}
    for names, at in rows:
        for name in names or ():
            known = found.get(name)
            found[name] = IgnoredAttribute(
                name=name,
                requests=known.requests + 1 if known else 1,
                last_at=max(known.last_at, at) if known else at,
            )
    return sorted(found.values(), key=lambda attribute: attribute.name)
