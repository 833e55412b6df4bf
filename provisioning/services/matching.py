"""What an administrator says about people nobody could place, done at once (P3, P5).

decision     its effect, by the rules and gates of every door (S3)
-----------  -----------------------------------------------------------------------------
same person  the link, and whatever the source says of them; no login, no contact e-mail
new person   an invitation, or a place in the line
ignore       nothing, now and later; it can be taken back

Whoever decides holds what a push, a run and another administrator need, in their order: the
resource, the turn of newcomers, the question, the employee.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from provisioning.domain.correlation import Candidate
from provisioning.domain.employees import EmployeeState
from provisioning.domain.errors import DecidedError, MatchError, NotFoundError
from provisioning.domain.findings import Finding, FindingKind
from provisioning.domain.matching import Decision
from provisioning.domain.people import DirectoryId, Person
from provisioning.domain.planning import plan_one
from provisioning.domain.snapshots import StagedPerson
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.findings import close_finding, open_finding
from provisioning.services.holding import hold
from provisioning.services.people import linked_employee
from provisioning.services.planning import planning_context
from provisioning.services.provision import Provisioner
from provisioning.services.pushing import refuse_if_full
from provisioning.storage.locks import locked
from provisioning.storage.matches import queued_people, standing_link
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord, MatchRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.scim import ScimUserRecord
from provisioning.storage.newcomers import queue_newcomers

NOTHING = "Nothing was changed."


class MatchingService:
    """Decides about the matching queue."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def decide(
        self,
        match_id: int,
        decision: Decision,
        actor: Actor,
        *,
        employee_id: UUID | None = None,
    ) -> str:
        """Write a decision down and do it; returns what came of it, in words.

        Args:
            match_id: The question.
            decision: The answer.
            actor: Whose answer it is.
            employee_id: Who they are; needed with `same_person`, and with it only.

        Raises:
            NotFoundError: There is no such question (any more), or no such employee.
            DecidedError: Somebody decided before; nothing was changed.
            MatchError: It cannot be done; nothing was changed.
            SeatLimitError: No seat is free and the policy says to reject (L3).
        """
        if (decision is Decision.SAME_PERSON) != (employee_id is not None):
            raise ValueError("an employee is named with same_person, and with it only")
        with self._context.database.write() as session:
            match, source = self._locked(session, match_id)
            who = f"{match.person['display_name']} of {source.name}"
            if match.decision is not None:
                raise DecidedError(
                    f"{match.decided_by} decided about {who} before: "
                    f"{match.decision.replace('_', ' ')}. {NOTHING}"
                )
            named = ""
            if employee_id is not None:
                named = self._takeable(session, source, match, employee_id).display_name
            match.decision, match.decided_employee_id = decision, employee_id
            match.decided_by, match.decided_at = actor.name, self._context.now()
            session.flush()
            because = _words(decision, who, named)
            self._record(session, match, source, actor, "match_decided", because)
            close_finding(session, self._context, match.anchor, FindingKind.DUPLICATE_PERSON)
            if decision is Decision.IGNORE:
                return f"{who} is ignored from now on"
            employee = self._perform(session, match, source, actor)
            return _outcome(who, employee, named)

    def reopen(self, match_id: int, actor: Actor) -> None:
        """Take an ignoring back: the question is open again; nothing else happens.

        Raises:
            NotFoundError: There is no such question (any more).
            MatchError: Something was done because of the decision; it cannot be taken back.
        """
        with self._context.database.write() as session:
            match, source = self._locked(session, match_id)
            who = f"{match.person['display_name']} of {source.name}"
            if match.decision is None:
                raise MatchError(f"The question about {who} is open. {NOTHING}")
            if match.decision is not Decision.IGNORE:
                raise MatchError(
                    f"{match.decided_by} decided that {who} is a "
                    f"{match.decision.replace('_', ' ')}, and that was done: it cannot be taken "
                    f"back. {NOTHING}"
                )
            because = f"{actor.name} asks again who {who} is (P5)"
            self._record(session, match, source, actor, "match_reopened", because)
            match.decision = match.decided_by = match.decided_at = None
            evidence = (("because", match.because),)
            kind = FindingKind.DUPLICATE_PERSON
            open_finding(
                session,
                self._context,
                Finding(kind=kind, subject=match.anchor, evidence=evidence),
                who=match.person["user_name"],
                source_id=source.id,
            )

    def _locked(self, session: Session, match_id: int) -> tuple[MatchRecord, SourceRecord]:
        """Return a question that nobody else can decide, answer or withdraw until the end."""
        row = session.execute(
            select(MatchRecord, SourceRecord)
            .join(SourceRecord, SourceRecord.id == MatchRecord.source_id)
            .where(
                MatchRecord.id == match_id,
                SourceRecord.intranet_id == self._context.intranet_id,
            )
        ).one_or_none()
        if row is not None:
            found: tuple[MatchRecord, SourceRecord] = (row[0], row[1])
            if found[1].kind == "scim":
                locked(session, ScimUserRecord, UUID(found[0].anchor))
            queue_newcomers(session, self._context.intranet_id)
            match = session.get(MatchRecord, match_id, populate_existing=True)
            if match is not None and not _is_settled(session, match):
                return match, found[1]
        hint = "it was settled meanwhile, or the person left. Nothing was changed"
        raise NotFoundError("open question", match_id, hint=hint)

    def _takeable(
        self, session: Session, source: SourceRecord, match: MatchRecord, employee_id: UUID
    ) -> EmployeeRecord:
        """Return the named employee, unless another present person of the source is them (P3)."""
        employee = locked(session, EmployeeRecord, employee_id)
        if employee is None or employee.intranet_id != self._context.intranet_id:
            hint = "they were removed meanwhile. Nothing was changed"
            raise NotFoundError("employee", employee_id, hint=hint)
        other = session.scalars(
            select(LinkRecord).where(
                LinkRecord.source_id == source.id,
                LinkRecord.employee_id == employee_id,
                LinkRecord.anchor != match.anchor,
                LinkRecord.hidden.is_(False),
            )
        ).first()
        if other is not None and not _is_gone(source, match, employee, other):
            raise MatchError(
                f"{employee.display_name} is linked to {other.user_name} of {source.name} "
                f"({other.anchor}), who is there: two people of one source cannot be one "
                f"employee. {NOTHING}"
            )
        return employee

    def _perform(
        self, session: Session, match: MatchRecord, source: SourceRecord, actor: Actor
    ) -> EmployeeRecord:
        """Do what the decision asks for, by the door every person comes through (S3)."""
        person = Person.from_json(DirectoryId(source.name, match.anchor), match.person)
        queue = queued_people(session, source.id, anchor=match.anchor)
        context = planning_context(session, self._context, source, queue=queue)
        door = Provisioner(session=session, context=self._context, source=source, actor=actor)
        for action in plan_one(StagedPerson(match.anchor, "", person), None, context):
            if action.held is None:
                refuse_if_full(session, self._context, door.perform(action))
            elif source.kind == "scim":
                # A run shows what it holds in its plan; a push has none.
                hold(session, self._context, source, action, actor)
        session.flush()
        who = linked_employee(session, source, match.anchor)
        if who is None:
            raise MatchError(
                f"{person.display_name} is not active in {source.name} any more. {NOTHING}"
            )
        if source.kind == "scim":
            session.execute(
                update(ScimUserRecord)
                .where(ScimUserRecord.id == UUID(match.anchor))
                .values(employee_id=who)
            )
        return session.get_one(EmployeeRecord, who)

    def _record(
        self,
        session: Session,
        match: MatchRecord,
        source: SourceRecord,
        actor: Actor,
        kind: str,
        because: str,
    ) -> None:
        after = {
            "source": source.name,
            "directory_id": match.anchor,
            "decision": match.decision,
            "candidates": match.candidates,
        }
        record(session, self._context, actor, kind, because, after=after)


def _is_settled(session: Session, match: MatchRecord) -> bool:
    """Whether they were placed without a decision."""
    linked = standing_link(session, match.source_id, match.anchor) is not None
    return match.decision is None and linked


def _is_gone(
    source: SourceRecord, match: MatchRecord, employee: EmployeeRecord, other: LinkRecord
) -> bool:
    """Whether the entry an employee is linked to was not there when the source was last read."""
    if source.kind == "scim":
        return False
    dismissed = employee.state is EmployeeState.DISMISSED
    if other.missing_since or (dismissed and employee.dismissed_by_source == source.name):
        return True
    seen = map(Candidate.from_json, match.candidates)
    absent = any(one.employee == str(employee.id) and not one.linked_here for one in seen)
    return absent and other.linked_at < match.opened_at


def _words(decision: Decision, who: str, named: str) -> str:
    if named:
        return f"{who} is {named} (P5)"
    if decision is Decision.NEW_PERSON:
        return f"{who} is nobody who is here (P5)"
    return f"{who} is to be ignored (P5)"


def _outcome(who: str, employee: EmployeeRecord, named: str) -> str:
    state = employee.state.value
    if named:
        return f"{who} is linked to {named}, who is {state}"
    return f"{who} is {state} because {employee.because}"
