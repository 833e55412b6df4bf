"""The outbox as pages show it: what waits, what left, what failed for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from provisioning.services.context import ServiceContext
from provisioning.storage.counting import counted
from provisioning.storage.models.effects import OutboxRecord, OutboxState
from provisioning.storage.models.employees import EmployeeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One message of the outbox."""

    id: int
    topic: str
    to: str
    person: str | None
    employee: UUID | None
    state: str
    attempts: int
    created_at: datetime
    not_before: datetime
    delivered_at: datetime | None
    error: str | None


class OutboxReports:
    """Reads the outbox; changes nothing."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def messages(
        self, *, state: OutboxState | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[MessageRow]:
        """Return a page of messages, newest first.

        Args:
            state: Only this state.
            before: The last id of the page before.
            limit: Rows at most.
        """
        query = (
            select(OutboxRecord, EmployeeRecord.display_name)
            .outerjoin(EmployeeRecord, EmployeeRecord.id == OutboxRecord.employee_id)
            .where(OutboxRecord.intranet_id == self._context.intranet_id)
            .order_by(OutboxRecord.id.desc())
            .limit(limit)
        )
        if state is not None:
            query = query.where(OutboxRecord.state == state)
        if before is not None:
            query = query.where(OutboxRecord.id < before)
        with self._context.database.read() as session:
            return [_row(message, name) for message, name in session.execute(query)]

    def counts(self) -> Mapping[str, int]:
        """Return how many messages are in each state."""
        with self._context.database.read() as session:
            here = OutboxRecord.intranet_id == self._context.intranet_id
            found = counted(session, OutboxRecord.state, here)
            return {state.value: count for state, count in found.items()}


def _row(message: OutboxRecord, name: str | None) -> MessageRow:
    return MessageRow(
        id=message.id,
        topic=message.topic,
        to=message.payload.get("to", ""),
        person=name,
        employee=message.employee_id,
        state=message.state.value,
        attempts=message.attempts,
        created_at=message.created_at,
        not_before=message.not_before,
        delivered_at=message.delivered_at,
        error=message.error,
    )
