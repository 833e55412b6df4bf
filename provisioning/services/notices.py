"""Notices to administrators: one way to write a letter about what stands still or ends soon.

A notice is committed with the rows it speaks of, as one message of the outbox for everybody who
may act, and one for each webhook. Its letter leaves if it is still true when its turn comes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from uuid import uuid5

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.mail.notices import NoticeLetter, render_notice
from provisioning.services.context import ServiceContext
from provisioning.services.roles import addresses_of
from provisioning.storage.models.accounts import RoleName
from provisioning.storage.models.alarms import AlarmRecord
from provisioning.storage.models.effects import Lane, OutboxRecord, OutboxState
from provisioning.storage.models.runs import TokenRecord

log = structlog.get_logger(__name__)

LETTER = "letter."
"""What the topics of letters begin with."""

WEBHOOK = "webhook"
"""The topic of what programs are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What somebody has to know."""

    kind: str
    """One word or several, joined by underscores: the end of the topic, the type of the event."""

    key: str
    """What was not told before: the same notice is never written twice."""

    title: str
    sentences: Sequence[str]
    path: str
    """The page where something can be done, below the public URL."""

    action: str
    roles: Sequence[RoleName] = (RoleName.ADMIN,)
    about: Mapping[str, Any] = field(default_factory=dict)
    """Facts for programs, and the row that says whether it is still true: alarm or token."""


def write_notice(session: Session, context: ServiceContext, notice: Notice) -> int:
    """Put a notice into the outbox; returns how many letters were not there before."""
    recipients = addresses_of(session, context, *notice.roles)
    if not recipients:
        log.warning("nobody_to_tell", notice=notice.title)
    letter = {
        "title": notice.title,
        "sentences": list(notice.sentences),
        "path": notice.path,
        "action": notice.action,
        "about": dict(notice.about),
    }
    topic = f"{LETTER}{notice.kind}"
    letters = sum(
        _queue(session, context, topic, f"{notice.key}:{to}", {"to": to, **letter})
        for to in recipients
    )
    data = {
        "title": notice.title,
        "sentences": list(notice.sentences),
        "url": context.public_url + notice.path,
        **notice.about,
    }
    announce(session, context, notice.kind, notice.key, data)
    return letters


def announce(
    session: Session, context: ServiceContext, kind: str, key: str, data: Mapping[str, Any]
) -> None:
    """Put an event for programs into the outbox, one message for each webhook.

    Args:
        session: The transaction.
        context: The intranet.
        kind: Words joined by underscores; the type of the event has points between them.
        key: What was not told before: the same event is never written twice.
        data: What the event is about.
    """
    event = {
        "type": kind.replace("_", "."),
        "timestamp": context.now().isoformat(),
        "data": {"intranet": context.intranet_name, **data},
    }
    for name in context.webhooks:
        payload = {"to": name, "event": event}
        _queue(session, context, WEBHOOK, f"{kind}:{key}:{name}", payload)


def notice_letter(
    session: Session, context: ServiceContext, message: OutboxRecord
) -> EmailMessage | None:
    """Return a letter of the outbox, or None if it was not true any more before it left."""
    payload = message.payload
    if message.delivered_at is None and _is_over(session, payload["about"]):
        return None
    return render_notice(
        NoticeLetter(
            intranet_name=context.intranet_name,
            sender=context.sender,
            recipient=payload["to"],
            title=payload["title"],
            sentences=payload["sentences"],
            link=context.public_url + payload["path"],
            action=payload["action"],
            message_id=f"<{message.topic}.{message.id}@usher>",
        )
    )


def event_id(message: OutboxRecord) -> str:
    """Return what an event is called by whoever receives it: the same for every try of it only."""
    return f"msg_{uuid5(message.intranet_id, message.natural_key).hex}"


def event_body(message: OutboxRecord) -> bytes:
    """Return what a webhook is sent: the same bytes for every try."""
    event = message.payload["event"]
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _queue(
    session: Session, context: ServiceContext, topic: str, key: str, payload: dict[str, Any]
) -> bool:
    told = select(OutboxRecord.id).where(OutboxRecord.natural_key == f"{topic}:{key}")
    if session.scalar(told) is not None:
        return False
    now = context.now()
    session.add(
        OutboxRecord(
            intranet_id=context.intranet_id,
            lane=Lane.NORMAL,
            topic=topic,
            natural_key=f"{topic}:{key}",
            payload=payload,
            state=OutboxState.WAITING,
            not_before=now,
            created_at=now,
        )
    )
    return True


def _is_over(session: Session, about: Mapping[str, Any]) -> bool:
    return any(is_over(session, about[name]) for name, is_over in _OVER.items() if name in about)


def _alarm_ended(session: Session, alarm: int) -> bool:
    found = session.get(AlarmRecord, alarm)
    return found is None or found.ended_at is not None


def _token_replaced(session: Session, token: str) -> bool:
    found = session.get(TokenRecord, token)
    return found is None or found.revoked_at is not None or found.replaced_by is not None


_OVER: Mapping[str, Callable[[Session, Any], bool]] = {
    "alarm": _alarm_ended,
    "token": _token_replaced,
}
"""Whether what a notice is about is over, by the row it names."""
