"""One action of a plan becomes rows, a seat, an event and a letter, in one transaction (S3).

Every door comes through here: runs, SCIM requests, pages and commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from provisioning.domain.actions import LINKING, Action, ActionKind
from provisioning.domain.deciding import must_invite_anew
from provisioning.domain.employees import Change, EmployeeState, WaitingReason
from provisioning.domain.findings import Finding, FindingKind
from provisioning.domain.people import Person
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.departures import count_removal, depart_employee
from provisioning.services.findings import close_answered, open_finding, refresh
from provisioning.services.invitations import (
    FIRST_APPROVAL,
    end_invitation,
    open_invitation,
    open_invitation_of,
)
from provisioning.services.match_queue import ask
from provisioning.services.people import (
    ADDRESSED,
    REMEMBER,
    apply_person,
    decides_on_mail,
    new_employee,
)
from provisioning.services.seats import free_seat, take_seat
from provisioning.services.standing import load_employee
from provisioning.services.states import move
from provisioning.storage.bindings import account_of
from provisioning.storage.core import execute
from provisioning.storage.managers import resolve_managers
from provisioning.storage.matches import forget_question
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.sources import Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioner:
    """Performs actions for one source in one transaction."""

    session: Session
    context: ServiceContext
    source: Source
    actor: Actor
    run_id: int | None = None
    mapping_version: str = ""
    planned_at: datetime | None = None
    """When the registry was looked at; None: in this very transaction."""

    first_heard: bool = False
    """Whether nobody had heard of these people before: nothing is open about them."""

    def perform(self, action: Action) -> EmployeeRecord | None:
        """Do what the action says; returns the employee, or None if there is none (any more).

        Raises:
            StaleWriteError: The employee is not what planning saw; nothing was done.
        """
        employee = load_employee(self.session, self.context, self.source, action, self.planned_at)
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
            refresh(self.session, self.context, employee, newcomer=self._is_unheard_of(action))
        return employee

    def _seat(self, action: Action, employee: EmployeeRecord | None) -> EmployeeRecord:
        """Invite, hire back or let wait: one seat, or a place in the line (L2, L3)."""
        person = _required(action.person)
        before = _state(employee)
        seated = action.kind is not ActionKind.WAIT and take_seat(self.session, self.context)
        if employee is None:
            change = Change.INVITE if seated else Change.WAIT
            employee = new_employee(self.session, self.context, person, change)
        elif not seated:
            self._wait(employee)
        else:
            returns = action.kind is ActionKind.HIRE_BACK and account_of(self.session, employee.id)
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
        now = employee.state.value
        self._record(employee, now, action, {"state": before}, state=now)
        return employee

    def _is_unheard_of(self, action: Action) -> bool:
        """Whether neither the person nor an employee of theirs was known: no finding is open."""
        return self.first_heard and action.employee is None

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
        again_at = person.mail if anew else None
        if again_at and decides_on_mail(self.session, self.context, self.source, employee):
            end_invitation(self.session, self.context, employee.id, "replaced")
            self._invite(employee, again_at)
        if action.because.rule in LINKING:
            facts = {"source": self.source.name, "directory_id": action.id.value}
            self._record(employee, "linked", action, None, **facts)
        else:
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
            ask(self.session, self.context, self.source, action)
        elif kind is not FindingKind.UNREADABLE_ENTRY:
            employee = self._register(action, employee)
        about_employee = employee is not None and kind is not FindingKind.UNREADABLE_ENTRY
        subject = str(_required(employee).id) if about_employee else action.id.value
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

    def _register(self, action: Action, employee: EmployeeRecord | None) -> EmployeeRecord:
        """Record somebody who cannot be invited: waiting, with the reason (I1)."""
        person, before = _required(action.person), _state(employee)
        if employee is None:
            employee = new_employee(self.session, self.context, person, Change.WAIT)
        self._wait(employee)
        self._write_person(action, employee, person)
        employee.state_reason = action.reason
        employee.because = str(action.because)
        self._record(employee, "flagged", action, {"state": before}, state=_state(employee))
        return employee

    def _write_person(self, action: Action, employee: EmployeeRecord, person: Person) -> bool:
        """Write what the source says; returns whether findings from addresses may be others now."""
        self.session.flush()
        changed = {change.name for change in action.changes}
        touches = not changed or not changed.isdisjoint(ADDRESSED)
        stands = not self._is_unheard_of(action) and close_answered(
            self.session, self.context, employee, person
        )
        if self.planned_at is not None and not action.changes:
            forget_question(self.session, self.source.id, action.id.value)
        apply_person(
            self.session,
            self.context,
            employee,
            self.source,
            person,
            raw_hash=action.raw_hash,
            mapping_version=self.mapping_version,
            addresses=touches,
            newcomer=action.employee is None and not action.decided,
            withdrawn=frozenset(one.name for one in action.changes if one.new is None),
        )
        if self.run_id is None and self._may_manage(action, person):
            owner = self.context.policy.owner_of("manager")
            resolve_managers(self.session, self.source.id, person.id.value, owner)
        return touches or stands

    def _may_manage(self, action: Action, person: Person) -> bool:
        """Whether somebody's manager may be another by what is written of one person.

        A run looks at its end, when everybody has come.
        """
        if action.changes:
            return any(change.name in ("manager", "where") for change in action.changes)
        return not self.first_heard or person.manager is not None

    def _record(
        self,
        employee: EmployeeRecord,
        kind: str,
        action: Action,
        before: dict[str, object] | None,
        **facts: object,
    ) -> None:
        """Write the event; one of a changed state has it before and after, no other has it."""
        after = facts | {change.name: change.new for change in action.changes}
        record(
            self.session,
            self.context,
            self.actor,
            kind,
            str(action.because),
            employee_id=employee.id,
            before=before,
            after=after,
            run_id=self.run_id,
        )


def _state(employee: EmployeeRecord | None) -> str | None:
    return employee.state.value if employee else None


def _addressed(employee: EmployeeRecord) -> tuple[object, ...]:
    """Return what findings from addresses see of an employee's own columns."""
    return employee.state, employee.contact_email, employee.mailbox, employee.display_name


def _required(value: T | None) -> T:
    """Return what an action of this kind always has."""
    if value is None:
        raise ValueError("the action lacks what its kind needs")
    return value
