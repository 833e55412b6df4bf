"""Invitations nobody accepted for long: proposed for removal while seats are short (L5).

seats             somebody waits   policy    what happens
----------------  ---------------  --------  ---------------------------------------------------
free, unlimited   any              any       a finding; an administrator may remove
all taken         any              propose   a finding and a proposal; an administrator removes
all taken         nobody           remove    a finding
all taken         n people         remove    the n oldest are removed, then the line is served

A removed invitation opens nothing; its person waits with the reason `lapsed` (I4). The row stays:
the source still vouches for them, and the next run would only invite them again (S2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, select

from provisioning.domain.employees import EmployeeState
from provisioning.services.context import SYSTEM, Actor, ServiceContext
from provisioning.services.findings import refresh
from provisioning.services.invitations import lapse
from provisioning.services.seats import ledger
from provisioning.storage.models.accounts import InvitationRecord
from provisioning.storage.models.employees import EmployeeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleRow:
    """An invitation that is open for longer than the policy likes."""

    id: UUID
    number: int
    display_name: str
    address: str
    sent_at: datetime


def stale_invitations(context: ServiceContext) -> Sequence[StaleRow]:
    """Return the stale invitations, the oldest letter first, whether seats are short or not."""
    with context.database.read() as session:
        rows = session.execute(
            _stale(
                context,
                EmployeeRecord.id,
                EmployeeRecord.seq,
                EmployeeRecord.display_name,
                InvitationRecord.address,
                InvitationRecord.sent_at,
            )
        )
        return [
            StaleRow(id=id_, number=seq, display_name=name, address=address, sent_at=sent_at)
            for id_, seq, name, address, sent_at in rows
        ]


def remove_stale(context: ServiceContext, actor: Actor) -> int:
    """Remove every stale invitation; returns how many it were (L5)."""
    everyone = context.database.look(
        lambda now: now.scalars(_stale(context, InvitationRecord.id)).all()
    )
    return _remove(context, actor, everyone)


def remove_for_the_line(context: ServiceContext) -> int:
    """Remove as many stale invitations as people wait for their seats (L5)."""
    return _remove(context, SYSTEM, context.database.look(lambda now: _wanted(now, context)))


def stale_ids(context: ServiceContext) -> Select[UUID]:
    """Return the ids of those whose invitation is stale, the oldest letter first."""
    return _stale(context, EmployeeRecord.id)


def _stale(context: ServiceContext, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(EmployeeRecord)
        .join(InvitationRecord, InvitationRecord.employee_id == EmployeeRecord.id)
        .where(
            EmployeeRecord.intranet_id == context.intranet_id,
            EmployeeRecord.state == EmployeeState.INVITED,
            InvitationRecord.ended_at.is_(None),
            InvitationRecord.sent_at < context.now() - context.times.stale,
        )
        .order_by(InvitationRecord.sent_at, EmployeeRecord.seq)
    )


def _wanted(connection: Connection, context: ServiceContext) -> Sequence[UUID]:
    """Return the oldest: one for each who waits, and for each seat over a lowered limit (L6)."""
    seats = ledger(connection, context.intranet_id)
    if seats.limit is None or seats.free or not seats.queued:
        return ()
    short = seats.queued + seats.taken - seats.limit
    return connection.scalars(_stale(context, InvitationRecord.id).limit(short)).all()


def _remove(context: ServiceContext, actor: Actor, invitations: Sequence[UUID]) -> int:
    """Remove invitations, a transaction each; who accepted meanwhile is in and stays."""
    removed = 0
    because = f"nobody accepted the invitation for {context.times.stale.days} days (L5)"
    for invitation_id in invitations:
        with context.database.write() as session:
            if not lapse(session, context, invitation_id, "stale", because, actor):
                continue
            invitation = session.get_one(InvitationRecord, invitation_id)
            employee = session.get_one(EmployeeRecord, invitation.employee_id)
            session.flush()
            refresh(session, context, employee)
            removed += 1
    return removed
