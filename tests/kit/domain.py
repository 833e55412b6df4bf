"""People, employees and plans for the tests of the rules: no database, no clock."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

from provisioning.domain.actions import Action, ActionKind, Because, EmployeeRef
from provisioning.domain.context import PlanningContext
from provisioning.domain.correlation import CorrelationKey, Hit
from provisioning.domain.deciding import must_invite_anew
from provisioning.domain.employees import SERVED_BY_ITSELF, Change, EmployeeState, state_after
from provisioning.domain.findings import FindingKind
from provisioning.domain.people import DirectoryId, Person
from provisioning.domain.plan import Plan
from provisioning.domain.planning import make_plan
from provisioning.domain.policy import Policy
from provisioning.domain.seats import Seats, takes_seat
from provisioning.domain.snapshots import RegisteredPerson, StagedPerson

SOURCE = "corp"
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
UNLIMITED = Seats(taken=0, limit=None)
AT_ONCE = Policy(missing_grace_nights=0)
"""Missing means gone, this very night."""


def employee_id(name: str) -> UUID:
    """The id of the employee of this name, the same one every time."""
    return uuid5(NAMESPACE_DNS, name)


def person(name: str, **values: Any) -> Person:
    """Somebody as the directory describes them; the name is the anchor, too."""
    usual = {"user_name": name, "mail": f"{name}@corp.example", "display_name": name.title()}
    return Person(id=DirectoryId(SOURCE, name), **{**usual, **values})


def employee(
    who: str | Person, state: EmployeeState | str = EmployeeState.ACTIVE, **values: Any
) -> RegisteredPerson:
    """Somebody as the registry knows them, with what the directory said last."""
    applied = person(who) if isinstance(who, str) else who
    state = EmployeeState(state)
    bound = state in (EmployeeState.ACTIVE, EmployeeState.DISMISSED)
    usual = RegisteredPerson(
        anchor=applied.id.value,
        employee_id=employee_id(applied.id.value),
        version=1,
        state=state.value,
        state_reason="",
        display_name=applied.display_name,
        dismissed_by=SOURCE if state is EmployeeState.DISMISSED else None,
        protected=False,
        bound=bound,
        invited_address=applied.mail if state is EmployeeState.INVITED else None,
        missing_since=None,
        authoritative=True,
        other_sources=0,
        applied=json.dumps(applied.to_json()),
    )
    return usual._replace(**values)


def staged(who: Person | StagedPerson) -> StagedPerson:
    """Somebody as a reading wrote them down."""
    if isinstance(who, StagedPerson):
        return who
    return StagedPerson(who.id.value, f"hash of {who!r}", who)


def unreadable(anchor: str) -> StagedPerson:
    """An entry nobody can make sense of."""
    return StagedPerson(anchor, "hash", None, "cn: is not valid text")


def unchanged(anchor: str) -> StagedPerson:
    """An entry that is as it was when it was last applied."""
    return StagedPerson(anchor, "hash", None)


def context(**choices: Any) -> PlanningContext:
    """Tonight; without choices there are seats for all and nobody is known."""
    usual: dict[str, Any] = {
        "source": SOURCE,
        "policy": AT_ONCE,
        "now": NOW,
        "today": TODAY,
        "seats": UNLIMITED,
        "hits": lambda _: (),
    }
    return PlanningContext(**{**usual, **choices})


def plan_of(
    people: Iterable[Person | StagedPerson] = (),
    staff: Iterable[RegisteredPerson] = (),
    **choices: Any,
) -> Plan:
    """What planning makes of a directory and a registry."""
    return make_plan(
        sorted(map(staged, people), key=lambda one: one.anchor),
        sorted(staff, key=lambda one: one.anchor),
        context(**choices),
    )


def lines(plan: Iterable[Action]) -> list[str]:
    """A plan as people would say it: "invite ann", "dismiss bob, held: protected"."""
    return [line(action) for action in plan]


def line(action: Action) -> str:
    """One action as people would say it."""
    words = [action.kind.value, action.who]
    if action.kind is ActionKind.FLAG and action.finding:
        words.append(action.finding.value)
    if action.kind is ActionKind.WAIT:
        words.append(action.reason)
    return " ".join(words) + (f", held: {action.held.value}" if action.held else "")


def action(kind: ActionKind | str, name: str = "ann", **values: Any) -> Action:
    """An action as planning could have made it."""
    usual: dict[str, Any] = {
        "kind": ActionKind(kind),
        "id": DirectoryId(SOURCE, name),
        "who": name,
        "because": Because("D1", "no longer in corp"),
    }
    return Action(**{**usual, **values})


def dismissals(number: int, **values: Any) -> list[Action]:
    """So many people who leave."""
    return [action("dismiss", f"p{n:04}", **values) for n in range(number)]


@dataclass
class Registry:
    """A model of what applying does: one source's employees, and those of others."""

    rows: dict[str, RegisteredPerson] = field(default_factory=dict)
    strangers: dict[str, Hit] = field(default_factory=dict)
    """Employees who are not linked to the source, by employee number."""

    limit: int | None = None
    today: date = TODAY
    removed_recently: int = 0
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
                self._set(one.id.value, missing_since=None)

    def _hits(self, one: Person, present: Mapping[str, Person]) -> list[Hit]:
        """Everybody with the same employee number: rivals, employees, strangers."""
        number = one.employee_number
        if not number:
            return []
        key = CorrelationKey.EMPLOYEE_NUMBER
        found = [
            Hit(key=key, name=other.display_name, employee_id=None)
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
                assert (
                    state_after(EmployeeState(self.rows.pop(anchor).state), Change.REMOVE) is None
                )
            case ActionKind.DISMISS:
                self._move(one, Change.DISMISS, dismissed_by=SOURCE)
            case ActionKind.FLAG if one.marks_missing:
                self._set(anchor, missing_since=self.today)
            case ActionKind.FLAG if one.finding in (
                FindingKind.DUPLICATE_PERSON,
                FindingKind.UNREADABLE_ENTRY,
            ):
                self.flagged.add((one.finding, anchor))
            case ActionKind.FLAG | ActionKind.WAIT:
                self._move(one, Change.WAIT, state_reason=one.reason)
            case ActionKind.UPDATE:
                self._describe(one)
            case ActionKind.HIRE_BACK if self.rows[anchor].bound:
                self._move(one, Change.RETURN)
            case ActionKind.HIRE_BACK | ActionKind.INVITE:
                address = one.person.mail if one.person else None
                self._move(one, Change.INVITE, invited_address=address)

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
            if must_invite_anew(one.person, row.state, row.invited_address):
                self._set(anchor, invited_address=one.person.mail)

    def _set(self, anchor: str, **values: Any) -> None:
        row = self.rows[anchor]
        self.rows[anchor] = row._replace(**{**values, "version": row.version + 1})


def hit_of(row: RegisteredPerson, **values: Any) -> Hit:
    """An employee as a look-up by key finds them."""
    usual = Hit(
        key=CorrelationKey.EMPLOYEE_NUMBER,
        name=row.display_name,
        employee_id=row.employee_id,
        state=EmployeeState(row.state),
        version=row.version,
        bound=row.bound,
        protected=row.protected,
        dismissed_by=row.dismissed_by,
    )
    return replace(usual, **values)
