"""Who is in which group: rows instead of documents, asked from either side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import FromClause, Select, exists, func, literal, select, union_all

from provisioning.scim.filters.attributes import GROUP_ATTRIBUTES, USER_ATTRIBUTES
from provisioning.scim.filters.comparing import Condition, Operand
from provisioning.scim.filters.dialects import bytewise, part, uuid_text
from provisioning.scim.filters.lists import Entry, PartsEntry
from provisioning.storage.models.scim import ScimGroupRecord, ScimMemberRecord, ScimUserRecord
from provisioning.storage.scim_rows import GROUP, USER

_MEMBER = GROUP_ATTRIBUTES["members"].parts
_MEMBERSHIP = USER_ATTRIBUTES["groups"].parts


def uuid_of(value: str) -> UUID | None:
    """Return the id a text is, None if it is none of ours to the letter (ids are caseExact)."""
    try:
        found = UUID(value)
    except ValueError:
        return None
    return found if str(found) == value else None


@dataclass(frozen=True, slots=True)
class Members:
    """`members` of a group."""

    name: str = "members"

    def any(self, condition: Callable[[Entry], Condition]) -> Condition:
        """Whether the condition holds for a member."""
        member = ScimMemberRecord
        of_group = (
            select(literal(1))
            .where(member.group_id == ScimGroupRecord.id)
            .correlate(ScimGroupRecord)
        )
        kind = func.lower(bytewise(member.member_kind))
        parts = {
            "value": Operand(_MEMBER["value"], uuid_text(member.member_id)),
            "type": Operand(_MEMBER["type"], kind),
        }
        return of_group.where(condition(PartsEntry(self.name, parts))).exists()

    def there(self) -> Condition:
        """Whether the group has a member."""
        of_group = exists().where(ScimMemberRecord.group_id == ScimGroupRecord.id)
        return of_group.correlate(ScimGroupRecord)

    def hint(self, value: str) -> Condition | None:
        """Return the groups with this member, from the index by member."""
        member = ScimMemberRecord
        groups = select(member.group_id).where(
            member.member_kind.in_((USER, GROUP)), member.member_id == uuid_of(value)
        )
        return ScimGroupRecord.id.in_(groups)


@dataclass(frozen=True, slots=True)
class Groups:
    """`groups` of a user: those they are in, and those these are in (RFC 7643 4.1.2)."""

    name: str = "groups"

    def any(self, condition: Callable[[Entry], Condition]) -> Condition:
        """Whether the condition holds for a group, asked from the groups down to their people."""
        people = union_all(
            _members_of(condition(_entry("direct"))), _inside(condition(_entry("indirect")))
        )
        return ScimUserRecord.id.in_(people)

    def there(self) -> Condition:
        """Whether the user is in a group."""
        member = ScimMemberRecord
        of_user = exists().where(member.member_kind == USER, member.member_id == ScimUserRecord.id)
        return of_user.correlate(ScimUserRecord)

    def hint(self, _value: str) -> Condition | None:
        """The groups are asked first anyway."""
        return None


def _entry(type_: str) -> Entry:
    group = ScimGroupRecord

    def is_the_one(op: str, value: str) -> Condition | None:
        return group.id == uuid_of(value) if op == "eq" else None

    parts = {
        "value": Operand(_MEMBERSHIP["value"], uuid_text(group.id), is_the_one),
        "display": Operand(_MEMBERSHIP["display"], part(group.search, "displayname")),
        "type": Operand(_MEMBERSHIP["type"], literal(type_)),
    }
    return PartsEntry("groups", parts)


def _members_of(groups: Condition) -> Select[UUID]:
    member = ScimMemberRecord
    return (
        select(member.member_id)
        .join(ScimGroupRecord, ScimGroupRecord.id == member.group_id)
        .where(member.member_kind == USER, groups)
    )


def _inside(groups: Condition) -> Select[UUID]:
    """Return the people of groups inside a group who are not in that group themselves.

    The union leaves out what it has seen, so groups that contain each other come to an end.
    """
    member, inner, own = ScimMemberRecord, _alias(), _alias()
    down = (
        select(member.group_id.label("top"), member.member_kind.label("kind"), member.member_id)
        .join(ScimGroupRecord, ScimGroupRecord.id == member.group_id)
        .where(groups)
        .cte(recursive=True)
    )
    down = down.union(
        select(down.c.top, inner.c.member_kind, inner.c.member_id).where(
            down.c.kind == GROUP, inner.c.group_id == down.c.member_id
        )
    )
    directly = exists().where(
        own.c.group_id == down.c.top,
        own.c.member_kind == USER,
        own.c.member_id == down.c.member_id,
    )
    return select(down.c.member_id).where(down.c.kind == USER, ~directly)


def _alias() -> FromClause:
    return ScimMemberRecord.__table__.alias()
