"""The timeline and the audit in one: every change leaves exactly one event (S4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from provisioning.domain.brakes import Brake
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.switches import require_off
from provisioning.storage.core import add_row
from provisioning.storage.models.effects import EventRecord

_NEVER_STOPPED = frozenset(
    {
        *("password_reset", "seat_limit_changed", "token_created", "token_rotated"),
        *("token_revoked", "invitation_sent", "invitation_kept", "invitation_undeliverable"),
        *("reminder_sent", "reminder_kept"),
    }
)
"""What somebody needs who pulled the brake, doors and their keys; and what became of a letter that
was on its way by then."""


def record(  # noqa: PLR0913 - an event's own fields
    session: Session,
    context: ServiceContext,
    actor: Actor,
    kind: str,
    because: str,
    *,
    employee_id: UUID | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    run_id: int | None = None,
) -> None:
    """Write one event in the transaction of the change it speaks of.

    Raises:
        BrakeError: Nothing may be changed now; the transaction has to be rolled back.
    """
    if kind not in _NEVER_STOPPED:
        require_off(session, context, Brake.READ_ONLY)
    add_row(
        session,
        EventRecord,
        intranet_id=context.intranet_id,
        employee_id=employee_id,
        at=context.now(),
        actor=actor.name,
        door=actor.door,
        kind=kind,
        before=before,
        after=after,
        because=because,
        run_id=run_id,
    )
