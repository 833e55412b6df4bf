"""Actions of a run as commands, pages and machines show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from provisioning.domain.actions import REMOVALS
from provisioning.services.hold_sentences import where_of
from provisioning.services.left_behind import LeftBehind, left_behind
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.runs import ActionStatus, RunActionRecord

_AT_ONCE = 500

DRIFTED_SHOWN = 50
"""So many people who drifted are named on a run's page; the list of its actions has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRow:
    """One action of a plan."""

    seq: int
    action: str
    person: str
    display_name: str
    mail: str | None
    where: str
    anchor: str
    employee: str | None
    because: str
    held: str | None
    held_because: str | None
    status: str
    changes: list[dict[str, Any]]
    finding: str | None
    reason: str
    error: str | None
    left_behind: LeftBehind | None
    """For a removal: what they leave behind, or would (D7)."""


def actions_of(run_id: int) -> Select[RunActionRecord, str, str | None]:
    """Return what asks for the actions of a run in their order, with whom they are about."""
    return (
        select(RunActionRecord, EmployeeRecord.display_name, EmployeeRecord.contact_email)
        .outerjoin(EmployeeRecord, EmployeeRecord.id == RunActionRecord.employee_id)
        .where(RunActionRecord.run_id == run_id)
        .order_by(RunActionRecord.seq)
    )


def drifted_of(run_id: int) -> Select[RunActionRecord, str, str | None]:
    """Return what asks for the first of those who drifted (R4)."""
    drifted = RunActionRecord.status == ActionStatus.DRIFTED
    return actions_of(run_id).where(drifted).limit(DRIFTED_SHOWN)


def count_drifted(run_id: int) -> Select[int]:
    """Return what asks how many drifted."""
    drifted = RunActionRecord.status == ActionStatus.DRIFTED
    return select(func.count()).where(RunActionRecord.run_id == run_id, drifted)


def action_rows(
    session: Session, run_id: int, query: Select[RunActionRecord, str, str | None]
) -> list[ActionRow]:
    """Return actions as they are shown, removals with what is left behind (D7).

    Their documents, which are most of them, are let go some at a time.
    """
    shown: list[ActionRow] = []
    rows = session.execute(query, execution_options={"yield_per": _AT_ONCE})
    for some in rows.partitions():
        removed = [row.employee_id for row, *_ in some if row.kind in REMOVALS and row.employee_id]
        legacies = left_behind(session, removed, run_id) if removed else {}
        shown += [
            _action_row(
                row,
                name,
                contact,
                legacies.get(row.employee_id) if row.employee_id else None,
            )
            for row, name, contact in some
        ]
    return shown


def _action_row(
    row: RunActionRecord, name: str | None, contact: str | None, legacy: LeftBehind | None
) -> ActionRow:
    """Return an action as it is shown; who is gone is shown as the registry knows them."""
    document = row.after
    person = document.get("person") or {}
    return ActionRow(
        seq=row.seq,
        action=row.kind.value,
        person=row.who,
        display_name=person.get("display_name") or name or row.who,
        mail=person.get("mail") or contact,
        where=where_of(document),
        anchor=row.anchor,
        employee=str(row.employee_id) if row.employee_id else None,
        because=row.because,
        held=row.held.value if row.held else None,
        held_because=row.held.sentence if row.held else None,
        status=row.status.value,
        changes=[
            {"field": name, "old": old, "new": new}
            for name, old, new in document.get("changes", [])
        ],
        finding=document.get("finding"),
        reason=document.get("reason", ""),
        error=row.error,
        left_behind=legacy,
    )
