"""SCIM resources as they are answered: flat rows, without the objects that write them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from provisioning.storage.compiled import run
from provisioning.storage.core import this
from provisioning.storage.models.accounts import BindingRecord, IdentityRecord, InvitationRecord
from provisioning.storage.models.effects import FindingRecord
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.scim import ScimGroupRecord, ScimMemberRecord, ScimUserRecord

USER, GROUP = "User", "Group"
"""The kinds of members, as SCIM names them."""


class UserRow(NamedTuple):
    """A visible resource and, where that was looked up, what became of it on the intranet.

    Ids and moments are as the driver gives them: `uuid_text` and `moment_text` make texts.
    """

    id: Any
    seq: int
    document: bytes
    version: int
    created_at: Any
    modified_at: Any
    is_member: Any
    """Whether they are in any group: whoever is not needs no look at them."""

    employee_id: Any
    state: str | None = None
    reason: str | None = None
    because: str | None = None
    contact_email: str | None = None
    mailbox: str | None = None
    accepted_at: Any = None
    dismissed_at: Any = None
    invited_at: Any = None
    """When the last letter left."""

    login: str | None = None
    findings: str | None = None
    """Kinds of the open ones, separated by commas."""

    @property
    def uuid(self) -> UUID:
        """The id as everything but an answer has it."""
        return UUID(uuid_text(self.id))


class GroupRow(NamedTuple):
    """A group without its members; ids and moments as the driver gives them."""

    id: Any
    seq: int
    document: bytes
    version: int
    created_at: Any
    modified_at: Any


class GroupRef(NamedTuple):
    """One group somebody is in."""

    id: Any
    display_name: str
    direct: bool


def uuid_text(value: Any) -> str:
    """Return an id as SCIM writes it; SQLite keeps 32 digits.

    >>> uuid_text("5f0c2d6e1b1c4d0e9a3f000000000001")
    '5f0c2d6e-1b1c-4d0e-9a3f-000000000001'
    """
    if isinstance(value, str):
        return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"
    return str(value)


def moment_text(value: Any) -> str:
    """Return a moment as SCIM writes it (RFC 7643 2.3.5); SQLite keeps UTC without its zone.

    >>> moment_text("2026-11-23 12:00:00.000000"), moment_text("2026-11-23 12:00:00.250000")
    ('2026-11-23T12:00:00+00:00', '2026-11-23T12:00:00.250000+00:00')
    """
    if isinstance(value, str):
        return f"{value[:10]}T{value[11:].removesuffix('.000000')}+00:00"
    return str(value.astimezone(UTC).isoformat())


def raw(*columns: Any) -> Sequence[Any]:
    """Return columns as the driver gives them: a page has a thousand values, all to be texts."""
    return [type_coerce(column, NullType()) for column in columns]


_STATE_COLUMNS = raw(
    EmployeeRecord.id, EmployeeRecord.state, EmployeeRecord.state_reason, EmployeeRecord.because
)


def outcome_columns() -> Sequence[Any]:
    """Return what became of an employee, as the last fields of a UserRow."""
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
    # As text of the statement, not as a value: so the statement can be compiled once.
    comma: Any = literal_column("','")
    findings = (
        select(func.aggregate_strings(FindingRecord.kind, comma))
        .where(FindingRecord.employee_id == employee.id, FindingRecord.closed_at.is_(None))
        .scalar_subquery()
    )
    more = raw(
        employee.contact_email, employee.mailbox, employee.accepted_at, employee.dismissed_at,
        invited_at, login, findings,
    )  # fmt: skip
    return [*_STATE_COLUMNS, *more]


_USER_COLUMNS = [
    *raw(
        ScimUserRecord.id, ScimUserRecord.seq, ScimUserRecord.document, ScimUserRecord.version,
        ScimUserRecord.created_at, ScimUserRecord.modified_at,
    ),
    # Not EXISTS: PostgreSQL would rather read every member of every group once.
    select(literal(1))
    .where(ScimMemberRecord.member_kind == USER, ScimMemberRecord.member_id == ScimUserRecord.id)
    .limit(1)
    .scalar_subquery(),
]  # fmt: skip
_GROUP_COLUMNS = raw(
    ScimGroupRecord.id, ScimGroupRecord.seq, ScimGroupRecord.document, ScimGroupRecord.version,
    ScimGroupRecord.created_at, ScimGroupRecord.modified_at,
)  # fmt: skip

USERS = (
    select(*_USER_COLUMNS, *_STATE_COLUMNS)
    .select_from(ScimUserRecord)
    .outerjoin(EmployeeRecord, EmployeeRecord.id == ScimUserRecord.employee_id)
    .where(this(ScimUserRecord.source_id), ScimUserRecord.hidden_at.is_(None))
)
"""The visible users of the source bound as `this_source_id`, each as the first fields of a
UserRow: with their state, without the rest of what became of them, which four more tables know."""

USERS_WITH_OUTCOME = USERS.with_only_columns(
    *_USER_COLUMNS, *outcome_columns(), maintain_column_froms=True
)
"""The same, each as all fields of a UserRow."""

GROUPS = select(*_GROUP_COLUMNS).where(this(ScimGroupRecord.source_id))
"""The groups of the source bound as `this_source_id`, each as the fields of a GroupRow."""

_USER, _USER_WITH_OUTCOME = (
    users.where(this(ScimUserRecord.id)) for users in (USERS, USERS_WITH_OUTCOME)
)
_USER_NAMED = USERS.where(this(ScimUserRecord.user_name_key))
_GROUP = GROUPS.where(this(ScimGroupRecord.id))


def find_user(
    connection: Connection, source_id: UUID, id_: UUID, *, with_outcome: bool
) -> UserRow | None:
    """Return one visible user of a source."""
    query = _USER_WITH_OUTCOME if with_outcome else _USER
    row = run(connection, query, {"this_source_id": source_id, "this_id": id_}).first()
    return UserRow(*row) if row else None


def find_user_named(connection: Connection, source_id: UUID, key: str) -> UserRow | None:
    """Return the visible user of a source with this folded userName, without their outcome."""
    values = {"this_source_id": source_id, "this_user_name_key": key}
    row = run(connection, _USER_NAMED, values).first()
    return UserRow(*row) if row else None


def find_group(connection: Connection, source_id: UUID, id_: UUID) -> GroupRow | None:
    """Return one group of a source."""
    row = run(connection, _GROUP, {"this_source_id": source_id, "this_id": id_}).first()
    return GroupRow(*row) if row else None


def _groups(whose: ColumnElement[bool]) -> Select[Any]:
    member, outer = ScimMemberRecord, ScimMemberRecord.__table__.alias()
    up = (
        select(member.member_id.label("user_id"), member.group_id, literal(1).label("direct"))
        .where(member.member_kind == USER, whose)
        .cte("up", recursive=True)
    )
    up = up.union(
        select(up.c.user_id, outer.c.group_id, literal(0)).where(
            outer.c.member_kind == GROUP, outer.c.member_id == up.c.group_id
        )
    )
    group = ScimGroupRecord
    direct = func.max(cast(up.c.direct, Integer))
    return (
        select(*raw(up.c.user_id, group.id), group.display_name, direct)
        .join(group, group.id == up.c.group_id)
        .group_by(up.c.user_id, group.id, group.display_name, group.seq)
        .order_by(group.seq)
    )


_GROUPS_OF_USERS = _groups(ScimMemberRecord.member_id.in_(bindparam("ids", expanding=True)))
_GROUPS_OF_USER = _groups(this(ScimMemberRecord.member_id))
_MEMBERS = select(
    *raw(ScimMemberRecord.group_id, ScimMemberRecord.member_kind, ScimMemberRecord.member_id)
).order_by(ScimMemberRecord.group_id, ScimMemberRecord.member_kind, ScimMemberRecord.member_id)
_MEMBERS_OF_ALL = _MEMBERS.where(ScimMemberRecord.group_id.in_(bindparam("ids", expanding=True)))
_MEMBERS_OF_ONE = _MEMBERS.where(this(ScimMemberRecord.group_id))
_MEMBER_NUMBER = (
    select(literal(1))
    .select_from(ScimMemberRecord)
    .where(this(ScimMemberRecord.group_id))
    .limit(1)
    .offset(bindparam("number"))
)


def groups_of_users(
    connection: Connection, users: Sequence[UserRow]
) -> Mapping[Any, Sequence[GroupRef]]:
    """Return the groups each user is in, directly or through another group (RFC 7643 4.1.2).

    By their ids, as a UserRow has them; whoever is in none is left out.
    """
    found: dict[Any, list[GroupRef]] = defaultdict(list)
    ids = [user.uuid for user in users if user.is_member]
    if not ids:
        return found
    if len(ids) == 1:
        rows = run(connection, _GROUPS_OF_USER, {"this_member_id": ids[0]})
    else:
        rows = run(connection, _GROUPS_OF_USERS, {"ids": ids})
    for user_id, group_id, name, direct in rows:
        found[user_id].append(GroupRef(group_id, name, bool(direct)))
    return found


def members_of(
    connection: Connection, group_ids: Sequence[Any]
) -> Mapping[Any, list[tuple[str, Any]]]:
    """Return the members of each group as (kind, id), in a stable order.

    Ids of groups are as they were given, whatever the driver makes of them.
    """
    given = {each if isinstance(each, UUID) else UUID(each): each for each in group_ids}
    found: dict[Any, list[tuple[str, Any]]] = defaultdict(list)
    if len(given) == 1:
        rows = run(connection, _MEMBERS_OF_ONE, {"this_group_id": next(iter(given))})
    else:
        rows = run(connection, _MEMBERS_OF_ALL, {"ids": list(given)})
    for group_id, kind, id_ in rows:
        found[group_id].append((kind, id_))
    return {given[UUID(uuid_text(each))]: members for each, members in found.items()}


def has_more_members_than(connection: Connection, group_id: UUID, number: int) -> bool:
    """Whether a group is larger than a number; costs no more than that number."""
    values = {"this_group_id": group_id, "number": number}
    return run(connection, _MEMBER_NUMBER, values).first() is not None
