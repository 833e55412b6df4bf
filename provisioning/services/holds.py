"""Held effects decided by an administrator: done now, or never (D4, D6, S7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.actions import REMOVALS, Because, HoldReason
from provisioning.domain.brakes import Brake
from provisioning.domain.employees import EmployeeState
from provisioning.domain.errors import (
    DecidedError,
    HeldError,
    NotFoundError,
    SeatLimitError,
    StaleWriteError,
)
from provisioning.domain.people import DirectoryId, Person
from provisioning.domain.plan import Plan
from provisioning.domain.planning import plan_one
from provisioning.domain.snapshots import RegisteredPerson, StagedPerson
from provisioning.services.audit import record
from provisioning.services.budget import queue_removals, restart
from provisioning.services.context import SYSTEM, Actor, ServiceContext
from provisioning.services.holding import close_cause, end_hold, hold, report_departed
from provisioning.services.provision import Provisioner
from provisioning.services.pushing import Push, refuse_if_full, requested_now
from provisioning.services.scim_resources import set_active
from provisioning.services.sources import find_source
from provisioning.services.switches import is_on
from provisioning.services.waiting import WaitingService
from provisioning.storage.holds import OPEN
from provisioning.storage.locks import locked
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.holds import HeldEffectRecord, HoldEnd
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.scim import ScimUserRecord
from provisioning.storage.registry import registered_ever
from provisioning.storage.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What came of a decision about several held effects."""

    done: int
    left: tuple[str, ...] = ()
    """Why each of the others is still held, in words."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A held effect with everything it is about, locked."""

    row: HeldEffectRecord
    resource: ScimUserRecord
    employee: EmployeeRecord
    source: Source


