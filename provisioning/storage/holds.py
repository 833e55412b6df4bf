"""Held effects as rows: what is open, of whom, and how many."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from uuid import UUID

from sqlalchemy import Select, bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session

from provisioning.domain.actions import ActionKind, HoldReason
from provisioning.domain.findings import FindingKind
from provisioning.storage.core import execute, one_of, this
from provisioning.storage.models.effects import FindingRecord
from provisioning.storage.models.holds import HeldEffectRecord

OPEN = HeldEffectRecord.ended_at.is_(None)


def open_hold(session: Session, source_id: UUID, employee_id: UUID) -> HeldEffectRecord | None:
    """Return what is held of somebody for a source, if anything is."""
    return session.scalars(
        select(HeldEffectRecord).where(
            HeldEffectRecord.source_id == source_id,
            HeldEffectRecord.employee_id == employee_id,
            OPEN,
        )
    ).one_or_none()


def why_held(session: Session, source_id: UUID, employee_id: UUID) -> HoldReason | None:
    """Return why something is held of somebody for a source; None if nothing is."""
    which = {"this_source_id": source_id, "this_employee_id": employee_id}
    reason: HoldReason | None = execute(session, _REASON, **which).scalar()
    return reason


def is_open(session: Session, source_id: UUID, employee_id: UUID) -> bool:
    """Whether anything about somebody's leaving or return is undecided: an effect, or a finding.

    One statement for what almost every request has to ask.
    """
    found = execute(session, _IS_OPEN, this_source_id=source_id, employee_id=employee_id)
    return found.first() is not None


def is_held(session: Session, employee_id: UUID, kinds: Collection[ActionKind]) -> bool:
    """Whether an effect of one of these kinds is held of somebody, for any source."""
    found = execute(session, _of_kinds(frozenset(kinds)), this_employee_id=employee_id)
    return found.first() is not None


def held_by_breaker(session: Session, source_id: UUID) -> int:
    """Return how many removals the breaker holds for a source (D6)."""
    query = select(func.count()).where(
        HeldEffectRecord.source_id == source_id,
        HeldEffectRecord.reason == HoldReason.BREAKER,
        OPEN,
    )
    return session.scalar(query) or 0


_REASON = select(HeldEffectRecord.reason).where(
    this(HeldEffectRecord.source_id), this(HeldEffectRecord.employee_id), OPEN
)


@cache
def _of_kinds(kinds: frozenset[ActionKind]) -> Select[int]:
    asked = one_of(HeldEffectRecord.kind, sorted(kinds))
    return select(HeldEffectRecord.id).where(this(HeldEffectRecord.employee_id), asked, OPEN)


_IS_OPEN = union_all(
    select(literal(1)).where(
        this(HeldEffectRecord.source_id),
        HeldEffectRecord.employee_id == bindparam("employee_id"),
        OPEN,
    ),
    select(literal(1)).where(
        FindingRecord.employee_id == bindparam("employee_id"),
        one_of(FindingRecord.kind, [FindingKind.DEPARTED_STILL_ACTIVE, FindingKind.RETURN_HELD]),
        FindingRecord.closed_at.is_(None),
    ),
)
