"""One person: the why, every address with its reason, and the timeline of every fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.addresses import difference
from provisioning.domain.errors import NotFoundError
from provisioning.services.authority import SaidLine, said_of
from provisioning.services.context import ServiceContext
from provisioning.services.hold_reports import HeldRow, held_of
from provisioning.services.invitations import open_invitation_of
from provisioning.services.left_behind import LeftBehind, left_behind
from provisioning.services.managers import (
    ManagedRow,
    ManagerLine,
    managed_people,
    manager_of,
    number_managed,
)
from provisioning.services.photos import has_photo
from provisioning.services.reports import FindingRow, finding_row
from provisioning.storage.models.accounts import (
    BindingRecord,
    IdentityRecord,
    TaskRecord,
    TaskRoleRecord,
)
from provisioning.storage.models.effects import EventRecord, FindingRecord
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressLine:
    """One address beside the directory mail (E1, E4)."""

    role: str
    """login, contact, mailbox or directory."""

    value: str | None
    kind: str = ""
    """For the login: email or social."""

    difference: str | None = None
    """How it differs from the directory mail; None when it is the same or unknown."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One fact on the timeline."""

    at: datetime
    kind: str
    actor: str
    door: str
    because: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    run: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLine:
    """Who vouches for them."""

    source: str
    anchor: str
    user_name: str
    where: str
    missing_since: str | None
    hidden: bool
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReport:
    """Everything the page of one person shows."""

    id: UUID
    number: int
    display_name: str
    state: str
    state_reason: str
    why: str
    since: datetime
    department: str | None
    title: str | None
    has_photo: bool
    protected: bool
    pinned: bool
    manager: ManagerLine | None
    manages: Sequence[ManagedRow]
    """The first of them."""

    manages_people: int
    addresses: Sequence[AddressLine]
    invitation: dict[str, Any] | None
    links: Sequence[LinkLine]
    said: Sequence[SaidLine]
    """Whose word counts, if several sources vouch."""

    held: Sequence[HeldRow]
    findings: Sequence[FindingRow]
    tasks: Sequence[dict[str, Any]]
    left_behind: LeftBehind
    """What they leave behind, or would (D7)."""

    timeline: Sequence[EventLine]


def person_report(context: ServiceContext, employee_id: UUID) -> PersonReport:
    """Gather everything about one employee.

    Raises:
        NotFoundError: This intranet has no such employee.
    """
    with context.database.read() as session:
        employee = session.get(EmployeeRecord, employee_id)
        if employee is None or employee.intranet_id != context.intranet_id:
            raise NotFoundError("employee", employee_id)
        findings = session.scalars(
            select(FindingRecord)
            .where(FindingRecord.employee_id == employee_id, FindingRecord.closed_at.is_(None))
            .order_by(FindingRecord.id)
        )
        return PersonReport(
            id=employee.id,
            number=employee.seq,
            display_name=employee.display_name,
            state=employee.state.value,
            state_reason=employee.state_reason,
            why=why(employee),
            since=employee.state_since,
            department=employee.department,
            title=employee.title,
            has_photo=has_photo(session, employee.id),
            protected=employee.protected,
            pinned=employee.pinned,
            manager=manager_of(session, employee, context.policy.owner_of("manager")),
            manages=managed_people(session, employee_id),
            manages_people=number_managed(session, employee_id),
            addresses=_addresses(session, context, employee),
            invitation=_invitation(session, employee),
            links=_links(session, employee_id),
            said=said_of(session, employee, context.policy.owners),
            held=held_of(session, employee_id),
            findings=[finding_row(row) for row in findings],
            tasks=_tasks(session, employee_id),
            left_behind=left_behind(session, [employee_id])[employee_id],
            timeline=_timeline(session, employee_id),
        )


def why(employee: EmployeeRecord) -> str:
    """Return the one sentence that explains the state (S4)."""
    reason = f", {employee.state_reason.replace('_', ' ')}" if employee.state_reason else ""
    because = employee.because or "nothing was recorded"
    return f"{employee.state.value}{reason} because {because}."


def _addresses(
    session: Session, context: ServiceContext, employee: EmployeeRecord
) -> list[AddressLine]:
    stored = session.execute(
        select(AddressRecord.role, AddressRecord.value).where(
            AddressRecord.employee_id == employee.id
        )
    ).all()
    directory = next((value for role, value in stored if role == "directory"), None)
    aliases = tuple(value for role, value in stored if role == "alias")
    identity = session.execute(
        select(IdentityRecord.kind, IdentityRecord.address, IdentityRecord.subject)
        .join(BindingRecord, BindingRecord.account_id == IdentityRecord.account_id)
        .where(BindingRecord.employee_id == employee.id)
        .limit(1)
    ).first()
    login = (identity.address or identity.subject) if identity else None

    def line(role: str, value: str | None, note: str, kind: str = "") -> AddressLine:
        differs = None
        if value and directory:
            differs = difference(
                value,
                directory,
                aliases=aliases,
                old_domains=context.policy.old_domains,
                name=employee.display_name,
            )
        return AddressLine(
            role=role,
            value=value,
            kind=kind,
            difference=str(differs) if differs else None,
            note="" if value else note,
        )

    return [
        line(
            "login",
            login,
            "no account is bound: the invitation was not accepted",
            identity.kind.value if identity else "",
        ),
        line("contact", employee.contact_email, "no letter was decided on yet"),
        line("mailbox", employee.mailbox, "unknown: no source gives it"),
        AddressLine(
            role="directory", value=directory, note="" if directory else "the directory gives none"
        ),
    ]


def _invitation(session: Session, employee: EmployeeRecord) -> dict[str, Any] | None:
    invitation = open_invitation_of(session, employee.id)
    if invitation is None:
        return None
    return {
        "address": invitation.address,
        "not_before": invitation.not_before,
        "hold_reason": invitation.hold_reason,
        "sent_at": invitation.sent_at,
        "expires_at": invitation.expires_at,
    }


def _links(session: Session, employee_id: UUID) -> list[LinkLine]:
    rows = session.execute(
        select(LinkRecord, SourceRecord.name)
        .join(SourceRecord, SourceRecord.id == LinkRecord.source_id)
        .where(LinkRecord.employee_id == employee_id)
        .order_by(SourceRecord.name)
    )
    return [
        LinkLine(
            source=name,
            anchor=link.anchor,
            user_name=link.user_name,
            where=link.applied.get("where", ""),
            missing_since=link.missing_since.isoformat() if link.missing_since else None,
            hidden=link.hidden,
            facts=link.applied,
        )
        for link, name in rows
    ]


def _tasks(session: Session, employee_id: UUID) -> list[dict[str, Any]]:
    rows = session.execute(
        select(TaskRecord, TaskRoleRecord.role)
        .join(TaskRoleRecord, TaskRoleRecord.task_id == TaskRecord.id)
        .where(TaskRoleRecord.employee_id == employee_id)
        .order_by(TaskRecord.created_at)
    )
    return [
        {"title": task.title, "state": task.state.value, "role": role.value} for task, role in rows
    ]


def _timeline(session: Session, employee_id: UUID) -> list[EventLine]:
    rows = session.scalars(
        select(EventRecord)
        .where(EventRecord.employee_id == employee_id)
        .order_by(EventRecord.id.desc())
        .limit(200)
    )
    return [
        EventLine(
            at=row.at,
            kind=row.kind,
            actor=row.actor,
            door=row.door,
            because=row.because,
            before=row.before,
            after=row.after,
            run=row.run_id,
        )
        for row in rows
    ]
