"""Findings in the registry: opened when there is a cause, closed when it is gone (E3, E5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import EmployeeState
from provisioning.domain.findings import AddressFacts, Finding, FindingKind, address_findings
from provisioning.services.context import ServiceContext
from provisioning.storage.models.accounts import (
    BindingRecord,
    IdentityRecord,
    InvitationRecord,
)
from provisioning.storage.models.effects import FindingRecord
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord

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
) -> None:
    """Open a finding, or renew the evidence of the one that is open."""
    subject = finding.subject or str(employee_id)
    found = _open_one(session, context, finding.kind, subject)
    evidence = dict(finding.evidence)
    if found is not None:
        if found.evidence != evidence or found.reason != finding.reason:
            found.evidence, found.reason = evidence, finding.reason
        return
    session.add(
        FindingRecord(
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
    )
    session.flush()


def close_finding(
    session: Session, context: ServiceContext, subject: str, *kinds: FindingKind
) -> None:
    """Close findings whose cause is gone; nothing happens if there is none (E5)."""
    _close(session, context, FindingRecord.kind.in_(kinds), FindingRecord.subject == subject)


def close_findings_of(session: Session, context: ServiceContext, *subjects: str) -> None:
    """Close everything open about somebody who is no longer there."""
    _close(session, context, FindingRecord.subject.in_(subjects))


def _close(session: Session, context: ServiceContext, *which: ColumnElement[bool]) -> None:
    session.execute(
        update(FindingRecord)
        .where(
            FindingRecord.intranet_id == context.intranet_id,
            FindingRecord.closed_at.is_(None),
            *which,
        )
        .values(closed_at=context.now()),
    )


def _open_one(
    session: Session, context: ServiceContext, kind: FindingKind, subject: str
) -> FindingRecord | None:
    return session.scalars(
        select(FindingRecord).where(
            FindingRecord.intranet_id == context.intranet_id,
            FindingRecord.kind == kind,
            FindingRecord.subject == subject,
            FindingRecord.closed_at.is_(None),
        )
    ).one_or_none()


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
                rows = session.execute(
                    select(EmployeeRecord.seq, EmployeeRecord.id)
                    .where(
                        EmployeeRecord.intranet_id == self._context.intranet_id,
                        EmployeeRecord.seq > last,
                    )
                    .order_by(EmployeeRecord.seq)
                    .limit(_BATCH)
                ).all()
                if not rows:
                    return
                last = rows[-1].seq
                refresh(session, self._context, [row.id for row in rows])


def refresh(session: Session, context: ServiceContext, employee_ids: Iterable[UUID]) -> None:
    """Open and close the address findings of some employees (E3, E5)."""
    for employee_id in employee_ids:
        employee = session.get(EmployeeRecord, employee_id)
        if employee is None:
            continue
        found = {
            finding.kind: finding
            for finding in address_findings(_facts(session, context, employee))
        }
        still_open = session.scalars(
            select(FindingRecord).where(
                FindingRecord.employee_id == employee_id,
                FindingRecord.kind.in_(FROM_ADDRESSES),
                FindingRecord.closed_at.is_(None),
            )
        )
        for row in still_open:
            if row.kind not in found:
                row.closed_at = context.now()
        for finding in found.values():
            open_finding(
                session, context, finding, who=employee.display_name, employee_id=employee_id
            )


def _facts(session: Session, context: ServiceContext, employee: EmployeeRecord) -> AddressFacts:
    addresses = session.execute(
        select(AddressRecord.role, AddressRecord.value).where(
            AddressRecord.employee_id == employee.id
        )
    ).all()
    directory = next((value for role, value in addresses if role == "directory"), None)
    around = session.execute(_around(employee.id)).one()
    shared, held = _namesakes(session, context, employee, directory)
    return AddressFacts(
        state=employee.state,
        contact=employee.contact_email,
        directory=directory,
        mailbox=employee.mailbox,
        login=around.login,
        name=employee.display_name,
        old_domains=context.policy.old_domains,
        aliases=tuple(value for role, value in addresses if role == "alias"),
        invited_address=around.invited_address,
        invited_at=around.invited_at,
        contact_shared_with=shared,
        directory_held_by=held,
        sources=around.sources,
        stale_before=context.now() - context.times.stale,
    )


def _around(employee_id: UUID) -> Select[Any]:
    """Return, in one row: the login, the open invitation, and how many sources vouch."""
    login = (
        select(IdentityRecord.address)
        .join(BindingRecord, BindingRecord.account_id == IdentityRecord.account_id)
        .where(BindingRecord.employee_id == employee_id)
        .limit(1)
        .scalar_subquery()
    )
    sources = (
        select(func.count())
        .select_from(LinkRecord)
        .where(
            LinkRecord.employee_id == employee_id,
            LinkRecord.hidden.is_(False),
            LinkRecord.missing_since.is_(None),
        )
        .scalar_subquery()
    )
    invitation = InvitationRecord
    return (
        select(
            login.label("login"),
            sources.label("sources"),
            invitation.address.label("invited_address"),
            invitation.sent_at.label("invited_at"),
        )
        .select_from(EmployeeRecord)
        .outerjoin(
            invitation,
            and_(invitation.employee_id == EmployeeRecord.id, invitation.ended_at.is_(None)),
        )
        .where(EmployeeRecord.id == employee_id)
    )


def _namesakes(
    session: Session, context: ServiceContext, employee: EmployeeRecord, directory: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who else has the contact e-mail, and which dismissed one holds the directory mail."""
    contact_key = employee.contact_email_key
    directory_key = address_key(directory) if directory else None
    keys = [key for key in (contact_key, directory_key) if key]
    if not keys:
        return (), ()
    others = session.execute(
        select(
            EmployeeRecord.display_name, EmployeeRecord.contact_email_key, EmployeeRecord.state
        ).where(
            EmployeeRecord.intranet_id == context.intranet_id,
            EmployeeRecord.contact_email_key.in_(keys),
            EmployeeRecord.id != employee.id,
        )
    ).all()
    gone = EmployeeState.DISMISSED
    shared = (name for name, key, state in others if key == contact_key and state is not gone)
    held = (name for name, key, state in others if key == directory_key and state is gone)
    return tuple(shared), tuple(held)


def flagged_anchors(session: Session, source_id: UUID) -> frozenset[tuple[str, str]]:
    """Return (kind, anchor) of what is open about people of a source who are not placed (R3)."""
    rows = session.execute(
        select(FindingRecord.kind, FindingRecord.subject).where(
            FindingRecord.source_id == source_id,
            FindingRecord.closed_at.is_(None),
            or_(
                FindingRecord.kind == FindingKind.UNREADABLE_ENTRY,
                and_(
                    FindingRecord.kind == FindingKind.DUPLICATE_PERSON,
                    FindingRecord.employee_id.is_(None),
                ),
            ),
        )
    )
    return frozenset((kind.value, subject) for kind, subject in rows)
