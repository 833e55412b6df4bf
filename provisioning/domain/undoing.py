"""What undoes a run: from what it did and what is there now to a counter-plan (D8).

the run                now                            ->  the undo
---------------------  -----------------------------  --  ------------------------------------
invited ann, new       invited still                      revoke ann
invited ann, new       has joined                         dismiss ann, held: nobody is put out
                                                          silently who came in by a letter
let ann wait, new      waiting still                      revoke ann
hired back ann         as the run left her                dismiss or revoke ann
dismissed ann          dismissed still, bound             hire back ann (S6)
dismissed ann          dismissed still, not bound         invite ann
removed ann            gone                               invite ann
updated ann            says what the run wrote            update ann: as before
updated ann            says something else by now         nothing: changed since
anything               in another state than it left      nothing: changed since
invited ann, waiting   anything                           nothing: told
linked ann             anything                           nothing: told
marked, flagged ann    anything                           nothing: nobody was changed by it

Roles do not come back with anybody (S6), and seats, protection and the limits are as in any
other plan (L1, D4, D5, D6).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from provisioning.domain.actions import (
    LINKING,
    REMOVALS,
    SEAT_TAKERS,
    Action,
    ActionKind,
    Because,
    FieldChange,
    HoldReason,
)
from provisioning.domain.departing import employee_ref
from provisioning.domain.employees import EmployeeState
from provisioning.domain.people import Person
from provisioning.domain.policy import Policy
from provisioning.domain.snapshots import RegisteredPerson

UNDO_DAYS = timedelta(days=30)
"""How long after its end a run can be undone (D8)."""

UNDONE = "undone"
"""The reason of a removal that undoes an invitation."""

_PLACED = SEAT_TAKERS | {ActionKind.WAIT}
"""What gives somebody a seat, or a place in the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One thing a run did, with what was there before it and what it left."""

    action: Action
    before: Mapping[str, Any]
    """For a removal: the person as their source described them; else the changed fields."""

    left_since: datetime | None
    """Since when the employee was in the state in which the run left them; None: removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An employee as they stand now."""

    registered: RegisteredPerson
    since: datetime
    """Since when they are in their state."""


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """What the undo does not touch, and why, in words."""

    action: Action
    why: str


def undo(
    done: Done, now: Standing | None, *, run: int, policy: Policy
) -> Iterator[Action | LeftAlone]:
    """Yield what takes one action of a run back, by the table above.

    Args:
        done: What the run did.
        now: Who is linked by the same directory id now; None if nobody is.
        run: The run's number.
        policy: Who is protected, and where may be written to.
    """
    action, because = done.action, Because("D8", f"run {run} is undone")
    if action.kind is ActionKind.UPDATE:
        yield from _restored(action, now, because)
    elif action.kind in REMOVALS:
        yield _returned(done, now, because, policy)
    elif action.kind in _PLACED or (action.person is not None and done.left_since is not None):
        yield from _taken_back(done, now, because, policy)


def _restored(
    action: Action, now: Standing | None, because: Because
) -> Iterator[Action | LeftAlone]:
    if action.because.rule in LINKING:
        yield LeftAlone(action, "the run linked them to a person who was here; the link stays")
        return
    if now is None or not _is_same(action, now):
        yield LeftAlone(action, "nobody is linked by this directory id any more")
        return
    said = json.loads(now.registered.applied)
    back = tuple(
        FieldChange(change.name, change.new, change.old)
        for change in action.changes
        if said.get(change.name) == change.new
    )
    if len(back) < len(action.changes):
        names = {change.name for change in action.changes} - {change.name for change in back}
        yield LeftAlone(action, f"changed since: {', '.join(sorted(names))}")
    if back:
        said |= {change.name: change.new for change in back}
        document = {name: value for name, value in said.items() if value is not None}
        yield _counter(
            action,
            ActionKind.UPDATE,
            because,
            person=Person.from_json(action.id, document),
            employee=employee_ref(now.registered),
            changes=back,
        )


def _returned(
    done: Done, now: Standing | None, because: Because, policy: Policy
) -> Action | LeftAlone:
    """Hire back or invite again whom the run took out (S6, S7)."""
    action = done.action
    if not done.before.get("person"):
        return LeftAlone(action, "nothing is stored of who they were")
    person = Person.from_json(action.id, done.before["person"])
    if now is None and done.left_since is None:
        return _invited(action, person, because, policy)
    if now is None or not _is_as_left(done, now):
        return LeftAlone(action, _since(now))
    there = now.registered
    if there.dismissed_by != action.id.source:
        return LeftAlone(action, "somebody else dismissed them since (S7)")
    if not there.bound:
        return _invited(action, person, because, policy, there)
    return _counter(
        action, ActionKind.HIRE_BACK, because, person=person, employee=employee_ref(there)
    )


def _invited(
    action: Action,
    person: Person,
    because: Because,
    policy: Policy,
    there: RegisteredPerson | None = None,
) -> Action | LeftAlone:
    if person.mail is None or not policy.may_write_to(person.mail):
        return LeftAlone(action, "there is no address that an invitation may go to (I1)")
    employee = employee_ref(there) if there else None
    return _counter(action, ActionKind.INVITE, because, person=person, employee=employee)


def _taken_back(
    done: Done, now: Standing | None, because: Because, policy: Policy
) -> Iterator[Action | LeftAlone]:
    """Take the seat or the place away again that the run gave (D1)."""
    action = done.action
    before = action.employee.state if action.employee else None
    if before not in (None, EmployeeState.DISMISSED):
        yield LeftAlone(action, f"they were {before} before the run, and what they are now stays")
        return
    if now is None:
        yield LeftAlone(action, _since(now))
        return
    there = now.registered
    as_left = _is_as_left(done, now)
    joined = before is None and there.state == EmployeeState.ACTIVE and there.bound
    if not as_left and not joined:
        yield LeftAlone(action, _since(now))
        return
    person = Person.from_json(action.id, json.loads(there.applied))
    held = HoldReason.JOINED if joined else None
    protected = there.protected or policy.protects(person)
    active = there.state in (EmployeeState.ACTIVE, EmployeeState.AWAITING_CONFIRMATION)
    yield _counter(
        action,
        ActionKind.DISMISS if active else ActionKind.REVOKE,
        because,
        employee=employee_ref(there),
        reason=UNDONE,
        held=HoldReason.PROTECTED if protected else held,
    )


def _is_same(action: Action, now: Standing) -> bool:
    return action.employee is not None and action.employee.id == now.registered.employee_id


def _is_as_left(done: Done, now: Standing) -> bool:
    known = done.action.employee is None or _is_same(done.action, now)
    out = now.registered.state == EmployeeState.DISMISSED
    return known and out == (done.action.kind in REMOVALS) and now.since == done.left_since


def _since(now: Standing | None) -> str:
    return f"changed since: they are {now.registered.state}" if now else "changed since: gone"


def _counter(action: Action, kind: ActionKind, because: Because, **fields: Any) -> Action:
    """Return an action about the same person; without a hash the next reading looks at them."""
    return Action(kind=kind, id=action.id, who=action.who, because=because, **fields)


def likeness(action: Action) -> str:
    """Return what makes two actions of an undo the same: a seat is found, or not, when it is done.

    An invitation that has to wait meanwhile, or the reverse, is what was shown (L3).
    """
    if action.kind in _PLACED:
        action = replace(action, kind=ActionKind.WAIT, reason="")
    return action.fingerprint()
