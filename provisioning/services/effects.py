"""What a transaction writes about one person, told by looking before and after it (R9)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from provisioning.domain.employees import EmployeeState
from provisioning.domain.seats import takes_seat
from provisioning.services.context import ServiceContext
from provisioning.services.invitations import FIRST_APPROVAL, INVITATION_LETTER
from provisioning.services.seats import read_seats
from provisioning.services.traces import Effect
from provisioning.storage.models.accounts import InvitationRecord
from provisioning.storage.models.effects import FindingRecord, OutboxRecord
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything written about some employees, and about one entry, at one moment."""

    states: Mapping[UUID, tuple[str, EmployeeState, str]] = field(default_factory=dict)
    """Name, state and reason."""

    link: tuple[UUID, date | None] | None = None
    """Whose the entry is, and since when the source ceased to vouch."""

    invitations: Mapping[UUID, InvitationRecord] = field(default_factory=dict)
    letters: Mapping[int, OutboxRecord] = field(default_factory=dict)
    findings: Mapping[int, FindingRecord] = field(default_factory=dict)


def seen(session: Session, source: Source, anchor: str, employees: Collection[UUID]) -> Seen:
    """Look at some employees and an entry of a source, unwritten changes included."""
    session.flush()
    people = session.execute(
        select(
            EmployeeRecord.id,
            EmployeeRecord.display_name,
            EmployeeRecord.state,
            EmployeeRecord.state_reason,
        ).where(EmployeeRecord.id.in_(employees))
    )
    link = session.execute(
        select(LinkRecord.employee_id, LinkRecord.missing_since).where(
            LinkRecord.source_id == source.id,
            LinkRecord.anchor == anchor,
            LinkRecord.hidden.is_(False),
        )
    ).one_or_none()
    return Seen(
        states={id_: (name, state, reason) for id_, name, state, reason in people},
        link=(link[0], link[1]) if link else None,
        invitations=_by_id(
            session,
            InvitationRecord,
            InvitationRecord.employee_id.in_(employees),
            InvitationRecord.ended_at.is_(None),
        ),
        letters=_by_id(session, OutboxRecord, OutboxRecord.employee_id.in_(employees)),
        findings=_by_id(
            session,
            FindingRecord,
            FindingRecord.intranet_id == source.intranet_id,
            FindingRecord.closed_at.is_(None),
            or_(
                FindingRecord.employee_id.in_(employees),
                FindingRecord.subject.in_([anchor, *map(str, employees)]),
            ),
        ),
    )


def effects(
    session: Session, context: ServiceContext, source: Source, before: Seen, after: Seen
) -> Sequence[Effect]:
    """Return what came about between two looks, in the order in which people ask."""
    found = [
        *_states(before, after),
        *_links(source, before, after),
        *_invitations(context, source, before, after),
        *_letters(context, before, after),
        *_findings(before, after),
    ]
    seats = seats_between(before, after)
    if seats:
        ledger = read_seats(session, context)
        limit = "" if ledger.limit is None else f" of {ledger.limit:,}"
        verb = "one is taken" if seats > 0 else "one is given back"
        found.insert(1, Effect(kind="seat", sentence=f"{verb}: then {ledger.taken:,}{limit} are"))
    return found


def seats_between(before: Seen, after: Seen) -> int:
    """Return how many seats were taken; fewer than none: given back."""
    return _seated(after) - _seated(before)


def _seated(looked: Seen) -> int:
    return sum(takes_seat(state) for _, state, _ in looked.states.values())


def _by_id(session: Session, entity: Any, *where: Any) -> dict[Any, Any]:
    rows = session.scalars(select(entity).where(*where).order_by(entity.id))
    return {row.id: row for row in rows}


def _states(before: Seen, after: Seen) -> Iterator[Effect]:
    for id_, (name, state, reason) in after.states.items():
        why = f", {reason.replace('_', ' ')}" if reason else ""
        was = before.states.get(id_)
        if was is None:
            yield Effect(kind="state", sentence=f"{name} is new here and {state.value}{why}")
        elif was[1:] != (state, reason):
            yield Effect(kind="state", sentence=f"{name}: {was[1].value} → {state.value}{why}")
    for id_, (name, state, _) in before.states.items():
        if id_ not in after.states:
            sentence = f"{name}, who was {state.value}, is forgotten: nobody wrote to them yet"
            yield Effect(kind="state", sentence=sentence)


def _links(source: Source, before: Seen, after: Seen) -> Iterator[Effect]:
    if after.link is None:
        return
    employee, missing = after.link
    name = after.states[employee][0] if employee in after.states else str(employee)
    if before.link is None or before.link[0] != employee:
        yield Effect(kind="link", sentence=f"{source.name} vouches for {name} by this id")
    elif before.link[1] != missing:
        words = f"missing since {missing}" if missing else "not missing any more"
        yield Effect(kind="mark", sentence=f"{name} is {words}")


def _invitations(
    context: ServiceContext, source: Source, before: Seen, after: Seen
) -> Iterator[Effect]:
    for id_, old in before.invitations.items():
        if id_ not in after.invitations:
            yield Effect(kind="invitation", sentence=f"the one to {old.address} ends")
    for id_, new in after.invitations.items():
        if id_ in before.invitations:
            continue
        if new.hold_reason == FIRST_APPROVAL:
            leaves = f"its letter waits for the release of {source.name}"
        else:
            at = new.not_before.astimezone(context.time_zone)
            leaves = f"its letter leaves at {at:%Y-%m-%d %H:%M} or soon after"
        yield Effect(kind="invitation", sentence=f"one to {new.address}; {leaves}")


def _letters(context: ServiceContext, before: Seen, after: Seen) -> Iterator[Effect]:
    """Yield messages of the outbox; the letter of an invitation is told with it."""
    for id_, row in after.letters.items():
        if id_ not in before.letters and row.topic != INVITATION_LETTER:
            at = row.not_before.astimezone(context.time_zone)
            to = row.payload.get("to", "")
            yield Effect(
                kind="letter", sentence=f"{row.topic} {to}, due at {at:%Y-%m-%d %H:%M}".strip()
            )


def _findings(before: Seen, after: Seen) -> Iterator[Effect]:
    for id_, row in before.findings.items():
        if id_ not in after.findings:
            yield Effect(kind="finding", sentence=f"{row.kind.replace('_', ' ')} is closed")
    for id_, row in after.findings.items():
        if id_ not in before.findings:
            yield Effect(kind="finding", sentence=f"{row.kind.replace('_', ' ')} is opened")