class HoldService:
    """Approves and rejects what SCIM asked for and a guard stopped."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def approve(self, hold_id: int, actor: Actor, comment: str = "") -> HoldEnd:
        """Do now what is still true of a held effect; returns how it ended.

        Raises:
            NotFoundError: There is no such held effect.
            DecidedError: It was decided or withdrawn before.
            HeldError: Another guard holds it now; it stays held for that reason.
            SeatLimitError: No seat is free and the policy says to reject (L3).
        """
        with self._context.database.write() as session:
            claimed = self._claim(session, hold_id)
            plan = self._planned_afresh(session, claimed)
            if not plan.held:
                end = self._perform(session, claimed, plan, actor, comment)
            else:
                hold(session, self._context, claimed.source, plan.held[0], actor)
        if plan.held:
            raise HeldError(
                f"{claimed.row.who} stays held, now because {claimed.row.reason.sentence}; "
                "nothing was done. Look again."
            )
        WaitingService(self._context).serve()
        return end

    def take_up_braked(self) -> int:
        """Decide anew, by the other guards, what a brake held that is off; returns how many.

        One after the other, as if they were asked for now: the breaker holds what is too many.
        """
        with self._context.database.read() as session:
            if is_on(session, self._context, Brake.NO_DISMISSALS):
                return 0
            ids = session.scalars(
                select(HeldEffectRecord.id)
                .where(
                    HeldEffectRecord.intranet_id == self._context.intranet_id,
                    HeldEffectRecord.reason == HoldReason.BRAKE,
                    OPEN,
                )
                .order_by(HeldEffectRecord.id)
            ).all()
        taken_up = sum(map(self._take_up, ids))
        if taken_up:
            WaitingService(self._context).serve()
        return taken_up

    def _take_up(self, hold_id: int) -> bool:
        try:
            with self._context.database.write() as session:
                claimed = self._claim(session, hold_id)
                plan = self._planned_afresh(session, claimed)
                source, row = claimed.source, claimed.row
                push = Push(session=session, context=self._context, source=source, actor=SYSTEM)
                push.carry_out(plan, row.employee_id)
                if not plan.actions:
                    end_hold(session, self._context, row, HoldEnd.OVERTAKEN, SYSTEM)
        except (DecidedError, StaleWriteError):
            return False
        return True

    def reject(self, hold_id: int, actor: Actor, comment: str) -> None:
        """Refuse a held effect: the resource goes back to what is in effect (D6).

        Raises:
            NotFoundError: There is no such held effect.
            DecidedError: It was decided or withdrawn before.
        """
        now = self._context.now()
        with self._context.database.write() as session:
            claimed = self._claim(session, hold_id)
            row, resource = claimed.row, claimed.resource
            inside = claimed.employee.state is not EmployeeState.DISMISSED
            if resource.hidden_at is None and resource.desired_active is not inside:
                resource.modified_at = now
                set_active(resource, active=inside)
            end_hold(session, self._context, row, HoldEnd.REJECTED, actor, comment)
            if row.kind in REMOVALS:
                rejected = ("rejected", f"by {actor.name}: {comment}")
                report_departed(session, self._context, row, rejected)
            else:
                close_cause(session, self._context, row.employee_id, {row.kind})

    def approve_all(
        self, source: str, reason: HoldReason, number: int, actor: Actor, comment: str = ""
    ) -> Decided:
        """Do everything that is held of a source for one reason; `number` says how many were shown.

        Releasing the breaker so lets its budget start again from zero: what was removed until
        then was looked at, and the next removals are measured against the limits anew (D6).

        Raises:
            NotFoundError: There is no such source.
            HeldError: The people are protected: each of them is decided alone (D4).
            DecidedError: Another number is held; nothing was done.
        """
        if reason is HoldReason.PROTECTED:
            raise HeldError("protected people are approved one by one (D4); nothing was done")
        decided = self._each(
            source, reason, number, lambda hold_id: self.approve(hold_id, actor, comment)
        )
        if reason is HoldReason.BREAKER:
            self._release_breaker(source, actor, comment)
        return decided

    def reject_all(
        self, source: str, reason: HoldReason, number: int, actor: Actor, comment: str
    ) -> Decided:
        """Refuse everything that is held of a source for one reason.

        Raises:
            NotFoundError: There is no such source.
            DecidedError: Another number is held; nothing was done.
        """
        return self._each(
            source, reason, number, lambda hold_id: self.reject(hold_id, actor, comment)
        )

    def _each(
        self, source: str, reason: HoldReason, number: int, decide: Callable[[int], object]
    ) -> Decided:
        ids = self._open_ids(source, reason)
        if len(ids) != number:
            raise DecidedError(
                f"{len(ids):,} are held of {source} for this reason, not {number:,}; "
                "nothing was done. Look again."
            )
        left = []
        for hold_id in ids:
            try:
                decide(hold_id)
            except (HeldError, SeatLimitError, StaleWriteError) as error:
                left.append(str(error))
            except DecidedError:
                continue
        return Decided(done=len(ids) - len(left), left=tuple(left))

    def _open_ids(self, source: str, reason: HoldReason) -> list[int]:
        with self._context.database.read() as session:
            query = select(HeldEffectRecord.id).where(
                HeldEffectRecord.source_id == find_source(session, self._context, source).id,
                HeldEffectRecord.reason == reason,
                OPEN,
            )
            return list(session.scalars(query.order_by(HeldEffectRecord.id)))

    def _release_breaker(self, source: str, actor: Actor, comment: str) -> None:
        with self._context.database.write() as session:
            spent = restart(session, self._context, find_source(session, self._context, source))
            because = f"{actor.name} released the breaker of {source}: {comment or 'no comment'}"
            record(
                session,
                self._context,
                actor,
                "breaker_released",
                f"{because} (D6)",
                before={"spent": spent},
                after={"spent": 0},
            )

    def _claim(self, session: Session, hold_id: int) -> _Claimed:
        """Lock what a decision is about, in the order in which requests do."""
        found = session.get(HeldEffectRecord, hold_id)
        if found is None or found.intranet_id != self._context.intranet_id:
            raise NotFoundError("held effect", hold_id, hint="`usher held` lists them")
        anchor = found.anchor
        resource = locked(session, ScimUserRecord, UUID(anchor))
        if found.reason in (HoldReason.BREAKER, HoldReason.BRAKE):
            queue_removals(session, self._context.intranet_id)
        employee = locked(session, EmployeeRecord, found.employee_id)
        row = locked(session, HeldEffectRecord, hold_id)
        if row is None or employee is None or resource is None or row.end is not None:
            how = row.end.value if row and row.end else HoldEnd.OVERTAKEN.value
            raise DecidedError(f"what was held of {found.who} is {how}; nothing was done")
        if row.anchor != anchor:
            raise StaleWriteError(f"{row.who} was sent anew meanwhile; nothing was done")
        return _Claimed(row, resource, employee, session.get_one(SourceRecord, row.source_id))

    def _planned_afresh(self, session: Session, claimed: _Claimed) -> Plan:
        """Return what the source asks for now, with this hold's reason out of the way."""
        row, source = claimed.row, claimed.source
        there = registered_ever(session, source.id, row.anchor)
        context = requested_now(session, self._context, source, {})
        if there is None:
            return Plan(())
        if row.reason is HoldReason.PROTECTED:
            there = there._replace(protected=False)
            context = replace(context, policy=replace(context.policy, protected=frozenset()))
        elif row.reason is HoldReason.AUTHORITY:
            # The administrator lends the source the authority it lacks.
            there = there._replace(dismissed_by=source.name)
        return plan_one(_as_set(claimed, there), there, context)

    def _perform(
        self, session: Session, claimed: _Claimed, plan: Plan, actor: Actor, comment: str
    ) -> HoldEnd:
        """Do it, uncounted: somebody looked. Nothing left to do means that it came about."""
        row = claimed.row
        end = HoldEnd.APPROVED if plan.actions else HoldEnd.OVERTAKEN
        end_hold(session, self._context, row, end, actor, comment or None)
        provisioner = Provisioner(
            session=session, context=self._context, source=claimed.source, actor=actor
        )
        for action in plan:
            text = f"{action.because.text}; approved by {actor.name}"
            because = Because(action.because.rule, text)
            employee = provisioner.perform(replace(action, because=because, counted=False))
            refuse_if_full(session, self._context, employee)
        return end


def _as_set(claimed: _Claimed, there: RegisteredPerson) -> StagedPerson | None:
    """Return the person as the client last set them; None when it deleted the resource."""
    resource, source = claimed.resource, claimed.source.name
    if resource.hidden_at is not None:
        return None
    id_ = DirectoryId(source, there.anchor)
    person = Person.from_json(id_, json.loads(there.applied))
    active = resource.desired_active
    inactive_reason = "" if active else f"active=false from {source}"
    return StagedPerson(
        there.anchor, "", replace(person, active=active, inactive_reason=inactive_reason)
    )
