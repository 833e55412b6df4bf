"""One SCIM request is a run of one person: the same rules, the same gates (S3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from provisioning.domain.actions import REMOVALS, SEAT_TAKERS, Action, ActionKind, HoldReason
from provisioning.domain.breaker import hold_at_breaker
from provisioning.domain.context import PlanningContext
from provisioning.domain.employees import SERVED_BY_ITSELF
from provisioning.domain.errors import SeatLimitError
from provisioning.domain.matching import Queued
from provisioning.domain.people import Person
from provisioning.domain.plan import Plan
from provisioning.domain.planning import is_settled, plan_one
from provisioning.domain.policy import WhenFull
from provisioning.domain.snapshots import RegisteredPerson, StagedPerson
from provisioning.services.budget import measured_for_one, queue_removals
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.departures import leaves_a_trace
from provisioning.services.holding import RETURNS, hold, withdraw
from provisioning.services.match_queue import see_pushed
from provisioning.services.planning import planning_context
from provisioning.services.provision import Provisioner
from provisioning.services.seats import read_seats
from provisioning.services.standing import locked_as_planned
from provisioning.storage.holds import is_open, why_held
from provisioning.storage.matches import queued_people
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.newcomers import queue_newcomers
from provisioning.storage.registry import registered_one
from provisioning.storage.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What one request of a source means for one person, in its transaction."""

    session: Session
    context: ServiceContext
    source: Source
    actor: Actor

    def provision(
        self, anchor: str, person: Person | None, *, first_heard: bool = False
    ) -> UUID | None:
        """Decide by the rules of a run, and do what no guard holds; returns who it is.

        Args:
            anchor: The resource's id.
            person: As the client wants them to be; None when it deleted them.
            first_heard: Whether the id was given out a moment ago: nothing is known by it.

        Raises:
            SeatLimitError: No seat is free and the policy says to reject (L3).
            StaleWriteError: Somebody else wrote the employee meanwhile.
        """
        there = None if first_heard else self._registered(anchor)
        who = there.employee_id if there else None
        if there and person and is_settled(person, there, self.context.now()):
            self._take_back(there.employee_id, REMOVALS)
            return who
        here = None if person is None else StagedPerson(anchor, "", person)
        queue: Mapping[str, Queued] = {}
        if there is None:
            queue_newcomers(self.session, self.context.intranet_id)
            if not first_heard:
                queue = queued_people(self.session, self.source.id, anchor=anchor)
        context = requested_now(self.session, self.context, self.source, queue)
        plan = plan_one(here, there, context)
        who = self.carry_out(plan, who, first_heard=first_heard)
        if anchor in queue:
            see_pushed(
                self.session, self.context, self.source, person, anchor, placed=who is not None
            )
        known = there.employee_id if there else _adopted(plan)
        if known is not None:
            vouches = person is not None and person.active
            self._take_back(known, REMOVALS if vouches else RETURNS)
        return who

    def carry_out(self, plan: Plan, who: UUID | None, *, first_heard: bool = False) -> UUID | None:
        """Do what no guard holds of a plan, and hold the rest; returns who it is then.

        Args:
            plan: Of one person.
            who: Whose it was before.
            first_heard: As above.
        """
        # Every lock first: what one action writes is no news to the next.
        for action in [self._measured(action) for action in plan]:
            if action.held:
                hold(self.session, self.context, self.source, action, self.actor)
            else:
                employee = self._do(action, first_heard=first_heard)
                who = employee.id if employee is not None else None
        return who

    def _take_back(self, employee_id: UUID, kinds: frozenset[ActionKind]) -> None:
        """End what is held if the client asks for the opposite now."""
        if is_open(self.session, self.source.id, employee_id):
            withdraw(self.session, self.context, self.source, employee_id, kinds, self.actor)

    def _registered(self, anchor: str) -> RegisteredPerson | None:
        return registered_one(self.session, self.source.id, anchor)

    def _do(self, action: Action, *, first_heard: bool) -> EmployeeRecord | None:
        employee = Provisioner(
            session=self.session,
            context=self.context,
            source=self.source,
            actor=self.actor,
            first_heard=first_heard,
        ).perform(action)
        if action.kind in SEAT_TAKERS or action.kind is ActionKind.WAIT:
            refuse_if_full(self.session, self.context, employee)
        return employee

    def _measured(self, action: Action) -> Action:
        """Return an action as the breaker lets it through, or holds it (D6).

        Whoever leaves no trace costs nothing: providers test a connection so (I9). What is
        held stays held until somebody decides, however often the client asks for it.
        """
        if action.employee is None or not (action.held or action.is_removal):
            return action
        if action.is_removal and action.counted:
            queue_removals(self.session, self.context.intranet_id)
        employee = locked_as_planned(self.session, action, action.employee)
        if not (action.is_removal and action.counted) or action.held:
            return action
        if not leaves_a_trace(self.session, employee):
            return replace(action, counted=False)
        if why_held(self.session, self.source.id, employee.id) is HoldReason.BREAKER:
            return replace(action, held=HoldReason.BREAKER)
        budget = measured_for_one(self.session, self.context, self.source)
        return hold_at_breaker(action, policy=self.context.policy, budget=budget)


def _adopted(plan: Plan) -> UUID | None:
    """Return whom a new resource turned out to be (P2); None for a newcomer."""
    return next((action.employee.id for action in plan if action.employee), None)


def requested_now(
    session: Session, context: ServiceContext, source: Source, queue: Mapping[str, Queued]
) -> PlanningContext:
    """Return what a request is decided in: it means now, nights of grace are for readings (D2)."""
    planning = planning_context(session, context, source, queue=queue)
    now = replace(planning.policy, disabled_grace_nights=0, missing_grace_nights=0)
    return replace(planning, policy=now)


def refuse_if_full(
    session: Session, context: ServiceContext, employee: EmployeeRecord | None
) -> None:
    """Undo everything when nobody may wait and somebody would (L3).

    It is judged by what came of the action: another may have taken the seat it counted on.

    Raises:
        SeatLimitError: Somebody would wait for a seat, and the policy says to reject.
    """
    if context.policy.when_full is not WhenFull.REJECT or employee is None:
        return
    if employee.waiting_since and employee.state_reason in SERVED_BY_ITSELF:
        seats = read_seats(session, context)
        raise SeatLimitError(limit=seats.limit or 0, taken=seats.taken)
