"""Held effects of SCIM requests: written down, and ended when their cause is gone."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.actions import REMOVALS, SEAT_TAKERS, Action, ActionKind, HoldReason
from provisioning.domain.findings import Finding, FindingKind
from provisioning.services.audit import record
from provisioning.services.context import SYSTEM, Actor, ServiceContext
from provisioning.services.findings import close_finding, open_finding
from provisioning.storage.holds import OPEN, held_by_breaker, is_held, open_hold
from provisioning.storage.models.holds import HeldEffectRecord, HoldEnd
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.sources import Source

RETURNS = frozenset({ActionKind.HIRE_BACK})
"""What is held of people who are not in (S7)."""

BACK = SEAT_TAKERS | {ActionKind.WAIT}
"""What brings somebody back who was dismissed."""

RULES = {
    HoldReason.BREAKER: "D6",
    HoldReason.PROTECTED: "D4",
    HoldReason.AUTHORITY: "S7",
    HoldReason.BRAKE: "brake",
}
"""By which rule an effect is held, or that an administrator wanted it so."""


def hold(
    session: Session,
    context: ServiceContext,
    source: Source,
    action: Action,
    actor: Actor,
) -> None:
    """Write down what a request asked for and does not get, and tell administrators.

    The client sees what it set; the employee is locked by the caller.
    """
    if action.employee is None or action.held is None:
        return
    employee_id = action.employee.id
    row = open_hold(session, source.id, employee_id)
    before = row.reason if row is not None else None
    if row is None:
        row = HeldEffectRecord(
            intranet_id=context.intranet_id,
            source_id=source.id,
            employee_id=employee_id,
            held_at=context.now(),
        )
        session.add(row)
    row.anchor, row.who = action.id.value, action.who
    row.kind, row.reason, row.because = action.kind, action.held, str(action.because)
    session.flush()
    if before is not action.held:
        because = f"{action.because.text}; held: {action.held.sentence}"
        record(session, context, actor, "held", because, employee_id=employee_id)
    if before is HoldReason.BREAKER and row.reason is not HoldReason.BREAKER:
        _report_breaker(session, context, source)
    _tell(session, context, source, row)


def withdraw(
    session: Session,
    context: ServiceContext,
    source: Source,
    employee_id: UUID,
    kinds: Collection[ActionKind],
    actor: Actor,
) -> None:
    """End what a source's client takes back: it asks for the opposite now."""
    row = open_hold(session, source.id, employee_id)
    if row is not None and row.kind in kinds:
        end_hold(session, context, row, HoldEnd.WITHDRAWN, actor)
    close_cause(session, context, employee_id, kinds)


def overtake(
    session: Session,
    context: ServiceContext,
    employee_id: UUID,
    kinds: Collection[ActionKind],
) -> None:
    """End what is held of somebody, for any source, because it came about by another door."""
    if not is_held(session, employee_id, kinds):
        return
    rows = session.scalars(
        select(HeldEffectRecord).where(
            HeldEffectRecord.employee_id == employee_id,
            HeldEffectRecord.kind.in_(kinds),
            OPEN,
        )
    )
    for row in rows.all():
        end_hold(session, context, row, HoldEnd.OVERTAKEN, SYSTEM)


def end_hold(
    session: Session,
    context: ServiceContext,
    row: HeldEffectRecord,
    end: HoldEnd,
    actor: Actor,
    comment: str | None = None,
) -> None:
    """Close a held effect and say on the timeline how it ended."""
    row.ended_at, row.end = context.now(), end
    row.ended_by, row.comment = actor.name, comment
    session.flush()
    words = _ENDS[end].format(actor=actor.name)
    because = f"{words}: {comment}" if comment else words
    record(
        session,
        context,
        actor,
        f"hold_{end.value}",
        f"{because} ({RULES[row.reason]})",
        employee_id=row.employee_id,
        before={"held": row.because},
    )
    if row.reason is HoldReason.BREAKER:
        _report_breaker(session, context, session.get_one(SourceRecord, row.source_id))


def close_cause(
    session: Session,
    context: ServiceContext,
    employee_id: UUID,
    kinds: Collection[ActionKind],
) -> None:
    """Close the finding about somebody of whom no such effect is held any more (E5)."""
    if not is_held(session, employee_id, kinds):
        kind = FindingKind.RETURN_HELD if kinds == RETURNS else FindingKind.DEPARTED_STILL_ACTIVE
        close_finding(session, context, str(employee_id), kind)


def report_departed(
    session: Session,
    context: ServiceContext,
    row: HeldEffectRecord,
    *evidence: tuple[str, str],
) -> None:
    """Open the finding about somebody who left by a source's word and stays (D4, D6)."""
    _report(session, context, row, FindingKind.DEPARTED_STILL_ACTIVE, *evidence)


def _tell(session: Session, context: ServiceContext, source: Source, row: HeldEffectRecord) -> None:
    """Open a finding: one for a tripped breaker, however many it holds; else one a person."""
    sentence = row.reason.sentence
    if row.reason is HoldReason.BREAKER:
        _report_breaker(session, context, source)
    elif row.kind in REMOVALS:
        report_departed(session, context, row, ("held", sentence))
    else:
        _report(session, context, row, FindingKind.RETURN_HELD, ("held", sentence))


def _report(
    session: Session,
    context: ServiceContext,
    row: HeldEffectRecord,
    kind: FindingKind,
    *evidence: tuple[str, str],
) -> None:
    finding = Finding(
        kind=kind,
        subject=str(row.employee_id),
        evidence=(("because", row.because), *evidence),
    )
    open_finding(
        session,
        context,
        finding,
        who=row.who,
        employee_id=row.employee_id,
        source_id=row.source_id,
    )


def _report_breaker(session: Session, context: ServiceContext, source: Source) -> None:
    """Keep the one finding about a source's breaker true."""
    held = held_by_breaker(session, source.id)
    if not held:
        close_finding(session, context, source.name, FindingKind.REMOVALS_HELD)
        return
    finding = Finding(
        kind=FindingKind.REMOVALS_HELD,
        subject=source.name,
        evidence=(("held", f"{held:,}"), ("because", HoldReason.BREAKER.sentence)),
    )
    open_finding(session, context, finding, who=source.name, source_id=source.id)


_ENDS = {
    HoldEnd.APPROVED: "{actor} approved what was held",
    HoldEnd.REJECTED: "{actor} rejected what was held",
    HoldEnd.WITHDRAWN: "the source takes back what was held",
    HoldEnd.OVERTAKEN: "what was held came about by another door",
}
