"""What stands now that administrators have to know of, looked up afresh every time (R7).

Nothing is remembered here: whatever was lost with a process that died is found by the next look.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from provisioning.domain.actions import HoldReason
from provisioning.domain.alarms import Alarm, AlarmKind
from provisioning.mail.letters import moment_in
from provisioning.services.alarm_runs import failure_alarms, run_alarms
from provisioning.services.context import ServiceContext
from provisioning.services.seats import read_seats
from provisioning.services.silence import silent_for_too_long
from provisioning.storage.counting import counted
from provisioning.storage.holds import OPEN
from provisioning.storage.models.effects import OutboxRecord, OutboxState
from provisioning.storage.models.holds import HeldEffectRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import (
    TokenKind,
    TokenRecord,
)

_HOUR = timedelta(hours=1)


def standing_alarms(session: Session, context: ServiceContext) -> Iterator[Alarm]:
    """Yield every state that stands now, at most one of a kind for each subject."""
    sources = session.scalars(
        select(SourceRecord)
        .where(SourceRecord.intranet_id == context.intranet_id)
        .order_by(SourceRecord.name)
    )
    for source in sources.all():
        yield from run_alarms(session, context, source)
        yield from failure_alarms(session, context, source)
        yield from _held_effects(session, source)
        yield from _silence(session, context, source)
    yield from _seats(session, context)
    yield from _letters(session, context)


def _held_effects(session: Session, source: SourceRecord) -> Iterator[Alarm]:
    mine = HeldEffectRecord.source_id == source.id
    reasons = counted(session, HeldEffectRecord.reason, mine, OPEN)
    if not reasons:
        return
    news = [
        f"{source.name} asked for {count:,} change{'' if count == 1 else 's'} that "
        f"{'is' if count == 1 else 'are'} held: {reason.sentence}."
        for reason, count in sorted(reasons.items())
    ]
    if HoldReason.BREAKER in reasons:
        news.append(
            "The first people were dismissed; whoever came after keeps their access until "
            "somebody decides."
        )
    yield Alarm(
        kind=AlarmKind.EFFECTS_HELD,
        subject=source.name,
        state=",".join(sorted(reasons)),
        title=f"What {source.name} asked for is held and needs you",
        sentences=(
            *news,
            (
                "Approve if this is what happened in the company. If not, reject it, and look at "
                "what the identity provider sends: a filter, a group or an assignment may have "
                "changed."
            ),
        ),
        path="/admin/held",
        action="See who, and decide",
    )


def _silence(session: Session, context: ServiceContext, source: SourceRecord) -> Iterator[Alarm]:
    now = context.now()
    usual = silent_for_too_long(session, source, now)
    if (
        usual is None
        or source.last_request_at is None
        or not _is_expected(session, context, source)
    ):
        return
    last = moment_in(source.last_request_at, context.time_zone)
    yield Alarm(
        kind=AlarmKind.SOURCE_SILENT,
        subject=source.name,
        state="silent",
        title=f"{source.name} has sent nothing for {(now - source.last_request_at) // _HOUR} hours",
        sentences=(
            (
                f"The last request of {source.name} came at {last}. By its own history a silence "
                f"of {usual // _HOUR} hours would be the longest to expect."
            ),
            (
                "Whoever leaves the company meanwhile keeps their access, and newcomers are not "
                "invited."
            ),
            (
                "Look into the identity provider: provisioning may be paused, in quarantine "
                "there, or unable to reach this address."
            ),
        ),
        path=f"/admin/connections/{source.name}",
        action="Look at the connection",
    )


def _is_expected(session: Session, context: ServiceContext, source: SourceRecord) -> bool:
    """Whether the source has anything to prove itself with: else its token's end was told."""
    good = exists().where(
        TokenRecord.source_id == source.id,
        TokenRecord.kind != TokenKind.ACCESS,
        TokenRecord.revoked_at.is_(None),
        TokenRecord.expires_at > context.now(),
    )
    return bool(session.scalar(select(good)))


def _seats(session: Session, context: ServiceContext) -> Iterator[Alarm]:
    seats = read_seats(session, context)
    if seats.limit is None:
        return
    free = max(seats.limit - seats.taken, 0)
    if free and free >= context.seats_free_below:
        return
    waiting = f" {seats.queued:,} {'person waits' if seats.queued == 1 else 'people wait'} for one."
    line = waiting if seats.queued else ""
    yield Alarm(
        kind=AlarmKind.SEATS_LOW,
        subject="seats",
        state="low" if free else "waited for" if seats.queued else "none",
        title=f"{free:,} of {seats.limit:,} seats {'is' if free == 1 else 'are'} free",
        sentences=(
            (
                f"{seats.taken:,} of {seats.limit:,} seats are taken, {free:,} "
                f"{'is' if free == 1 else 'are'} free.{line}"
            ),
            (
                "Newcomers wait in line when none is free, and are served by themselves as soon as "
                "there is one. Raise the licence, or take back invitations nobody accepts."
            ),
        ),
        path="/admin/waitlist",
        action="See the waiting list",
        needs_person=seats.queued > 0,
    )


def _letters(session: Session, context: ServiceContext) -> Iterator[Alarm]:
    """Yield what letters ask for that were tried for an hour and did not leave."""
    stuck = (
        OutboxRecord.intranet_id == context.intranet_id,
        OutboxRecord.state.in_((OutboxState.WAITING, OutboxState.CLAIMED, OutboxState.IN_DOUBT)),
        OutboxRecord.error.is_not(None),
        OutboxRecord.created_at < context.now() - _HOUR,
    )
    number = session.scalar(select(func.count()).where(*stuck))
    if not number:
        return
    latest = select(OutboxRecord.error).where(*stuck).order_by(OutboxRecord.id.desc()).limit(1)
    messages = f"{number:,} message{' does' if number == 1 else 's do'}"
    yield Alarm(
        kind=AlarmKind.LETTERS_STUCK,
        subject="outbox",
        state="stuck",
        title=f"{messages} not leave the outbox",
        sentences=(
            f"{messages} not leave, after an hour of trying: {session.scalar(latest)}",
            (
                "They are tried again by themselves, for 28 days. Whoever is invited or dismissed "
                "is so here already; they only were not told."
            ),
        ),
        path="/admin/outbox?state=waiting",
        action="Look at the outbox",
    )
