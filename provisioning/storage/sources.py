"""A source as everybody sees it who acts on its word: a few facts, read once a transaction."""

from __future__ import annotations

from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.storage.core import execute, this
from provisioning.storage.models.intranets import SourceRecord


class Source(Protocol):
    """What a decision asks of a source: its record, or the row below."""

    @property
    def id(self) -> UUID:
        """Its key."""

    @property
    def intranet_id(self) -> UUID:
        """Whose people it describes."""

    @property
    def name(self) -> str:
        """As the configuration calls it."""

    @property
    def authoritative(self) -> bool:
        """Whether it has the say where sources differ (P6)."""

    @property
    def is_released(self) -> bool:
        """Whether it may act: it was released, or needs no release (I10)."""


class SourceRow(NamedTuple):
    """A source, read without an object that could be written."""

    id: UUID
    intranet_id: UUID
    name: str
    authoritative: bool
    is_released: bool


_ONE = select(
    SourceRecord.id,
    SourceRecord.intranet_id,
    SourceRecord.name,
    SourceRecord.authoritative,
    SourceRecord.is_released,
).where(this(SourceRecord.id))


def read_source(session: Session, source_id: UUID) -> SourceRow:
    """Return a source that there is: a token, or a row of its own, names it."""
    return SourceRow(*execute(session, _ONE, this_id=source_id).one())
