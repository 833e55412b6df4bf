"""How long sources that send by themselves are silent: noted when it ends, measured by it (R7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from provisioning.domain.silence import REMEMBERED, WORTH_NOTING, alarming_silence
from provisioning.storage.locks import locked
from provisioning.storage.models.alarms import SilenceRecord
from provisioning.storage.models.intranets import SourceRecord


def note_heard(session: Session, source_id: UUID, now: datetime) -> None:
    """Write down that a source was heard, and how long it was silent before."""
    source = locked(session, SourceRecord, source_id)
    if source is None:
        return
    last, source.last_request_at = source.last_request_at, now
    source.heard_since = source.heard_since or now
    if last is None or now - last < WORTH_NOTING:
        return
    session.add(SilenceRecord(source_id=source_id, began_at=last, ended_at=now))
    old = SilenceRecord.ended_at < now - REMEMBERED
    session.execute(
        delete(SilenceRecord).where(SilenceRecord.source_id == source_id, old),
        execution_options={"synchronize_session": False},
    )


def silent_for_too_long(session: Session, source: SourceRecord, now: datetime) -> timedelta | None:
    """Return how long a source is usually silent at most, if it is for longer now."""
    if source.last_request_at is None or source.heard_since is None:
        return None
    rows = session.execute(
        select(SilenceRecord.began_at, SilenceRecord.ended_at).where(
            SilenceRecord.source_id == source.id,
            SilenceRecord.ended_at >= source.last_request_at - REMEMBERED,
        )
    )
    silences = [ended - began for began, ended in rows]
    usual = alarming_silence(silences, source.last_request_at - source.heard_since)
    return usual if usual is not None and now - source.last_request_at > usual else None
