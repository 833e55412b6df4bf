"""The matching queue as doors fill and empty it, each in its own transaction (P3, E5)."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from provisioning.domain.actions import Action
from provisioning.domain.findings import FindingKind
from provisioning.domain.matching import Decision
from provisioning.domain.people import Person
from provisioning.services.context import ServiceContext
from provisioning.services.findings import close_finding
from provisioning.storage.matches import (
    find_match,
    forget_question,
    gone_from_queue,
    keep_person,
    keep_reading,
)
from provisioning.storage.models.employees import MatchRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunRecord
from provisioning.storage.newcomers import queue_newcomers
from provisioning.storage.sources import Source


def ask(session: Session, context: ServiceContext, source: Source, action: Action) -> None:
    """Put somebody into the queue, or renew the evidence of who is in it (P3).

    A decision for an employee who is gone is taken back: the question is open again.
    """
    if action.person is None:
        raise ValueError("a question is about a person")
    match = find_match(session, source.id, action.id.value)
    if match is None:
        match = MatchRecord(source_id=source.id, anchor=action.id.value, opened_at=context.now())
        session.add(match)
    match.person = action.person.to_json()
    match.candidates = [one.to_json() for one in action.candidates]
    match.because = action.because.text
    match.decision = match.decided_employee_id = match.decided_by = match.decided_at = None


def see_pushed(
    session: Session,
    context: ServiceContext,
    source: Source,
    person: Person | None,
    anchor: str,
    *,
    placed: bool,
) -> None:
    """Note what a push says of somebody in the queue: they are described anew, or out of it.

    Args:
        session: The transaction.
        context: The intranet.
        source: Who pushes.
        person: As described now; None when the resource is deleted.
        anchor: The resource's id.
        placed: Whether they are an employee by now.
    """
    if person is not None:
        keep_person(session, source.id, person)
    if placed or person is None or not person.active:
        forget(session, context, source, anchor)
    if person is None:
        # A deleted resource never comes back under its id: nothing is left to honour.
        session.execute(
            delete(MatchRecord).where(
                MatchRecord.source_id == source.id,
                MatchRecord.anchor == anchor,
                MatchRecord.decision == Decision.IGNORE,
            ),
            execution_options={"synchronize_session": False},
        )


def see_reading(session: Session, context: ServiceContext, run: RunRecord) -> None:
    """Note what a complete reading says of the people in the queue; who left is out of it (E5)."""
    queue_newcomers(session, context.intranet_id)
    source = session.get_one(SourceRecord, run.source_id)
    keep_reading(session, run.id, source.id)
    if (run.proof or {}).get("removals_proven"):
        gone = gone_from_queue(session, run.id, source.id)
        forget(session, context, source, *gone)


def forget(session: Session, context: ServiceContext, source: Source, *anchors: str) -> None:
    """Withdraw questions whose cause is gone, and their findings (E5)."""
    for anchor in anchors:
        forget_question(session, source.id, anchor)
        close_finding(session, context, anchor, FindingKind.DUPLICATE_PERSON)
