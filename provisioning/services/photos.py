"""Photos of people: read after the nights, only where there may be another one.

A photo decides nothing, so it is in no plan and no guard: nobody who comes or leaves waits for it,
and a reading that fails is made up for the next night.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from uuid import UUID

import structlog
from sqlalchemy import case, delete, exists, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from provisioning.domain.employees import EmployeeState
from provisioning.domain.errors import NotFoundError, ProvisioningError
from provisioning.domain.photos import Photo
from provisioning.ports import PhotoSource
from provisioning.services.context import ConfiguredSource, ServiceContext
from provisioning.services.sources import find_source
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.photos import LinkPhotoRecord, PhotoRecord

log = structlog.get_logger(__name__)

BATCH = 50
"""Photos asked for, and written, at once."""

MANY = 1_000
"""People without a photo written at once."""

Found = tuple[str, bytes | None]


def read_photos(context: ServiceContext, source: ConfiguredSource) -> None:
    """Bring the photos of a source's people up to date, if it has any.

    The first time whoever has one is asked for; later newcomers by id, and whoever the source says
    was modified since the last time. What fails is logged: the next time begins where this one did.
    """
    directory: object = source.directory
    if not isinstance(directory, PhotoSource) or not directory.has_photos:
        return
    with context.database.read() as session:
        record = find_source(session, context, source.name)
        source_id, since = record.id, record.photos_read_at
    began = context.now()
    try:
        _keep(context, source_id, directory.photos(since=since))
        if since is None:
            for ids in _unseen(context, source_id, MANY, began):
                _keep(context, source_id, dict.fromkeys(ids).items(), MANY)
        elif _has_photos(context, source_id):
            gone = directory.without_photo(since)
            _keep(context, source_id, ((anchor, None) for anchor in gone), MANY)
        for ids in _unseen(context, source_id, BATCH):
            found = dict(directory.photos(of=ids))
            _keep(context, source_id, ((anchor, found.get(anchor)) for anchor in ids))
        with context.database.write() as session:
            session.get_one(SourceRecord, source_id).photos_read_at = began
            kept = exists().where(LinkPhotoRecord.hash == PhotoRecord.hash)
            session.execute(delete(PhotoRecord).where(~kept))
    except (ProvisioningError, SQLAlchemyError) as error:
        # Two sources that bring the same photo at once get in each other's way here too.
        log.warning("photos_not_read", source=source.name, why=str(error).partition("\n")[0])


def photo_of(context: ServiceContext, employee_id: UUID) -> Photo:
    """Return the photo of an employee, by the word of the source that counts most (P6).

    Raises:
        NotFoundError: There is none, or no such employee in this intranet.
    """
    with context.database.read() as session:
        row = session.execute(
            select(PhotoRecord.hash, PhotoRecord.content_type, PhotoRecord.content)
            .join(LinkPhotoRecord, LinkPhotoRecord.hash == PhotoRecord.hash)
            .join(
                LinkRecord,
                (LinkRecord.source_id == LinkPhotoRecord.source_id)
                & (LinkRecord.anchor == LinkPhotoRecord.anchor),
            )
            .join(SourceRecord, SourceRecord.id == LinkRecord.source_id)
            .where(
                LinkRecord.employee_id == employee_id,
                LinkRecord.hidden.is_(False),
                SourceRecord.intranet_id == context.intranet_id,
            )
            .order_by(
                case((SourceRecord.authoritative, 0), else_=1),
                LinkRecord.linked_at,
                LinkRecord.anchor,
            )
            .limit(1)
        ).first()
    if row is None:
        raise NotFoundError("photo", f"of employee {employee_id}")
    return Photo(*row)


def has_photo(session: Session, employee_id: UUID) -> bool:
    """Whether a source has a photo of an employee."""
    found = (
        exists()
        .where(LinkPhotoRecord.hash.is_not(None))
        .where(LinkPhotoRecord.source_id == LinkRecord.source_id)
        .where(LinkPhotoRecord.anchor == LinkRecord.anchor)
        .where(LinkRecord.employee_id == employee_id, LinkRecord.hidden.is_(False))
    )
    return bool(session.scalar(select(found)))


def _has_photos(context: ServiceContext, source_id: UUID) -> bool:
    """Whether anybody of a source has a photo that could be gone."""
    some = exists().where(LinkPhotoRecord.source_id == source_id, LinkPhotoRecord.hash.is_not(None))
    with context.database.read() as session:
        return bool(session.scalar(select(some)))


def _unseen(
    context: ServiceContext, source_id: UUID, at_once: int, linked_by: datetime | None = None
) -> Iterator[list[str]]:
    """Yield ids of people who are here and were never looked at, some at a time, each once.

    Args:
        context: Whose people.
        source_id: Of which source.
        at_once: How many ids.
        linked_by: Only who was linked then.
    """
    seen = exists().where(
        LinkPhotoRecord.source_id == LinkRecord.source_id,
        LinkPhotoRecord.anchor == LinkRecord.anchor,
    )
    query = (
        select(LinkRecord.anchor)
        .join(EmployeeRecord, EmployeeRecord.id == LinkRecord.employee_id)
        .where(
            LinkRecord.source_id == source_id,
            LinkRecord.hidden.is_(False),
            LinkRecord.missing_since.is_(None),
            EmployeeRecord.state != EmployeeState.DISMISSED,
            ~seen,
        )
        .order_by(LinkRecord.anchor)
        .limit(at_once)
    )
    if linked_by is not None:
        query = query.where(LinkRecord.linked_at <= linked_by)
    after = ""
    while True:
        with context.database.read() as session:
            anchors = list(session.scalars(query.where(LinkRecord.anchor > after)))
        if not anchors:
            return
        after = anchors[-1]
        yield anchors


def _keep(
    context: ServiceContext, source_id: UUID, found: Iterable[Found], at_once: int = BATCH
) -> None:
    """Write down what is news of people who are linked; equal photos once."""
    left = iter(found)
    while batch := dict(islice(left, at_once)):
        photos = {
            anchor: Photo.of(content) if content else None for anchor, content in batch.items()
        }
        with context.database.read() as session:
            rows = session.execute(
                select(LinkRecord.anchor, LinkPhotoRecord.anchor.is_not(None), LinkPhotoRecord.hash)
                .outerjoin(
                    LinkPhotoRecord,
                    (LinkPhotoRecord.source_id == LinkRecord.source_id)
                    & (LinkPhotoRecord.anchor == LinkRecord.anchor),
                )
                .where(LinkRecord.source_id == source_id, LinkRecord.anchor.in_(batch))
            ).all()
        news = {
            anchor: photos[anchor]
            for anchor, seen, kept in rows
            if not seen or kept != _hash(photos[anchor])
        }
        if news:
            with context.database.write() as session:
                _write(session, source_id, news)


def _write(session: Session, source_id: UUID, news: Mapping[str, Photo | None]) -> None:
    for photo in {photo.hash: photo for photo in news.values() if photo}.values():
        if session.get(PhotoRecord, photo.hash) is None:
            session.add(PhotoRecord(**photo._asdict()))
    session.flush()
    session.execute(
        delete(LinkPhotoRecord).where(
            LinkPhotoRecord.source_id == source_id, LinkPhotoRecord.anchor.in_(news)
        )
    )
    session.execute(
        insert(LinkPhotoRecord),
        [
            {"source_id": source_id, "anchor": anchor, "hash": _hash(photo)}
            for anchor, photo in news.items()
        ],
    )


def _hash(photo: Photo | None) -> str | None:
    return photo.hash if photo else None
