"""Held effects as commands and pages show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provisioning.domain.actions import HoldReason
from provisioning.services.budget import measured
from provisioning.services.context import ServiceContext
from provisioning.storage.holds import OPEN
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.holds import HeldEffectRecord
from provisioning.storage.models.intranets import SourceRecord

_BATCH = 500
_OPEN_HOLDS = (
    select(HeldEffectRecord, EmployeeRecord, SourceRecord.name)
    .join(EmployeeRecord, EmployeeRecord.id == HeldEffectRecord.employee_id)
    .join(SourceRecord, SourceRecord.id == HeldEffectRecord.source_id)
    .where(OPEN)
    .order_by(HeldEffectRecord.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """One effect that waits for an administrator."""

    id: int
    source: str
    action: str
    person: str
    display_name: str
    state: str
    """Where the employee stands meanwhile."""

    employee: UUID
    reason: str
    held_because: str
    because: str
    held_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldGroup:
    """What is held of one source for one reason."""

    source: str
    reason: str
    held_because: str
    held: int
    budget: str
    """For the breaker: what is spent and what the limits are, in words."""


class HoldReports:
    """Reads what is held; changes nothing."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def held(
        self,
        *,
        source: str | None = None,
        reason: HoldReason | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Sequence[HeldRow]:
        """Return what is held, the oldest first.

        Args:
            source: Only of this source.
            reason: Only for this reason.
            after: The last number of the page before.
            limit: Rows at most; None means all.
        """
        query = _OPEN_HOLDS.where(
            HeldEffectRecord.intranet_id == self._context.intranet_id,
            HeldEffectRecord.id > after,
        ).limit(limit)
        if source is not None:
            query = query.where(SourceRecord.name == source)
        if reason is not None:
            query = query.where(HeldEffectRecord.reason == reason)
        with self._context.database.read() as session:
            return [_row(*row) for row in session.execute(query)]

    def everything(self) -> Iterator[HeldRow]:
        """Yield all that is held, page after page."""
        after = 0
        while rows := self.held(after=after, limit=_BATCH):
            yield from rows
            after = rows[-1].id

    def groups(self) -> Sequence[HeldGroup]:
        """Return how many are held, by source and reason."""
        query = (
            select(HeldEffectRecord.source_id, HeldEffectRecord.reason, func.count())
            .where(HeldEffectRecord.intranet_id == self._context.intranet_id, OPEN)
            .group_by(HeldEffectRecord.source_id, HeldEffectRecord.reason)
        )
        with self._context.database.read() as session:
            groups = [
                self._group(session, session.get_one(SourceRecord, source_id), reason, count)
                for source_id, reason, count in session.execute(query).all()
            ]
        return sorted(groups, key=lambda group: (group.source, group.reason))

    def _group(
        self, session: Session, source: SourceRecord, reason: HoldReason, count: int
    ) -> HeldGroup:
        budget = ""
        if reason is HoldReason.BREAKER:
            spent, policy = measured(session, self._context, source), self._context.policy
            budget = (
                f"{spent.removed_in_a_day:,} of at most {spent.daily_limit(policy):,} people "
                f"were removed within a day, {spent.removed_in_seven_days:,} of at most "
                f"{spent.weekly_limit(policy):,} within seven days."
            )
        return HeldGroup(
            source=source.name,
            reason=reason.value,
            held_because=reason.sentence,
            held=count,
            budget=budget,
        )


def held_of(session: Session, employee_id: UUID) -> list[HeldRow]:
    """Return what is held of one employee."""
    query = _OPEN_HOLDS.where(HeldEffectRecord.employee_id == employee_id)
    return [_row(*row) for row in session.execute(query)]


def _row(held: HeldEffectRecord, employee: EmployeeRecord, source: str) -> HeldRow:
    return HeldRow(
        id=held.id,
        source=source,
        action=held.kind.value,
        person=held.who,
        display_name=employee.display_name,
        state=employee.state.value,
        employee=employee.id,
        reason=held.reason.value,
        held_because=held.reason.sentence,
        because=held.because,
        held_at=held.held_at,
    )
