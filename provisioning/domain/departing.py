"""Departures: who leaves, when the grace is over, and who is out of reach (D1-D4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.domain.actions import Action, ActionKind, Because, EmployeeRef, HoldReason
from provisioning.domain.context import PlanningContext
from provisioning.domain.employees import EmployeeState
from provisioning.domain.findings import FindingKind
from provisioning.domain.people import DirectoryId, Person
from provisioning.domain.snapshots import RegisteredPerson

LEFT = "left"
DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Departure:
    """What the source says about somebody who leaves."""

    reason: str
    """left or disabled."""

    text: str
    """The fact in words."""

    person: Person | None = None
    """The disabled entry; None when there is none any more."""

    raw_hash: str = ""


def depart(
    there: RegisteredPerson, departure: Departure, context: PlanningContext
) -> Iterator[Action]:
    """Yield what a departure asks for: a mark, a removal, or nothing (D1-D4)."""
    if there.state == EmployeeState.DISMISSED:
        return
    grace = _grace_nights(departure, context)
    elsewhere = there.other_sources > 0 and not there.authoritative
    # Changes alone never say that somebody left: the complete reading of the night does.
    waits = departure.reason == LEFT and not context.complete
    if there.missing_since is None and (elsewhere or grace > 0 or waits):
        yield _mark(there, departure, context, elsewhere=elsewhere)
    elif not elsewhere and not waits and not _is_in_grace(there, grace, context):
        yield _remove(there, departure, context)


def _grace_nights(departure: Departure, context: PlanningContext) -> int:
    if departure.reason == LEFT:
        return context.policy.missing_grace_nights
    return context.policy.disabled_grace_nights


def _is_in_grace(there: RegisteredPerson, grace: int, context: PlanningContext) -> bool:
    """Whether the nights since the last source marked them are not over (D2, D3)."""
    if there.missing_since is None:
        return False
    marked = max(there.missing_since, there.other_missing_since or there.missing_since)
    return (context.today - marked).days < grace


def _mark(
    there: RegisteredPerson, departure: Departure, context: PlanningContext, *, elsewhere: bool
) -> Action:
    if elsewhere:
        because = Because("D3", f"{departure.text}; another source still vouches")
    else:
        nights = _grace_nights(departure, context)
        leaves = f"in {nights} night(s)" if nights else "with the next complete reading"
        because = Because("D2", f"{departure.text}; leaves {leaves} unless back")
    return Action(
        kind=ActionKind.FLAG,
        id=DirectoryId(context.source, there.anchor),
        who=_who(there, _applied(there, context)),
        because=because,
        employee=employee_ref(there),
        finding=FindingKind.MISSING_FROM_SOURCE,
        reason=departure.reason,
        marks_missing=True,
        counted=not elsewhere,
    )


def _remove(there: RegisteredPerson, departure: Departure, context: PlanningContext) -> Action:
    known = [person for person in (departure.person, _applied(there, context)) if person]
    protected = there.protected or any(map(context.policy.protects, known))
    active = there.state in (EmployeeState.ACTIVE, EmployeeState.AWAITING_CONFIRMATION)
    return Action(
        kind=ActionKind.DISMISS if active else ActionKind.REVOKE,
        id=DirectoryId(context.source, there.anchor),
        who=_who(there, next(iter(known), None)),
        because=Because("D1", departure.text),
        person=departure.person,
        employee=employee_ref(there),
        reason=departure.reason,
        counted=not there.missing_counted,
        held=HoldReason.PROTECTED if protected else None,
        raw_hash=departure.raw_hash,
    )


def employee_ref(there: RegisteredPerson) -> EmployeeRef:
    """Return the employee as planning saw them."""
    return EmployeeRef(
        id=there.employee_id, version=there.version, state=there.state, bound=there.bound
    )


def _applied(there: RegisteredPerson, context: PlanningContext) -> Person | None:
    if not there.applied:
        return None
    return Person.from_json(DirectoryId(context.source, there.anchor), json.loads(there.applied))


def _who(there: RegisteredPerson, applied: Person | None) -> str:
    return applied.user_name if applied else there.display_name
