"""Findings in the registry: opened when there is a cause, closed when it is gone (E3, E5)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from provisioning.domain.employees import EmployeeState
from provisioning.domain.findings import Finding, FindingKind, address_findings
from provisioning.domain.people import Person
from provisioning.services.address_facts import address_facts
from provisioning.services.context import ServiceContext
from provisioning.storage.core import add_row, execute, one_of, table_of, this
from provisioning.storage.models.effects import FindingRecord
from provisioning.storage.models.employees import EmployeeRecord

FROM_ADDRESSES = frozenset(
    {
        FindingKind.LOGIN_DIFFERS_FROM_CONTACT,
        FindingKind.LOGIN_DIFFERS_FROM_DIRECTORY,
        FindingKind.CONTACT_DIFFERS_FROM_DIRECTORY,
        FindingKind.MAILBOX_USED_AS_LOGIN,
        FindingKind.MAILBOX_DIFFERS,
        FindingKind.INVITATION_ADDRESS_OUTDATED,
        FindingKind.INVITATION_STALE,
        FindingKind.DUPLICATE_CONTACT,
        FindingKind.ADDRESS_HELD_BY_DISMISSED,
        FindingKind.ORPHAN,
    }
)
"""Kinds that `refresh` computes, and so may close."""

_BATCH = 500


def open_finding(
    session: Session,
    context: ServiceContext,
    finding: Finding,
    *,
    who: str,
    employee_id: UUID | None = None,
    source_id: UUID | None = None,
) -> bool:
    """Open a finding, or renew the evidence of the one that is open; returns whether it is new."""
    subject = finding.subject or str(employee_id)
    found = _open_one(session, context, finding.kind, subject)
    evidence = dict(finding.evidence)
    if found is not None:
        if found.evidence != evidence or found.reason != finding.reason:
            found.evidence, found.reason = evidence, finding.reason
        return False
    add_row(
        session,
        FindingRecord,
        intranet_id=context.intranet_id,
        source_id=source_id,
        employee_id=employee_id,
        kind=finding.kind,
        subject=subject,
        who=who,
        reason=finding.reason,
        evidence=evidence,
        opened_at=context.now(),
    )
    return True


def close_finding(
    session: Session, context: ServiceContext, subject: str, kind: FindingKind
) -> None:
    """Close a finding whose cause is gone; nothing happens if there is none (E5)."""
    which = {"this_intranet_id": context.intranet_id, "this_subject": subject, "this_kind": kind}
    execute(session, _CLOSE_KIND, **which, closed_at=context.now())


def close_findings_of(session: Session, context: ServiceContext, *subjects: str) -> None:
    """Close everything open about somebody who is no longer there."""
    closed = {"this_intranet_id": context.intranet_id, "closed_at": context.now()}
    for subject in subjects:
        execute(session, _CLOSE_ALL, this_subject=subject, **closed)


def close_answered(
    session: Session, context: ServiceContext, employee: EmployeeRecord, person: Person
) -> bool:
    """Close what a source's new word about somebody answers (E5).

    That is everything about the entry itself, and some kinds about the employee. Returns
    whether findings from addresses are open: only `refresh` can tell whether they still hold.
    """
    anchor, cured = person.id.value, _cured(context, employee, person)
    about = {"anchor": anchor, "employee": str(employee.id)}
    rows = execute(session, _ABOUT, this_intranet_id=context.intranet_id, **about)
    answered = [row.id for row in rows if row.subject == anchor or row.kind in cured]
    if answered:
        execute(session, _CLOSE_ROWS, ids=answered, closed_at=context.now())
    return any(row.kind in FROM_ADDRESSES for row in rows)


def _cured(
    context: ServiceContext, employee: EmployeeRecord, person: Person
) -> Collection[FindingKind]:
    cured = {FindingKind.MISSING_FROM_SOURCE}
    if employee.state is not EmployeeState.DISMISSED:
        cured.add(FindingKind.RETURN_HELD)
    if person.mail is not None:
        cured.add(FindingKind.NO_USABLE_ADDRESS)
        if context.policy.may_write_to(person.mail):
            cured.add(FindingKind.UNVERIFIED_DOMAIN)
    return cured


_FINDING = table_of(FindingRecord)
_OPEN = (this(_FINDING.c.intranet_id), _FINDING.c.closed_at.is_(None))
_CLOSE_ALL = update(_FINDING).where(*_OPEN, this(_FINDING.c.subject))
_CLOSE_KIND = _CLOSE_ALL.where(this(_FINDING.c.kind))
_CLOSE_ROWS = update(_FINDING).where(_FINDING.c.id.in_(bindparam("ids", expanding=True)))
_ABOUT = select(_FINDING.c.id, _FINDING.c.kind, _FINDING.c.subject).where(
    *_OPEN,
    one_of(_FINDING.c.subject, [bindparam("anchor"), bindparam("employee")]),
)
_OPEN_ONE = select(FindingRecord).where(
    this(FindingRecord.intranet_id),
    this(FindingRecord.kind),
    this(FindingRecord.subject),
    FindingRecord.closed_at.is_(None),
)
_OF_EMPLOYEE = select(_FINDING.c.id, _FINDING.c.kind).where(
    this(_FINDING.c.employee_id), _FINDING.c.closed_at.is_(None)
)


def _open_one(
    session: Session, context: ServiceContext, kind: FindingKind, subject: str
) -> FindingRecord | None:
    which = {"intranet_id": context.intranet_id, "kind": kind, "subject": subject}
    values = {f"this_{name}": value for name, value in which.items()}
    return session.scalars(_OPEN_ONE, values).one_or_none()


class FindingService:
    """Compares what is with what should be, for some people or for all."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def refresh_all(self) -> None:
        """Look at every employee, a transaction a batch."""
        last = 0
        while True:
            with self._context.database.write() as session:
                employees = session.scalars(
                    select(EmployeeRecord)
                    .where(
                        EmployeeRecord.intranet_id == self._context.intranet_id,
                        EmployeeRecord.seq > last,
                    )
                    .order_by(EmployeeRecord.seq)
                    .limit(_BATCH)
                ).all()
                if not employees:
                    return
                last = employees[-1].seq
                for employee in employees:
                    refresh(session, self._context, employee)


def refresh(
    session: Session, context: ServiceContext, employee: EmployeeRecord, *, newcomer: bool = False
) -> None:
    """Open and close the address findings of an employee (E3, E5); a newcomer has none open."""
    found = {
        finding.kind: finding
        for finding in address_findings(address_facts(session, context, employee))
    }
    if not newcomer:
        still_open = execute(session, _OF_EMPLOYEE, this_employee_id=employee.id)
        gone = [
            row.id for row in still_open if row.kind in FROM_ADDRESSES and row.kind not in found
        ]
        if gone:
            execute(session, _CLOSE_ROWS, ids=gone, closed_at=context.now())
    for finding in found.values():
        open_finding(session, context, finding, who=employee.display_name, employee_id=employee.id)


def flagged_anchors(session: Session, source_id: UUID) -> frozenset[tuple[str, str]]:
    """Return (kind, anchor) of the entries of a source that are known to be unreadable (R3)."""
    rows = execute(session, _UNREADABLE, this_source_id=source_id)
    return frozenset((row.kind.value, row.subject) for row in rows)


_UNREADABLE = select(_FINDING.c.kind, _FINDING.c.subject).where(
    this(_FINDING.c.source_id),
    _FINDING.c.closed_at.is_(None),
    _FINDING.c.kind == FindingKind.UNREADABLE_ENTRY,
)
