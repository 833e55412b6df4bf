"""What has to happen for one person: the rules of planning, one pair at a time (S3).

`decide` sees one entry of the source and one employee of the registry, either of which may
be missing, and yields actions. Seats and limits come after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from provisioning.domain.actions import (
    Action,
    ActionKind,
    Because,
    EmployeeRef,
    FieldChange,
    HoldReason,
    differences,
)
from provisioning.domain.addresses import address_key
from provisioning.domain.context import PlanningContext
from provisioning.domain.correlation import Disputed, Linked, correlate
from provisioning.domain.departing import DISABLED, LEFT, Departure, depart, employee_ref
from provisioning.domain.employees import SERVED_BY_ITSELF, EmployeeState, WaitingReason
from provisioning.domain.findings import FindingKind
from provisioning.domain.matching import Chosen, Decision, Queued, evidence_of
from provisioning.domain.people import DirectoryId, Person
from provisioning.domain.snapshots import RegisteredPerson, StagedPerson


def decide(
    here: StagedPerson | None, there: RegisteredPerson | None, context: PlanningContext
) -> Iterator[Action]:
    """Yield what has to happen for one person, by the table of `planning`."""
    if here is None:
        if there is not None:
            yield from depart(there, Departure(LEFT, f"no longer in {context.source}"), context)
    elif here.problem is not None:
        yield from _unreadable(here, there, context)
    elif here.person is not None and there is not None:
        yield from _known(here.person, here.raw_hash, there, context)
    elif here.person is not None and here.person.is_active_at(context.now):
        yield from _unlinked(here.person, here.raw_hash, context)


def _unlinked(person: Person, raw_hash: str, context: PlanningContext) -> Iterator[Action]:
    queued = context.queue.get(person.id.value, Queued())
    if queued.decision is not None:
        for action in _decided(person, raw_hash, queued, context):
            yield replace(action, decided=True)
        return
    match = correlate(context.hits(person), context.policy)
    if isinstance(match, Linked):
        yield from _adopt(person, raw_hash, match, context)
    elif isinstance(match, Disputed):
        if queued.evidence != evidence_of(match.candidates):
            because = Because("P3", f"{match.sentence}; nobody was invited")
            kind = FindingKind.DUPLICATE_PERSON
            question = _action(ActionKind.FLAG, person, raw_hash, because, finding=kind)
            yield replace(question, candidates=match.candidates)
    else:
        yield _newcomer(person, raw_hash, context, employee=None)


def _decided(
    person: Person, raw_hash: str, queued: Queued, context: PlanningContext
) -> Iterator[Action]:
    """Do what an administrator said about them, by the table of `matching` (P5)."""
    if queued.chosen is not None:
        because = Because("P5", f"is {queued.chosen.name}: {queued.by} decided")
        yield from _link(person, raw_hash, queued.chosen, because, context)
    elif queued.decision is Decision.NEW_PERSON:
        action = _newcomer(person, raw_hash, context, employee=None)
        text = f"{action.because.text}; {queued.by} decided: nobody here is the same person"
        yield replace(action, because=Because("P5", text))


def _newcomer(
    person: Person, raw_hash: str, context: PlanningContext, employee: EmployeeRef | None
) -> Action:
    if person.mail is None:
        kind, reason = FindingKind.NO_USABLE_ADDRESS, WaitingReason.NO_USABLE_ADDRESS
        text = f"{context.source} gives no usable mail address"
    elif not context.policy.may_write_to(person.mail):
        kind, reason = FindingKind.UNVERIFIED_DOMAIN, WaitingReason.UNVERIFIED_DOMAIN
        text = f"{person.mail} lies outside the verified domains"
    else:
        because = Because("I1", f"new in {context.source}, {person.mail} is the corporate address")
        return _action(ActionKind.INVITE, person, raw_hash, because, employee=employee)
    return _action(
        ActionKind.FLAG,
        person,
        raw_hash,
        Because("I1", text),
        employee=employee,
        finding=kind,
        reason=reason.value,
    )


def _adopt(
    person: Person, raw_hash: str, match: Linked, context: PlanningContext
) -> Iterator[Action]:
    hit = match.hit
    if hit.employee_id is None or hit.state is None:
        raise ValueError("only an employee can be linked")
    employee = EmployeeRef(
        id=hit.employee_id, version=hit.version, state=hit.state.value, bound=hit.bound
    )
    chosen = Chosen(employee=employee, name=hit.name, dismissed_by=hit.dismissed_by)
    because = Because("P2", f"is {hit.name} by {', '.join(key.words for key in match.keys)}")
    yield from _link(person, raw_hash, chosen, because, context)


def _link(
    person: Person, raw_hash: str, chosen: Chosen, because: Because, context: PlanningContext
) -> Iterator[Action]:
    employee = chosen.employee
    if employee.state != EmployeeState.DISMISSED:
        # Why somebody waits is not known here: without a hash the next reading asks (I1, I4).
        remembered = "" if employee.state == EmployeeState.WAITING else raw_hash
        yield _action(ActionKind.UPDATE, person, remembered, because, employee=employee)
        return
    back = _return(person, raw_hash, employee, chosen.dismissed_by, context)
    if back.held:
        # Without a hash the next reading looks at them again, and their return stays in the plan.
        yield _action(ActionKind.UPDATE, person, "", because, employee=employee)
        yield back
    else:
        text = f"{because.text}; {back.because.text}"
        yield replace(back, because=Because(because.rule, text))


def _known(
    person: Person, raw_hash: str, there: RegisteredPerson, context: PlanningContext
) -> Iterator[Action]:
    if not person.is_active_at(context.now):
        text = person.inactive_reason or f"disabled in {context.source}"
        yield from depart(there, Departure(DISABLED, text, person, raw_hash), context)
        return
    changes = differences(there.applied, person)
    employee = employee_ref(there)
    asked = _asked_by_facts(person, raw_hash, there, changes, context)
    if asked is not None:
        yield asked
        return
    back = None
    if there.state == EmployeeState.DISMISSED:
        back = _return(person, raw_hash, employee, there.dismissed_by, context)
    held = back is not None and back.held is not None
    if changes and (back is None or held):
        yield _action(
            ActionKind.UPDATE,
            person,
            "" if held else raw_hash,  # as in _adopt
            _why_update(person, there, changes, context),
            employee=employee,
            changes=changes,
        )
    if back is not None:
        yield back if held else replace(back, changes=changes)


def _return(
    person: Person,
    raw_hash: str,
    employee: EmployeeRef,
    dismissed_by: str | None,
    context: PlanningContext,
) -> Action:
    """Hire back by the authority that dismissed; anybody else's word is held (S6, S7).

    Without an account they have to be invited again, and that needs an address (I1).
    """
    ours = dismissed_by == context.source
    if ours and not employee.bound:
        invited = _newcomer(person, raw_hash, context, employee)
        if invited.kind is ActionKind.FLAG:
            return invited
    if ours:
        because = Because("S6", f"active again in {context.source}")
    else:
        because = Because(
            "S7", f"{context.source} vouches, but {dismissed_by or 'an administrator'} dismissed"
        )
    return _action(
        ActionKind.HIRE_BACK,
        person,
        raw_hash,
        because,
        employee=employee,
        held=None if ours else HoldReason.AUTHORITY,
    )


def _asked_by_facts(
    person: Person,
    raw_hash: str,
    there: RegisteredPerson,
    changes: tuple[FieldChange, ...],
    context: PlanningContext,
) -> Action | None:
    """Return the invitation, or the want of an address, that follows from what is said now.

    where they stand          the address now    action
    ------------------------  -----------------  -------------------------------------
    waiting for an address    may be written to  invite (I1)
    waiting for an address    another obstacle   flag it
    lapsed, with a new fact   may be written to  invite (I4)
    lapsed, with a new fact   may not            flag it
    in the line, unbound      may not            flag it: no letter could reach them (I1)
    taken out of the line     any                nothing: an administrator said so (L3)
    invited, mail changed     foreign domain     flag it: revoked, not written to (I5)
    """
    decided = _newcomer(person, raw_hash, context, employee_ref(there))
    unreachable = decided.kind is ActionKind.FLAG
    if there.state == EmployeeState.INVITED:
        moved = must_invite_anew(person, changes, there.state, there.invited_address)
        asked = unreachable and moved
    elif there.state != EmployeeState.WAITING or there.state_reason == WaitingReason.TAKEN_OUT:
        asked = False
    elif there.state_reason in SERVED_BY_ITSELF:
        asked = unreachable and not there.bound
    else:
        news = there.state_reason != WaitingReason.LAPSED or bool(changes)
        asked = news and decided.reason != there.state_reason
    return replace(decided, changes=changes) if asked else None


def _why_update(
    person: Person,
    there: RegisteredPerson,
    changes: Sequence[FieldChange],
    context: PlanningContext,
) -> Because:
    if must_invite_anew(person, changes, there.state, there.invited_address):
        return Because("I5", f"the directory mail became {person.mail} before acceptance")
    names = ", ".join(change.name for change in changes)
    return Because("P1", f"{context.source} changed {names}")


def must_invite_anew(
    person: Person, changes: Sequence[FieldChange], state: str, invited_address: str | None
) -> bool:
    """Whether the mail changed while an invitation to another address is open (I5).

    A mail that is taken away changes nothing: the old address may still be read.
    """
    return (
        state == EmployeeState.INVITED
        and invited_address is not None
        and person.mail is not None
        and any(change.name == "mail" for change in changes)
        and address_key(invited_address) != address_key(person.mail)
    )


def _unreadable(
    here: StagedPerson, there: RegisteredPerson | None, context: PlanningContext
) -> Iterator[Action]:
    if (FindingKind.UNREADABLE_ENTRY, here.anchor) not in context.flagged:
        yield Action(
            kind=ActionKind.FLAG,
            id=DirectoryId(context.source, here.anchor),
            who=there.display_name if there else here.anchor,
            because=Because("E3", here.problem or "unreadable"),
            employee=employee_ref(there) if there else None,
            finding=FindingKind.UNREADABLE_ENTRY,
        )


def _action(  # noqa: PLR0913 - an action's own fields
    kind: ActionKind,
    person: Person,
    raw_hash: str,
    because: Because,
    *,
    employee: EmployeeRef | None = None,
    changes: tuple[FieldChange, ...] = (),
    finding: FindingKind | None = None,
    reason: str = "",
    held: HoldReason | None = None,
) -> Action:
    return Action(
        kind=kind,
        id=person.id,
        who=person.user_name,
        because=because,
        person=person,
        employee=employee,
        changes=changes,
        finding=finding,
        reason=reason,
        held=held,
        raw_hash=raw_hash,
    )
