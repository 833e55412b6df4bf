"""From two snapshots and a policy to a plan. No I/O, no clock, no log.

directory             registry              policy          ->  action
--------------------  --------------------  --------------  --  ---------------------------------
ann                   -                                         invite ann (I1)
ann, no mail          -                                         flag no_usable_address (I1)
ann, foreign domain   -                     domains named       flag unverified_domain (I1)
ann (disabled)        -                                         nothing
ann                   somebody alike                            see correlation (P2, P3)
ann                   decided in the queue                      see matching (P5)
ann                   ann                                       nothing
ann (renamed, moved)  ann                                       update ann (P1)
ann (mail changed)    ann, invited                              update ann: invited anew (I5)
ann (foreign domain)  ann, invited          domains named       flag unverified_domain: revoked (I5)
ann (no mail)         ann, in the line                          flag no_usable_address (I1)
ann (new fact)        ann, waiting: lapsed                      invite ann (I4)
ann                   ann, dismissed here                       hire back ann (S6)
ann (changed)         ann, dismissed by     another authority   hire back ann, held (S7)
ann (disabled)        ann, active                               dismiss ann (D1)
ann (disabled)        ann, invited/waiting                      revoke ann (D1)
-                     ann                   grace 0             dismiss or revoke ann (D1)
-                     ann                   grace 1, unmarked   flag missing_from_source (D2)
-                     ann, marked yesterday grace 1             dismiss or revoke ann (D2)
-                     ann, vouched for elsewhere                nothing but the mark (D3)
-                     ann, protected                            dismiss ann, held (D4)
unreadable            ann                                       flag unreadable_entry
ann, bob              -                     1 seat              invite ann, wait bob (L3)
ann, bob              -                     0 seats             wait ann, wait bob (L3)
-                     ann, bob, cid, dan    limit 3             dismiss x 4, all held (D5)
4 of 9 without mail   all nine                                  everything held
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from provisioning.domain.actions import (
    LINKING,
    SEAT_TAKERS,
    Action,
    ActionKind,
    Because,
    differences,
)
from provisioning.domain.context import PlanningContext
from provisioning.domain.deciding import decide
from provisioning.domain.employees import EmployeeState, WaitingReason
from provisioning.domain.guards import guard_attributes, guard_removals
from provisioning.domain.people import Person
from provisioning.domain.plan import Plan, in_order
from provisioning.domain.policy import Policy
from provisioning.domain.seats import Seats, takes_seat
from provisioning.domain.snapshots import RegisteredPerson, StagedPerson


def make_plan(
    staged: Iterable[StagedPerson],
    registered: Iterable[RegisteredPerson],
    context: PlanningContext,
) -> Plan:
    """Compare two snapshots and decide what has to happen (R1, R3).

    Who is in both and did not change can be left out of both: nothing would follow.

    Args:
        staged: Everyone the source vouches for, ascending by anchor (code point order).
        registered: Everyone linked to this source, in the same order (D3).
        context: Policy, time, seats, budget, and how to look unlinked people up.
    """
    actions: list[Action] = []
    read = unchanged = 0
    for here, there in _merged(staged, registered):
        read += here is not None
        decided = list(decide(here, there, context))
        unchanged += here is not None and not decided
        actions.extend(decided)
    guarded = guard_removals(
        guard_attributes(_without_departures_of_adopted(actions), people=context.people),
        policy=context.policy,
        seated=context.seated,
        removed_recently=context.removed_recently,
        proven=context.removals_proven,
    )
    seated = seat(guarded, context.seats(), context.policy)
    return Plan(in_order(seated, context.policy), read=read, unchanged=unchanged)


def plan_one(
    here: StagedPerson | None, there: RegisteredPerson | None, context: PlanningContext
) -> Plan:
    """Decide for one person by the same rules (S3): what a SCIM request or a page asks for.

    The limits of D5 are about runs; a single request is counted by the breaker (D6).
    """
    actions: Sequence[Action] = list(decide(here, there, context))
    if any(action.kind in SEAT_TAKERS for action in actions):
        actions = seat(actions, context.seats(), context.policy)
    return Plan(
        in_order(actions, context.policy),
        read=int(here is not None),
        unchanged=int(not actions),
    )


def is_settled(person: Person, there: RegisteredPerson, now: datetime) -> bool:
    """Whether nothing can follow from a source's word about somebody who is in, or invited.

    It has been said before and was done: `decide` would yield nothing, whatever the policy is.
    """
    inside = there.state in (EmployeeState.INVITED, EmployeeState.ACTIVE)
    return inside and person.is_active_at(now) and not differences(there.applied, person)


def seat(actions: Sequence[Action], seats: Seats, policy: Policy) -> Sequence[Action]:
    """Give out the seats there will be; who gets none waits (L1, L3, L4).

    Hired back people come first, then newcomers by the policy's priority, first day and id, those
    without a first day last; people who are waiting already come before all newcomers.
    """
    ordered = in_order(actions, policy)
    left = seats.for_newcomers(sum(map(_frees_seat, ordered)))
    if left is None:
        return ordered
    given: list[Action] = []
    for action in ordered:
        if action.kind not in SEAT_TAKERS or action.held:
            given.append(action)
        elif left > 0:
            left -= 1
            given.append(action)
        else:
            given.append(_waiting(action, seats))
    return given


def _waiting(action: Action, seats: Seats) -> Action:
    back = action.kind is ActionKind.HIRE_BACK
    reason = WaitingReason.HIRED_BACK if back else WaitingReason.NO_SEAT
    text = f"no seat is left of {seats.limit}; {action.because.text}"
    return replace(action, kind=ActionKind.WAIT, reason=reason.value, because=Because("L3", text))


def _frees_seat(action: Action) -> bool:
    return (
        not action.held
        and action.kind in (ActionKind.DISMISS, ActionKind.REVOKE)
        and action.employee is not None
        and takes_seat(EmployeeState(action.employee.state))
    )


def _without_departures_of_adopted(actions: Sequence[Action]) -> Sequence[Action]:
    """Drop the departure of an old entry whose employee a new entry just took over (P2, P5)."""
    adopted = {a.employee.id for a in actions if a.employee and a.because.rule in LINKING}
    return [
        action
        for action in actions
        if not (action.is_removal and action.employee and action.employee.id in adopted)
    ]


def _merged(
    staged: Iterable[StagedPerson], registered: Iterable[RegisteredPerson]
) -> Iterator[tuple[StagedPerson | None, RegisteredPerson | None]]:
    """Walk two sorted streams side by side, pairing equal anchors."""
    left, right = iter(staged), iter(registered)
    here, there = next(left, None), next(right, None)
    while here is not None or there is not None:
        if there is None or (here is not None and here.anchor < there.anchor):
            yield here, None
            here = next(left, None)
        elif here is None or there.anchor < here.anchor:
            yield None, there
            there = next(right, None)
        else:
            yield here, there
            here, there = next(left, None), next(right, None)
