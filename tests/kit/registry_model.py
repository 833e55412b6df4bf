"""A registry in memory that does what applying a plan does, for the promises of the rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from provisioning.domain.actions import Action, ActionKind, EmployeeRef
from provisioning.domain.correlation import Hit
from provisioning.domain.deciding import must_invite_anew
from provisioning.domain.employees import SERVED_BY_ITSELF, Change, EmployeeState, state_after
from provisioning.domain.findings import FindingKind
from provisioning.domain.keys import CorrelationKey
from provisioning.domain.matching import Queued, evidence_of
from provisioning.domain.people import Person
from provisioning.domain.plan import Plan
from provisioning.domain.seats import Seats, takes_seat
from provisioning.domain.snapshots import RegisteredPerson
from tests.kit.domain import NOW, SOURCE, TODAY, employee, hit_of, line, person, plan_of


@dataclass
class Registry:
    """A model of what applying does: one source's employees, and those of others."""

    rows: dict[str, RegisteredPerson] = field(default_factory=dict)
    strangers: dict[str, Hit] = field(default_factory=dict)
    """Employees who are not linked to the source, by employee number."""

    limit: int | None = None
    today: date = TODAY
    removed_recently: int = 0
    queue: dict[str, Queued] = field(default_factory=dict)
    flagged: set[tuple[str, str]] = field(default_factory=set)

    @property
    def seats(self) -> Seats:
        """The ledger, recounted."""
        rows = self.rows.values()
        states = [EmployeeState(row.state) for row in rows]
        states += [hit.state for hit in self.strangers.values() if hit.state]
        waiting = [row.state_reason for row in rows if row.state == EmployeeState.WAITING]
        queued = sum(reason in SERVED_BY_ITSELF for reason in waiting)
        return Seats(taken=sum(map(takes_seat, states)), limit=self.limit, queued=queued)

    def plan(self, people: Sequence[Person], **choices: Any) -> Plan:
        """What planning makes of this registry and a directory."""
        present = {one.id.value: one for one in people if one.is_active_at(NOW)}
        return plan_of(
            people,
            self.rows.values(),
            **choices,
            today=self.today,
            seats=self.seats,
            hits=lambda one: self._hits(one, present),
            queue=self.queue,
            flagged=frozenset(self.flagged),
            removed_recently=self.removed_recently,
        )

    def apply(self, plan: Plan, people: Sequence[Person]) -> None:
        """Do what no guard holds, one after the other; who is back is not missing any more."""
        for one in plan:
            if not one.held:
                taken = self.seats.taken
                self._perform(one)
                if self.seats.taken > taken and self.limit is not None:
                    assert self.seats.taken <= self.limit, line(one)
        for one in people:
            if one.is_active_at(NOW) and one.id.value in self.rows:
                self._set(one.id.value, missing_since=None, missing_counted=False)

    def _hits(self, one: Person, present: Mapping[str, Person]) -> list[Hit]:
        """Everybody with the same employee number: rivals, employees, strangers."""
        number = one.employee_number
        if not number:
            return []
        key = CorrelationKey.EMPLOYEE_NUMBER
        found = [
            Hit(key=key, name=other.display_name, employee_id=None, anchor=other.id.value)
            for other in present.values()
            if other.employee_number == number
            and other.id != one.id
            and other.id.value not in self.rows
        ]
        found += [
            hit_of(row, key=key, linked_here=row.anchor in present)
            for row in self.rows.values()
            if json.loads(row.applied).get("employee_number") == number
        ]
        return found + [hit for owner, hit in self.strangers.items() if owner == number]

    def _perform(self, one: Action) -> None:
        anchor = one.id.value
        if one.employee is not None and anchor not in self.rows:
            self._adopt(one, one.employee)
        self.removed_recently += one.is_removal and one.counted
        match one.kind:
            case ActionKind.REVOKE:
                state = EmployeeState(self.rows.pop(anchor).state)
                assert state_after(state, Change.REMOVE) is None
            case ActionKind.DISMISS:
                self._move(one, Change.DISMISS, dismissed_by=SOURCE)
            case ActionKind.FLAG if one.marks_missing:
                self._set(anchor, missing_since=self.today, missing_counted=one.counted)
            case ActionKind.FLAG if one.finding in (
                FindingKind.DUPLICATE_PERSON,
                FindingKind.UNREADABLE_ENTRY,
            ):
                self._ask(one)
            case ActionKind.FLAG | ActionKind.WAIT:
                change = Change.LOSE_ADDRESS if self._is_invited(anchor) else Change.WAIT
                self._move(one, change, state_reason=one.reason)
            case ActionKind.UPDATE:
                self._describe(one)
            case ActionKind.HIRE_BACK if self.rows[anchor].bound:
                self._move(one, Change.RETURN)
            case ActionKind.HIRE_BACK | ActionKind.INVITE:
                address = one.person.mail if one.person else None
                self._move(one, Change.INVITE, invited_address=address)

    def _ask(self, one: Action) -> None:
        """Remember what was asked or told, so that it is not said twice."""
        self.flagged.add((str(one.finding), one.id.value))
        self.queue[one.id.value] = Queued(evidence=evidence_of(one.candidates))

    def _adopt(self, one: Action, ref: EmployeeRef) -> None:
        """Link an employee: the old link goes, a stranger is none any more (P2)."""
        for anchor, row in list(self.rows.items()):
            if row.employee_id == ref.id:
                self.rows[one.id.value] = self.rows.pop(anchor)._replace(anchor=one.id.value)
                return
        number = next(n for n, hit in self.strangers.items() if hit.employee_id == ref.id)
        hit = self.strangers.pop(number)
        self.rows[one.id.value] = employee(
            one.person or person(one.id.value),
            ref.state,
            employee_id=ref.id,
            dismissed_by=hit.dismissed_by,
            bound=ref.bound,
            protected=hit.protected,
            other_sources=1,
        )

    def _is_invited(self, anchor: str) -> bool:
        return anchor in self.rows and self.rows[anchor].state == EmployeeState.INVITED

    def _move(self, one: Action, change: Change, **values: Any) -> None:
        """Write the state after a change; whoever waits already may go on waiting."""
        anchor = one.id.value
        before = EmployeeState(self.rows[anchor].state) if anchor in self.rows else None
        waits_on = before is EmployeeState.WAITING and change is Change.WAIT
        after = before if waits_on else state_after(before, change)
        assert after is not None
        if before is None:
            assert one.person is not None
            self.rows[anchor] = employee(one.person, after)
        self._set(anchor, **{"state": after.value, "state_reason": "", **values})
        self._describe(one)

    def _describe(self, one: Action) -> None:
        anchor = one.id.value
        if one.person is not None:
            self._set(anchor, applied=json.dumps(one.person.to_json()))
            row = self.rows[anchor]
            if must_invite_anew(one.person, one.changes, row.state, row.invited_address):
                self._set(anchor, invited_address=one.person.mail)

    def _set(self, anchor: str, **values: Any) -> None:
        row = self.rows[anchor]
        self.rows[anchor] = row._replace(**{**values, "version": row.version + 1})
