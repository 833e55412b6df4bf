"""People, employees and plans for the tests of the rules: no database, no clock."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

from provisioning.domain.actions import Action, ActionKind, Because
from provisioning.domain.context import PlanningContext
from provisioning.domain.correlation import Hit
from provisioning.domain.employees import EmployeeState
from provisioning.domain.keys import CorrelationKey
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
        missing_counted=False,
        authoritative=True,
        other_sources=0,
        other_missing_since=None,
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
    chosen = {**usual, **choices}
    seats, seated = chosen["seats"], chosen.pop("seated", 0)
    return PlanningContext(**{**chosen, "seats": lambda: seats, "seated": lambda: seated})


def plan_of(
    people: Iterable[Person | StagedPerson] = (),
    staff: Iterable[RegisteredPerson] = (),
    **choices: Any,
) -> Plan:
    """What planning makes of a directory and a registry."""
    read = sorted(map(staged, people), key=lambda one: one.anchor)
    known = sorted(staff, key=lambda one: one.anchor)
    seated = sum(takes_seat(EmployeeState(one.state)) for one in known)
    return make_plan(read, known, context(**{"people": len(read), "seated": seated, **choices}))


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


def only(plan: Plan) -> Action:
    """The one action of a plan."""
    (one,) = plan.actions
    return one


def dismissals(number: int, **values: Any) -> list[Action]:
    """So many people who leave."""
    return [action("dismiss", f"p{n:04}", **values) for n in range(number)]


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
