"""The matching queue as pages, commands and files show it: both sides and the evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from provisioning.domain.correlation import Candidate
from provisioning.domain.errors import NotFoundError
from provisioning.domain.people import DirectoryId, Person
from provisioning.services.context import ServiceContext
from provisioning.services.sources import find_source
from provisioning.services.suggesting import suggest
from provisioning.storage.models.employees import EmployeeRecord, MatchRecord
from provisioning.storage.models.intranets import SourceRecord

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """Somebody the person may be: an employee as they are now, or another newcomer."""

    employee: str | None
    """None for another newcomer, and for an employee who was removed since."""

    number: int | None
    name: str
    state: str
    """newcomer, removed, or the employee's state."""

    contact: str | None
    department: str | None
    keys: Sequence[str]
    """What is the same; empty for a suggestion."""

    taken: bool = False
    """Whether another present person of the source is linked to them."""

    percent: int | None = None
    """How alike name or address are; suggestions only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRow:
    """One line of the matching queue."""

    id: int
    source: str
    directory_id: str
    name: str
    user_name: str
    mail: str | None
    employee_number: str | None
    department: str | None
    where: str
    because: str
    candidates: Sequence[CandidateRow]
    opened_at: datetime
    decision: str | None
    decided_employee: CandidateRow | None
    decided_by: str | None
    decided_at: datetime | None
    suggestions: Sequence[CandidateRow] = ()
    """Likely employees by name or address (P4); only where one question is shown."""


class MatchReports:
    """Reads the queue; changes nothing."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def open_questions(self) -> int:
        """Return how many people wait for a decision."""
        query = (
            select(func.count())
            .select_from(MatchRecord)
            .join(SourceRecord, SourceRecord.id == MatchRecord.source_id)
            .where(
                SourceRecord.intranet_id == self._context.intranet_id,
                MatchRecord.decision.is_(None),
            )
        )
        with self._context.database.read() as session:
            return session.scalar(query) or 0

    def rows(
        self, *, decided: bool = False, after: int = 0, limit: int = _BATCH
    ) -> Sequence[MatchRow]:
        """Return a page of the queue, the oldest question first.

        Args:
            decided: Those that were decided instead of those that are open.
            after: The last id of the page before.
            limit: Rows at most.
        """
        state = MatchRecord.decision.is_not(None) if decided else MatchRecord.decision.is_(None)
        query = (
            self._all().where(state, MatchRecord.id > after).order_by(MatchRecord.id).limit(limit)
        )
        with self._context.database.read() as session:
            found = [(row[0], row[1]) for row in session.execute(query)]
            people = _employees(session, _named(match for match, _ in found))
        return [_row(match, source, people) for match, source in found]

    def everything(self, *, decided: bool = False) -> Iterator[MatchRow]:
        """Yield every row `rows` would show, page after page."""
        after = 0
        while rows := self.rows(decided=decided, after=after):
            yield from rows
            after = rows[-1].id

    def one(self, match_id: int) -> MatchRow:
        """Return one question with its suggestions.

        Raises:
            NotFoundError: There is none (any more).
        """
        with self._context.database.read() as session:
            found = session.execute(self._all().where(MatchRecord.id == match_id)).one_or_none()
            if found is None:
                hint = "it was settled meanwhile, or the person left"
                raise NotFoundError("question", match_id, hint=hint)
            match, source = found[0], found[1]
            people = _employees(session, _named([match]))
            row = _row(match, source, people)
            if match.decision is not None:
                return row
            person = Person.from_json(DirectoryId(source, match.anchor), match.person)
            likely = suggest(session, self._context, person, known=people.keys())
            people = _employees(session, {one.employee_id for one in likely})
            suggestions = [
                replace(_employee_row(people[one.employee_id]), percent=one.percent)
                for one in likely
            ]
            return replace(row, suggestions=suggestions)

    def find(self, source: str, key: str) -> int:
        """Return the id of the question about a person, by directory id or user name.

        Raises:
            NotFoundError: There is no such source, or nothing is asked about this person.
        """
        with self._context.database.read() as session:
            source_id = find_source(session, self._context, source).id
            found = session.scalars(
                select(MatchRecord.id)
                .where(
                    MatchRecord.source_id == source_id,
                    or_(
                        MatchRecord.anchor == key,
                        MatchRecord.person["user_name"].as_string() == key,
                    ),
                )
                .limit(2)
            ).all()
        if len(found) == 1:
            return found[0]
        hint = (
            "several have this user name; use the directory id" if found else "try `usher matches`"
        )
        raise NotFoundError("question about", f'"{key}" of {source}', hint=hint)

    def _all(self) -> Select[MatchRecord, str]:
        return (
            select(MatchRecord, SourceRecord.name)
            .join(SourceRecord, SourceRecord.id == MatchRecord.source_id)
            .where(SourceRecord.intranet_id == self._context.intranet_id)
        )


def _named(matches: Iterator[MatchRecord] | Sequence[MatchRecord]) -> set[UUID]:
    named: set[UUID] = set()
    for match in matches:
        named |= {UUID(one["employee"]) for one in match.candidates if one["employee"]}
        if match.decided_employee_id is not None:
            named.add(match.decided_employee_id)
    return named


def _employees(session: Session, ids: Collection[UUID]) -> Mapping[UUID, EmployeeRecord]:
    found = session.scalars(select(EmployeeRecord).where(EmployeeRecord.id.in_(ids)))
    return {employee.id: employee for employee in found}


def _row(match: MatchRecord, source: str, people: Mapping[UUID, EmployeeRecord]) -> MatchRow:
    person = match.person
    decided = people.get(match.decided_employee_id) if match.decided_employee_id else None
    seen = map(Candidate.from_json, match.candidates)
    return MatchRow(
        id=match.id,
        source=source,
        directory_id=match.anchor,
        name=person["display_name"],
        user_name=person["user_name"],
        mail=person.get("mail"),
        employee_number=person.get("employee_number"),
        department=person.get("department"),
        where=person.get("where", ""),
        because=match.because,
        candidates=[_candidate_row(one, people) for one in seen],
        opened_at=match.opened_at,
        decision=match.decision.value if match.decision else None,
        decided_employee=_employee_row(decided) if decided else None,
        decided_by=match.decided_by,
        decided_at=match.decided_at,
    )


def _candidate_row(one: Candidate, people: Mapping[UUID, EmployeeRecord]) -> CandidateRow:
    keys = [key.words for key in one.keys]
    now = people.get(UUID(one.employee)) if one.employee else None
    if now is not None:
        return replace(_employee_row(now), keys=keys, taken=one.linked_here)
    state = "removed" if one.employee else "newcomer"
    return CandidateRow(
        employee=None,
        number=None,
        name=one.name,
        state=state,
        contact=None,
        department=None,
        keys=keys,
    )


def _employee_row(employee: EmployeeRecord) -> CandidateRow:
    return CandidateRow(
        employee=str(employee.id),
        number=employee.seq,
        name=employee.display_name,
        state=employee.state.value,
        contact=employee.contact_email,
        department=employee.department,
        keys=(),
    )
