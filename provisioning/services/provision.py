"""One action of a plan becomes rows, a seat, an event and a letter, in one transaction (S3).

Every door comes through here: runs, SCIM requests, pages and commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from provisioning.domain.actions import Action, ActionKind
from provisioning.domain.deciding import must_invite_anew
from provisioning.domain.employees import Change, EmployeeState, WaitingReason
from provisioning.domain.errors import StaleWriteError
from provisioning.domain.findings import Finding, FindingKind
from provisioning.domain.people import Person
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.departures import count_removal, depart_employee
from provisioning.services.findings import close_answered, open_finding, refresh
from provisioning.services.holding import BACK, RETURNS, overtake
from provisioning.services.invitations import (
    FIRST_APPROVAL,
    end_invitation,
    open_invitation,
    open_invitation_of,
)
from provisioning.services.people import ADDRESSED, REMEMBER, apply_person, new_employee, owns
from provisioning.services.seats import free_seat, take_seat
from provisioning.services.states import move
from provisioning.storage.core import execute
from provisioning.storage.locks import locked
from provisioning.storage.models.accounts import BindingRecord
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord, MatchRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.newcomers import arrived_elsewhere, queue_newcomers

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioner:
    """Performs actions for one source in one transaction."""

    session: Session
    context: ServiceContext
    source: SourceRecord
    actor: Actor
    run_id: int | None = None
    mapping_version: str = ""
    planned_at: datetime | None = None
    """When the registry was looked at; None: in this very transaction."""

    def perform(self, action: Action) -> EmployeeRecord | None:
        """Do what the action says; returns the employee, or None if there is none (any more).

        Raises:
            StaleWriteError: The employee is not what planning saw; nothing was done.
        """
        employee = self._load(action)
        match action.kind:
            case ActionKind.DISMISS | ActionKind.REVOKE:
                return self._remove(action, _required(employee))
            case ActionKind.FLAG:
                employee = self._flag(action, employee)
            case ActionKind.UPDATE:
                if not self._update(action, _required(employee)):
                    return employee
            case _:
                employee = self._seat(action, employee)
        if employee is not None:
            self.session.flush()
            refresh(self.session, self.context, [employee.id])
        return employee

    def _load(self, action: Action) -> EmployeeRecord | None:
        if action.employee is None:
            self._require_unlinked(action)
            return None
        employee = locked(self.session, EmployeeRecord, action.employee.id)
        if employee is None or employee.version != action.employee.version:
            raise StaleWriteError(f"{action.who} was changed by somebody else meanwhile")
        if employee.state is EmployeeState.DISMISSED and action.kind in BACK:
            overtake(self.session, self.context, employee.id, RETURNS)
        return employee

    def _require_unlinked(self, action: Action) -> None:
        if self.planned_at is None:
            return  # looked at in this very transaction; the link's key is the wall behind it
        self._require_new(action, self.planned_at)
        if self.session.get(LinkRecord, (self.source.id, action.id.value)) is not None:
            raise StaleWriteError(f"{action.who} was linked by somebody else meanwhile")

    def _require_new(self, action: Action, planned_at: datetime) -> None:
        """Refuse a newcomer whom another source brought since the plan was made (P3)."""
        queue_newcomers(self.session, self.context.intranet_id)
        if action.person is None or action.finding is FindingKind.DUPLICATE_PERSON:
            return
        policy = self.context.policy
        if arrived_elsewhere(self.session, self.source, action.person, policy, planned_at):
            raise StaleWriteError(f"{action.who} arrived through another source meanwhile")

    def _seat(self, action: Action, employee: EmployeeRecord | None) -> EmployeeRecord:
        """Invite, hire back or let wait: one seat, or a place in the line (L2, L3)."""
        person = _required(action.person)
        before = employee.state.value if employee else None
        seated = action.kind is not ActionKind.WAIT and take_seat(self.session, self.context)
        if employee is None:
            change = Change.INVITE if seated else Change.WAIT
            employee = new_employee(self.session, self.context, person, change)
        elif not seated:
            self._wait(employee)
        else:
            bound = self.session.get(BindingRecord, employee.id) is not None
            returns = bound and action.kind is ActionKind.HIRE_BACK
            move(employee, Change.RETURN if returns else Change.INVITE, self.context.now())
        employee.because = str(action.because)
        if seated:
            employee.waiting_since = None
            employee.dismissed_at = employee.dismissed_by_source = None
        else:
            hired_back = before == EmployeeState.DISMISSED
            reason = WaitingReason.HIRED_BACK if hired_back else WaitingReason.NO_SEAT
            employee.state_reason = reason.value
            employee.waiting_since = employee.waiting_since or self.context.now()
        if employee.state is EmployeeState.INVITED:
            self._invite(employee, _required(person.mail))
        self._write_person(action, employee, person)
        self._record(employee, employee.state.value, action, {"state": before})
        return employee

    def _wait(self, employee: EmployeeRecord) -> None:
        """Let somebody wait who cannot be invited, or not where they were (I5, L3)."""
        if employee.state is EmployeeState.DISMISSED:
            move(employee, Change.WAIT, self.context.now())
        elif employee.state is EmployeeState.INVITED:
            end_invitation(self.session, self.context, employee.id, "revoked")
            move(employee, Change.LOSE_ADDRESS, self.context.now())
            free_seat(self.session, self.context)

    def _invite(self, employee: EmployeeRecord, address: str) -> None:
        open_invitation(
            self.session,
            self.context,
            employee,
            address,
            hold_reason=None if self.source.is_released else FIRST_APPROVAL,
        )

    def _update(self, action: Action, employee: EmployeeRecord) -> bool:
        """Write what changed; returns whether findings from addresses have to be looked at."""
        person = _required(action.person)
        before = _addressed(employee)
        mail_changed = any(change.name == "mail" for change in action.changes)
        invitation = open_invitation_of(self.session, employee.id) if mail_changed else None
        address = invitation.address if invitation else None
        touched = self._write_person(action, employee, person)
        anew = must_invite_anew(person, action.changes, employee.state, address)
        if anew and person.mail and owns(self.session, self.source, employee):
            end_invitation(self.session, self.context, employee.id, "replaced")
            self._invite(employee, person.mail)
        old = {change.name: change.old for change in action.changes}
        self._record(employee, "updated", action, old)
        return touched or before != _addressed(employee)

    def _remove(self, action: Action, employee: EmployeeRecord) -> EmployeeRecord | None:
        if action.counted:
            door = self.actor.door
            count_removal(self.session, self.context, self.source.id, employee.id, door)
        kept = depart_employee(
            self.session,
            self.context,
            employee,
            self.actor,
            str(action.because),
            source=self.source.name,
            reason=action.reason,
            run_id=self.run_id,
        )
        if not kept:
            return None
        # An empty hash makes the next reading look at them, should they come back as they were.
        execute(
            self.session,
            REMEMBER,
            this_source_id=self.source.id,
            this_anchor=action.id.value,
            raw_hash=action.raw_hash,
            mapping_version=self.mapping_version,
        )
        return employee

    def _flag(self, action: Action, employee: EmployeeRecord | None) -> EmployeeRecord | None:
        kind = _required(action.finding)
        if action.marks_missing:
            self._mark_missing(action, _required(employee))
        elif kind is FindingKind.DUPLICATE_PERSON:
            self._queue_match(action)
        elif kind is not FindingKind.UNREADABLE_ENTRY:
            employee = self._register(action, employee)
        subject = action.id.value if employee is None else str(employee.id)
        if kind is FindingKind.UNREADABLE_ENTRY:
            subject = action.id.value
        open_finding(
            self.session,
            self.context,
            Finding(kind=kind, subject=subject, evidence=(("because", action.because.text),)),
            who=action.who,
            employee_id=employee.id if employee else None,
            source_id=self.source.id,
        )
        return employee

    def _mark_missing(self, action: Action, employee: EmployeeRecord) -> None:
        """Write down that a source ceased to vouch; it counts tonight (D2, D5)."""
        link = self.session.get_one(LinkRecord, (self.source.id, action.id.value))
        link.missing_since, link.missing_counted = self.context.today(), action.counted
        if action.counted:
            door = self.actor.door
            count_removal(self.session, self.context, self.source.id, employee.id, door)
        self._record(employee, "missing", action, None)

    def _queue_match(self, action: Action) -> None:
        key = (self.source.id, action.id.value)
        if self.session.get(MatchRecord, key) is None:
            self.session.add(
                MatchRecord(
                    source_id=self.source.id,
                    anchor=action.id.value,
                    name=action.who,
                    candidates=[{"evidence": action.because.text}],
                    opened_at=self.context.now(),
                )
            )

    def _register(self, action: Action, employee: EmployeeRecord | None) -> EmployeeRecord:
        """Record somebody who cannot be invited: waiting, with the reason (I1)."""
        person = _required(action.person)
        if employee is None:
            employee = new_employee(self.session, self.context, person, Change.WAIT)
        self._wait(employee)
        self._write_person(action, employee, person)
        employee.state_reason = action.reason
        employee.because = str(action.because)
        self._record(employee, "flagged", action, None)
        return employee

    def _write_person(self, action: Action, employee: EmployeeRecord, person: Person) -> bool:
        """Write what the source says; returns whether findings from addresses may be others now."""
        self.session.flush()
        changed = {change.name for change in action.changes}
        touches = not changed or not changed.isdisjoint(ADDRESSED)
        stands = close_answered(self.session, self.context, employee, person)
        apply_person(
            self.session,
            self.context,
            employee,
            self.source,
            person,
            raw_hash=action.raw_hash,
            mapping_version=self.mapping_version,
            addresses=touches,
            newcomer=action.employee is None,
        )
        return touches or stands

    def _record(
        self,
        employee: EmployeeRecord,
        kind: str,
        action: Action,
        before: dict[str, object] | None,
    ) -> None:
        after: dict[str, object] = {change.name: change.new for change in action.changes}
        record(
            self.session,
            self.context,
            self.actor,
            kind,
            str(action.because),
            employee_id=employee.id,
            before=before,
            after=after | {"state": employee.state.value},
            run_id=self.run_id,
        )


def _addressed(employee: EmployeeRecord) -> tuple[object, ...]:
    """Return what findings from addresses see of an employee's own columns."""
    return employee.state, employee.contact_email, employee.mailbox, employee.display_name


def _required(value: T | None) -> T:
    """Return what an action of this kind always has."""
    if value is None:
        raise ValueError("the action lacks what its kind needs")
    return value
