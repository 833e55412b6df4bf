"""Delivery: what was committed in the outbox leaves, once, in order, removals first (R5, D7).

A message is claimed for a while by one worker. Before the call it is committed as in doubt,
after it as delivered. A worker that dies between the two leaves it in doubt: nobody can ask a
mail relay what became of a letter, so it is sent again under the same Message-ID, by which
mail systems recognise a repetition (RFC 5321 6.1 asks the same of every relay).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import case, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from provisioning.domain.errors import DeliveryError, DeliveryInDoubtError
from provisioning.ports import Mailer, Webhook
from provisioning.services.context import ServiceContext
from provisioning.services.invitation_letters import LETTERS, invitation_letter, letter_left
from provisioning.services.invitations import INVITATION_LETTER, give_up
from provisioning.services.letting_out import is_stopped, may_leave
from provisioning.services.notices import WEBHOOK, event_body, event_id, notice_letter
from provisioning.storage.models.effects import Lane, OutboxRecord, OutboxState

log = structlog.get_logger(__name__)

CLAIM = timedelta(minutes=2)
SENDING = timedelta(minutes=10)
"""The longest a relay may take over one letter: each of its answers may take a minute."""

GIVE_UP = timedelta(days=28)
BATCH = 50
NOBODY: Mapping[str, Webhook] = {}


def retry_delay(failures: int) -> timedelta:
    """Return how long a message waits after its latest failure.

    One minute, doubling, then thirty: the least RFC 5321 section 4.5.4.1 asks of a mail
    queue. The first tries come sooner because we speak to one relay, our own.

    >>> [retry_delay(n).total_seconds() // 60 for n in (1, 2, 5, 6, 60)]
    [1.0, 2.0, 16.0, 30.0, 30.0]

    Args:
        failures: Failed attempts so far, 1 or more.

    Raises:
        ValueError: `failures` is below 1.
    """
    if failures < 1:
        raise ValueError(f"failures must be 1 or more, got {failures}")
    return timedelta(minutes=min(2 ** min(failures - 1, 5), 30))


class DeliveryService:
    """Takes due messages from the outbox and hands them over."""

    def __init__(
        self, context: ServiceContext, mailer: Mailer, webhooks: Mapping[str, Webhook] = NOBODY
    ) -> None:
        """Keep the intranet and the ways out at hand; webhooks go by their names."""
        self._context = context
        self._mailer = mailer
        self._webhooks = webhooks

    def deliver_due(self, is_stopping: Callable[[], bool] = bool) -> int:
        """Hand over everything that is due; returns how many messages left.

        A process that is stopping leaves the rest to others; what it claimed is free again soon.
        """
        delivered = 0
        while not is_stopping() and (batch := self._claim()):
            for message_id, fence in batch:
                if not is_stopping():
                    delivered += self._try(message_id, fence)
        return delivered

    def require_delivered(self) -> int:
        """Hand over everything that is due; returns how many messages left.

        Raises:
            DeliveryError: Some stay and are tried again; the sentence says why.
        """
        left = self.deliver_due()
        stuck = (
            OutboxRecord.intranet_id == self._context.intranet_id,
            OutboxRecord.state == OutboxState.WAITING,
            OutboxRecord.error.is_not(None),
        )
        with self._context.database.read() as session:
            number = session.scalar(select(func.count()).where(*stuck))
            latest = select(OutboxRecord.error).where(*stuck).order_by(OutboxRecord.id.desc())
            reason = session.scalar(latest.limit(1))
        if number:
            raise DeliveryError(
                f"{left:,} message(s) left; {number:,} could not and will be tried again by "
                f"themselves: {reason}",
                permanent=False,
            )
        return left

    def letter(self, message_id: int) -> EmailMessage | None:
        """Return a letter as it leaves or left, for reading; None when it never will."""
        with self._context.database.read() as session:
            message = session.get(OutboxRecord, message_id)
            if message is None or message.intranet_id != self._context.intranet_id:
                return None
            return self._render(session, message) if message.topic != WEBHOOK else None

    def _claim(self) -> Sequence[tuple[int, int]]:
        """Claim a batch for this worker; others skip what is claimed."""
        now = self._context.now()
        table = OutboxRecord
        removals_first = case((table.lane == Lane.REMOVAL, 0), else_=1)
        with self._context.database.write() as session:
            due = (
                select(table.id)
                .where(
                    table.intranet_id == self._context.intranet_id,
                    may_leave(session, self._context, LETTERS),
                    table.state.in_(
                        [OutboxState.WAITING, OutboxState.CLAIMED, OutboxState.IN_DOUBT]
                    ),
                    table.not_before <= now,
                    (table.claimed_until.is_(None)) | (table.claimed_until <= now),
                )
                .order_by(removals_first, table.not_before, table.id)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
            ids = session.scalars(due).all()
            if not ids:
                return ()
            rows = session.execute(
                update(table)
                .where(table.id.in_(ids))
                .values(state=OutboxState.CLAIMED, claimed_until=now + CLAIM, fence=table.fence + 1)
                .returning(table.id, table.fence),
                execution_options={"synchronize_session": False},
            ).all()
            order = {message_id: place for place, message_id in enumerate(ids)}
            return sorted(((row.id, row.fence) for row in rows), key=lambda row: order[row[0]])

    def _try(self, message_id: int, fence: int) -> bool:
        """Deliver one message; whatever breaks with it, the others are delivered."""
        try:
            return self._deliver(message_id, fence)
        except SQLAlchemyError:
            raise
        except Exception as error:
            log.exception("message_broke", message=message_id)
            reason = DeliveryError(f"internal error: {type(error).__name__}", permanent=False)
            self._failed(message_id, fence, reason, permanent=False)
            return False

    def _deliver(self, message_id: int, fence: int) -> bool:
        with self._context.database.write() as session:
            message = self._mine(session, message_id, fence)
            if message is None:
                return False
            if is_stopped(session, self._context, message.topic, LETTERS):
                message.state, message.claimed_until = OutboxState.WAITING, None
                return False
            hand_over = self._way_out(session, message)
            if hand_over is None:
                message.state, message.error = OutboxState.DEAD, "no longer wanted"
                return False
            message.state = OutboxState.IN_DOUBT
            message.claimed_until = self._context.now() + SENDING
        try:
            hand_over()
        except DeliveryInDoubtError as error:
            self._failed(message_id, fence, error, permanent=False)
            return False
        except DeliveryError as error:
            self._failed(message_id, fence, error, permanent=error.permanent)
            return False
        self._delivered(message_id, fence)
        return True

    def _mine(self, session: Session, message_id: int, fence: int) -> OutboxRecord | None:
        """Return a message if this worker still holds its claim."""
        message = session.get(OutboxRecord, message_id, with_for_update=True)
        return message if message is not None and message.fence == fence else None

    def _way_out(self, session: Session, message: OutboxRecord) -> Callable[[], None] | None:
        """Return what hands a message over; None if nobody wants it any more."""
        if message.topic == WEBHOOK:
            webhook = self._webhooks.get(message.payload["to"])
            if webhook is None:
                return None
            body = event_body(message)
            return partial(webhook.send, event_id(message), self._context.now(), body)
        letter = self._render(session, message)
        return partial(self._mailer.send, letter) if letter is not None else None

    def _render(self, session: Session, message: OutboxRecord) -> EmailMessage | None:
        """Render a letter, unless what it speaks of was over before it left."""
        if message.topic not in LETTERS:
            return notice_letter(session, self._context, message)
        return invitation_letter(session, self._context, message)

    def _delivered(self, message_id: int, fence: int) -> None:
        with self._context.database.write() as session:
            message = self._mine(session, message_id, fence)
            if message is None:
                return
            now = self._context.now()
            kept = self._mailer.keeps_letters and message.topic != WEBHOOK
            message.state = OutboxState.KEPT if kept else OutboxState.DELIVERED
            message.delivered_at = now
            message.attempts += 1
            message.claimed_until = message.error = None
            if message.topic in LETTERS:
                letter_left(session, self._context, message, kept=kept)

    def _failed(self, message_id: int, fence: int, error: Exception, *, permanent: bool) -> None:
        with self._context.database.write() as session:
            message = self._mine(session, message_id, fence)
            if message is None:
                return
            message.attempts += 1
            message.error = str(error)
            message.claimed_until = None
            now = self._context.now()
            if permanent or now - message.created_at > GIVE_UP:
                message.state = OutboxState.DEAD
                log.warning("message_dead", message=message_id, attempts=message.attempts)
                if message.topic == INVITATION_LETTER:
                    invitation_id = UUID(message.payload["invitation"])
                    give_up(session, self._context, invitation_id, str(error))
            else:
                message.state = OutboxState.WAITING
                message.not_before = now + retry_delay(message.attempts)
