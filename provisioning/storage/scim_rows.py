"""SCIM resources as they are answered: flat rows, without the objects that write them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, and_, cast, func, literal, select
from sqlalchemy.orm import Session

from provisioning.domain.employees import EmployeeState
from provisioning.storage.core import execute, this
from provisioning.storage.models.accounts import BindingRecord, IdentityRecord, InvitationRecord
from provisioning.storage.models.effects import FindingRecord
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.scim import ScimGroupRecord, ScimMemberRecord, ScimUserRecord

USER, GROUP = "User", "Group"
"""The kinds of members, as SCIM names them."""


class UserRow(NamedTuple):
    """A visible resource and what became of it on the intranet."""

    id: UUID
    seq: int
    document: bytes
    version: int
    created_at: datetime
    modified_at: datetime
    employee_id: UUID | None
    state: EmployeeState | None
    reason: str | None
    because: str | None
    contact_email: str | None
    mailbox: str | None
    accepted_at: datetime | None
    dismissed_at: datetime | None
    invited_at: datetime | None
    """When the last letter left."""

    login: str | None
    findings: str | None
    """Kinds of the open ones, separated by commas."""


class GroupRow(NamedTuple):
    """A group without its members."""

    id: UUID
    seq: int
    document: bytes
    version: int
    created_at: datetime
    modified_at: datetime


class GroupRef(NamedTuple):
    """One group somebody is in."""

    id: UUID
    display_name: str
    direct: bool


def _user_columns() -> Sequence[ColumnElement[Any]]:
    employee = EmployeeRecord
    invited_at = (
        select(func.max(InvitationRecord.sent_at))
        .where(InvitationRecord.employee_id == employee.id)
        .scalar_subquery()
    )
    login = (
        select(func.min(func.coalesce(IdentityRecord.address, IdentityRecord.subject)))
        .join(BindingRecord, BindingRecord.account_id == IdentityRecord.account_id)
        .where(BindingRecord.employee_id == employee.id)
        .scalar_subquery()
    )
    findings = (
        select(func.aggregate_strings(FindingRecord.kind, ","))
        .where(FindingRecord.employee_id == employee.id, FindingRecord.closed_at.is_(None))
        .scalar_subquery()
    )
    user = ScimUserRecord
    found: Sequence[Any] = (
        user.id, user.seq, user.document, user.version, user.created_at, user.modified_at,
        employee.id, employee.state, employee.state_reason, employee.because,
        employee.contact_email, employee.mailbox, employee.accepted_at, employee.dismissed_at,
        invited_at, login, findings,
    )  # fmt: skip
    return found


_USER_COLUMNS = _user_columns()
_GROUP_COLUMNS: Sequence[Any] = (
    ScimGroupRecord.id, ScimGroupRecord.seq, ScimGroupRecord.document, ScimGroupRecord.version,
    ScimGroupRecord.created_at, ScimGroupRecord.modified_at,
)  # fmt: skip


def visible_users(source_id: UUID) -> Select[Any]:
    """Select the visible users of a source, each as the fields of a UserRow."""
    return (
        select(*_USER_COLUMNS)
        .select_from(ScimUserRecord)
        .outerjoin(EmployeeRecord, EmployeeRecord.id == ScimUserRecord.employee_id)
        .where(ScimUserRecord.source_id == source_id, ScimUserRecord.hidden_at.is_(None))
    )


def groups_of_source(source_id: UUID) -> Select[Any]:
    """Select the groups of a source, each as the fields of a GroupRow."""
    return select(*_GROUP_COLUMNS).where(ScimGroupRecord.source_id == source_id)


_ONE_USER = (
    select(*_USER_COLUMNS)
    .select_from(ScimUserRecord)
    .outerjoin(EmployeeRecord, EmployeeRecord.id == ScimUserRecord.employee_id)
    .where(
        this(ScimUserRecord.id), this(ScimUserRecord.source_id), ScimUserRecord.hidden_at.is_(None)
    )
)


def find_user(session: Session, source_id: UUID, id_: UUID) -> UserRow | None:
    """Return one visible user of a source."""
    row = execute(session, _ONE_USER, this_id=id_, this_source_id=source_id).one_or_none()
    return UserRow(*row) if row else None


def find_group(session: Session, source_id: UUID, id_: UUID) -> GroupRow | None:
    """Return one group of a source."""
    query = groups_of_source(source_id).where(ScimGroupRecord.id == id_)
    row = session.execute(query).one_or_none()
    return GroupRow(*row) if row else None


def groups_of_users(
    session: Session, user_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[GroupRef]]:
    """Return the groups each user is in, directly or through another group (RFC 7643 4.1.2)."""
    member, outer = ScimMemberRecord, ScimMemberRecord.__table__.alias()
    up = (
        select(member.member_id.label("user_id"), member.group_id, literal(1).label("direct"))
        .where(member.member_kind == USER, member.member_id.in_(user_ids))
        .cte("up", recursive=True)
    )
    up = up.union(
        select(up.c.user_id, outer.c.group_id, literal(0)).where(
            outer.c.member_kind == GROUP, outer.c.member_id == up.c.group_id
        )
    )
    group = ScimGroupRecord
    query = (
        select(up.c.user_id, group.id, group.display_name, func.max(cast(up.c.direct, Integer)))
        .join(group, group.id == up.c.group_id)
        .group_by(up.c.user_id, group.id, group.display_name, group.seq)
        .order_by(group.seq)
    )
    found: dict[UUID, list[GroupRef]] = defaultdict(list)
    for user_id, group_id, name, direct in session.execute(query):
        found[user_id].append(GroupRef(group_id, name, bool(direct)))
    return found


def members_of(
    session: Session, group_ids: Collection[UUID]
) -> Mapping[UUID, list[tuple[str, UUID]]]:
    """Return the members of each group as (kind, id), in a stable order."""
    member = ScimMemberRecord
    query = (
        select(member.group_id, member.member_kind, member.member_id)
        .where(member.group_id.in_(group_ids))
        .order_by(member.group_id, member.member_kind, member.member_id)
    )
    found: dict[UUID, list[tuple[str, UUID]]] = defaultdict(list)
    for group_id, kind, id_ in session.execute(query):
        found[group_id].append((kind, id_))
    return found


def has_more_members_than(session: Session, group_id: UUID, number: int) -> bool:
    """Whether a group is larger than a number; costs no more than that number."""
    query = (
        select(literal(1))
        .select_from(ScimMemberRecord)
        .where(and_(ScimMemberRecord.group_id == group_id))
        .offset(number)
        .limit(1)
    )
    return session.scalar(query) is not None
