"""The matching queue as rows: read by planning, kept up to date by what planning finds (P3)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from provisioning.domain.actions import EmployeeRef
from provisioning.domain.correlation import Candidate
from provisioning.domain.matching import Chosen, Decision, Queued, evidence_of
from provisioning.domain.people import Person
from provisioning.storage.core import execute, this
from provisioning.storage.models.accounts import BindingRecord
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord, MatchRecord
from provisioning.storage.models.runs import RunPersonRecord

_DECISION = (
    select(MatchRecord.decision, EmployeeRecord.id)
    .outerjoin(EmployeeRecord, EmployeeRecord.id == MatchRecord.decided_employee_id)
    .where(this(MatchRecord.source_id), this(MatchRecord.anchor))
)
_QUESTION = delete(MatchRecord).where(
    this(MatchRecord.source_id), this(MatchRecord.anchor), MatchRecord.decision.is_(None)
)
_STANDING = select(LinkRecord.employee_id).where(
    this(LinkRecord.source_id), this(LinkRecord.anchor), LinkRecord.hidden.is_(False)
)


def find_match(session: Session, source_id: UUID, anchor: str) -> MatchRecord | None:
    """Return what the queue holds about a person, as it is in the database now."""
    return session.scalars(
        select(MatchRecord).where(MatchRecord.source_id == source_id, MatchRecord.anchor == anchor),
        execution_options={"populate_existing": True},
    ).one_or_none()


def queued_people(
    session: Session, source_id: UUID, *, anchor: str | None = None
) -> dict[str, Queued]:
    """Return the queue of a source by anchor, or what it holds about one person.

    A decision for an employee who is gone is none any more: the question is asked again.
    """
    query = (
        select(MatchRecord, EmployeeRecord, BindingRecord.account_id)
        .outerjoin(EmployeeRecord, EmployeeRecord.id == MatchRecord.decided_employee_id)
        .outerjoin(BindingRecord, BindingRecord.employee_id == EmployeeRecord.id)
        .where(MatchRecord.source_id == source_id)
    )
    if anchor is not None:
        query = query.where(MatchRecord.anchor == anchor)
    return {
        match.anchor: _queued(match, employee, bound=account_id is not None)
        for match, employee, account_id in session.execute(query)
    }


def decision_about(session: Session, source_id: UUID, anchor: str) -> Decision | None:
    """Return what was decided about one person, as `queued_people` would tell."""
    row = execute(session, _DECISION, this_source_id=source_id, this_anchor=anchor).first()
    if row is None or (row.decision is Decision.SAME_PERSON and row.id is None):
        return None
    decision: Decision | None = row.decision
    return decision


def _queued(match: MatchRecord, employee: EmployeeRecord | None, *, bound: bool) -> Queued:
    if match.decision is Decision.SAME_PERSON and employee is None:
        return Queued()
    chosen = None
    if employee is not None:
        ref = EmployeeRef(
            id=employee.id, version=employee.version, state=employee.state.value, bound=bound
        )
        chosen = Chosen(
            employee=ref, name=employee.display_name, dismissed_by=employee.dismissed_by_source
        )
    return Queued(
        evidence=evidence_of(map(Candidate.from_json, match.candidates)),
        decision=match.decision,
        by=match.decided_by or "",
        chosen=chosen,
    )


def forget_question(session: Session, source_id: UUID, anchor: str) -> None:
    """Take somebody out of the queue about whom there is nothing to ask any more (E5)."""
    execute(session, _QUESTION, this_source_id=source_id, this_anchor=anchor)


def keep_person(session: Session, source_id: UUID, person: Person) -> None:
    """Remember what a source says now of somebody in the queue: a decision acts on it."""
    session.execute(
        update(MatchRecord)
        .where(MatchRecord.source_id == source_id, MatchRecord.anchor == person.id.value)
        .values(person=person.to_json()),
        execution_options={"synchronize_session": False},
    )


def keep_reading(session: Session, run_id: int, source_id: UUID) -> None:
    """Remember what a complete reading says of the people in the queue."""
    staged = RunPersonRecord
    mine = (staged.run_id == run_id, staged.anchor == MatchRecord.anchor)
    session.execute(
        update(MatchRecord)
        .where(
            MatchRecord.source_id == source_id,
            exists().where(*mine, staged.person.is_not(None)),
        )
        .values(person=select(staged.person).where(*mine).scalar_subquery()),
        execution_options={"synchronize_session": False},
    )


def gone_from_queue(session: Session, run_id: int, source_id: UUID) -> Sequence[str]:
    """Return the anchors of open questions about people a complete reading does not vouch for."""
    staged = RunPersonRecord
    return session.scalars(
        select(MatchRecord.anchor).where(
            MatchRecord.source_id == source_id,
            MatchRecord.decision.is_(None),
            ~exists().where(
                staged.run_id == run_id,
                staged.anchor == MatchRecord.anchor,
                staged.vouched.is_(True),
            ),
        )
    ).all()


def standing_link(session: Session, source_id: UUID, anchor: str) -> UUID | None:
    """Return whom the link by directory id that decides (P1) leads to, as it is now."""
    row = execute(session, _STANDING, this_source_id=source_id, this_anchor=anchor).first()
    return row[0] if row else None
