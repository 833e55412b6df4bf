"""Alarms: administrators are told of a state once, daily while it needs them, and never again.

The states are looked up afresh, so that none is lost with a process that died; a row remembers
what was told of each, in the transaction that writes the letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.alarms import Alarm, AlarmKind, Told, is_due
from provisioning.services.alarm_causes import standing_alarms
from provisioning.services.context import ServiceContext
from provisioning.services.notices import Notice, announce, write_notice
from provisioning.storage.locks import take_turn, turn_of
from provisioning.storage.models.accounts import RoleName
from provisioning.storage.models.alarms import AlarmRecord

Key = tuple[AlarmKind, str]

DECIDERS = (RoleName.APPROVER, RoleName.ADMIN)
"""Who may decide, and is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlarm:
    """An alarm that is not over, as it was told last."""

    kind: str
    subject: str
    title: str
    path: str
    opened_at: datetime
    told_at: datetime


class AlarmService:
    """Tells of what came about, and remembers what was told."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def look(self) -> int:
        """Tell administrators what they were not told yet; returns how many letters it took."""
        context = self._context
        # Nobody who writes waits while a plan of a million is counted.
        with context.database.read() as session:
            standing = {(one.kind, one.subject): one for one in standing_alarms(session, context)}
            seen = self._open(session)
        over = {row.id for key, row in seen.items() if key not in standing}
        if not over and not any(self._is_due(one, seen.get(key)) for key, one in standing.items()):
            return 0
        with context.database.write() as session:
            # Two schedulers that look at once tell of it once.
            take_turn(session, turn_of(uuid5(context.intranet_id, "alarms")))
            rows = self._open(session)
            for row in rows.values():
                if row.id in over:
                    self._end(session, row)
            return sum(self._tell(session, one, rows.get(key)) for key, one in standing.items())

    def open(self) -> Sequence[OpenAlarm]:
        """Return what was told and is not over, the oldest first."""
        with self._context.database.read() as session:
            return [
                OpenAlarm(
                    kind=row.kind.value,
                    subject=row.subject,
                    title=row.title,
                    path=row.path,
                    opened_at=row.opened_at,
                    told_at=row.told_at,
                )
                for row in self._open(session).values()
            ]

    def _open(self, session: Session) -> Mapping[Key, AlarmRecord]:
        rows = session.scalars(
            select(AlarmRecord)
            .where(
                AlarmRecord.intranet_id == self._context.intranet_id,
                AlarmRecord.ended_at.is_(None),
            )
            .order_by(AlarmRecord.id)
        )
        return {(row.kind, row.subject): row for row in rows}

    def _is_due(self, alarm: Alarm, row: AlarmRecord | None) -> bool:
        told = Told(state=row.state, at=row.told_at) if row else None
        return is_due(alarm, told, self._context.now())

    def _tell(self, session: Session, alarm: Alarm, row: AlarmRecord | None) -> int:
        if not self._is_due(alarm, row):
            return 0
        now = self._context.now()
        if row is None:
            row = AlarmRecord(
                intranet_id=self._context.intranet_id,
                kind=alarm.kind,
                subject=alarm.subject,
                opened_at=now,
                times_told=0,
            )
            session.add(row)
        row.state, row.title, row.path = alarm.state, alarm.title, alarm.path
        row.told_at = now
        row.times_told += 1
        session.flush()
        about = {"alarm": row.id, "subject": alarm.subject, "since": row.opened_at.isoformat()}
        notice = Notice(
            kind=alarm.kind.value,
            key=f"{row.id}:{row.times_told}",
            title=alarm.title,
            sentences=alarm.sentences,
            path=alarm.path,
            action=alarm.action,
            roles=DECIDERS,
            about=about,
        )
        return write_notice(session, self._context, notice)

    def _end(self, session: Session, row: AlarmRecord) -> None:
        """Close an alarm; programs are told that it is over, people see that by themselves."""
        row.ended_at = self._context.now()
        about = {"alarm": row.id, "subject": row.subject, "since": row.opened_at.isoformat()}
        kind, key = f"{row.kind.value}_ended", str(row.id)
        announce(session, self._context, kind, key, {"title": row.title, **about})
