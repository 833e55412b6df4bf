"""The daily letter: what happened and what waits, if there is anything of it (R6, R7).

line           is there if
-------------  ----------------------------------------------------------------
What happened  anybody was invited, joined, left or was changed within the day
What waits     an alarm is not over
Mismatches     findings were opened within the day and are open still
Letters        some failed for good within the day
Seats          any other line is there; alone they are no news
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provisioning.services.alarms import DECIDERS
from provisioning.services.context import ServiceContext
from provisioning.services.notices import Notice, write_notice
from provisioning.services.seats import read_seats
from provisioning.storage.counting import counted
from provisioning.storage.models.alarms import AlarmRecord
from provisioning.storage.models.effects import (
    EventRecord,
    FindingRecord,
    OutboxRecord,
    OutboxState,
)

DAY = timedelta(days=1)

HAPPENED: Mapping[str, str] = {
    "invited": "invited",
    "accepted": "joined",
    "waiting": "put on the waiting list",
    "updated": "updated",
    "dismissed": "dismissed",
    "removed": "taken out before they joined",
}
"""What is told of people, by the kind of the event."""


class DigestService:
    """Writes the letter of a day."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def write(self, until: datetime) -> int:
        """Write the letter about the day that ended then; returns how many letters it took.

        None is written if there is nothing to say, and none twice about a day.
        """
        context = self._context
        day = until.astimezone(context.time_zone).date()
        with context.database.write() as session:
            news = list(self._news(session, until - DAY, until))
            if not news:
                return 0
            notice = Notice(
                kind="digest",
                key=day.isoformat(),
                title=f"{context.intranet_name}: what happened until {day:%d %B %Y}",
                sentences=[*news, self._seats(session)],
                path="/admin/",
                action="Open the overview",
                roles=DECIDERS,
                about={"day": day.isoformat()},
            )
            return write_notice(session, context, notice)

    def _news(self, session: Session, since: datetime, until: datetime) -> Iterator[str]:
        intranet = self._context.intranet_id
        happened = counted(
            session,
            EventRecord.kind,
            EventRecord.intranet_id == intranet,
            EventRecord.kind.in_(HAPPENED),
            EventRecord.at >= since,
            EventRecord.at < until,
        )
        told = [f"{happened[kind]:,} {word}" for kind, word in HAPPENED.items() if kind in happened]
        if told:
            yield f"Within the day: {', '.join(told)}."
        alarms = session.scalars(
            select(AlarmRecord.title)
            .where(AlarmRecord.intranet_id == intranet, AlarmRecord.ended_at.is_(None))
            .order_by(AlarmRecord.id)
        ).all()
        if alarms:
            yield f"Needs you: {'; '.join(alarms)}."
        findings = counted(
            session,
            FindingRecord.kind,
            FindingRecord.intranet_id == intranet,
            FindingRecord.opened_at >= since,
            FindingRecord.opened_at < until,
            FindingRecord.closed_at.is_(None),
        )
        if findings:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(findings.items()))
            yield f"New mismatches: {kinds.replace('_', ' ')}."
        dead = session.scalar(
            select(func.count()).where(
                OutboxRecord.intranet_id == intranet,
                OutboxRecord.state == OutboxState.DEAD,
                OutboxRecord.attempts > 0,
                OutboxRecord.created_at >= since,
                OutboxRecord.created_at < until,
            )
        )
        if dead:
            yield f"Letters and events that failed for good: {dead:,}. The outbox says why."

    def _seats(self, session: Session) -> str:
        seats = read_seats(session, self._context)
        limit = "" if seats.limit is None else f" of {seats.limit:,}"
        waiting = f"; {seats.queued:,} wait for one" if seats.queued else ""
        return f"Seats taken: {seats.taken:,}{limit}{waiting}."
