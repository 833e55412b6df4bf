"""Sources as the database knows them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.errors import NotFoundError
from provisioning.services.context import ServiceContext
from provisioning.storage.models.intranets import SourceRecord


def find_source(
    session: Session, context: ServiceContext, name: str, *, for_update: bool = False
) -> SourceRecord:
    """Return a source of this intranet by name.

    Raises:
        NotFoundError: There is none; the others are named.
    """
    query = select(SourceRecord).where(
        SourceRecord.intranet_id == context.intranet_id, SourceRecord.name == name
    )
    source = session.scalars(query.with_for_update() if for_update else query).one_or_none()
    if source is None:
        raise _no_source(session, context, name)
    return source


def _no_source(session: Session, context: ServiceContext, name: str) -> NotFoundError:
    others = session.scalars(
        select(SourceRecord.name).where(SourceRecord.intranet_id == context.intranet_id)
    ).all()
    return NotFoundError("source", f'"{name}"', hint=f"there are: {', '.join(others) or 'none'}")


def is_known(session: Session, context: ServiceContext, name: str) -> bool:
    """Whether the intranet has a source of this name, configured here or not."""
    query = select(SourceRecord.id).where(
        SourceRecord.intranet_id == context.intranet_id, SourceRecord.name == name
    )
    return session.scalar(query) is not None
