"""Who is in which group: rows, so that one in or out of a hundred thousand is one row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    and_,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from provisioning.domain.errors import GroupLoopError, StaleWriteError
from provisioning.storage.core import execute, table_of, this
from provisioning.storage.locks import take_turn, turn_of
from provisioning.storage.models.scim import ScimGroupRecord, ScimMemberRecord, ScimUserRecord
from provisioning.storage.scim_rows import GROUP, USER

_CHUNK = 500
"""Ids in one statement."""


class MemberVerb(StrEnum):
    """What can be done to a list of members."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    EXCHANGE = "exchange"
    """Those whom a condition finds go, others come."""


@dataclass(slots=True)
class MemberEffect:
    """What came of a change, for whoever asked for it."""

    removed: int = 0
    left_out: int = 0
    """Ids that were to come and are nobody of the source."""


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One operation on the members of a group, in the client's order."""

    verb: MemberVerb
    ids: Sequence[UUID] = ()
    """Whom; for REPLACE the whole new list."""

    where: ColumnElement[bool] | None = None
    """REMOVE and EXCHANGE: a condition on member rows instead of ids."""

    effect: MemberEffect = field(default_factory=MemberEffect, compare=False)
    """Told when it is done."""


@dataclass(slots=True)
class Memberships:
    """The members of one group in one transaction; the group's row is locked already."""

    session: Session
    source_id: UUID
    group_id: UUID
    added: int = 0
    removed: int = 0

    @property
    def changed(self) -> bool:
        """Whether anybody came or went."""
        return bool(self.added or self.removed)

    def apply(self, changes: Sequence[MemberChange]) -> None:
        """Do the changes in order; whoever is unknown to the source is left out (RFC 7644 3.5.2).

        Raises:
            GroupLoopError: A group would contain itself.
        """
        for change in changes:
            before = self.removed
            change.effect.left_out = self._apply(change)
            change.effect.removed = self.removed - before

    def _apply(self, change: MemberChange) -> int:
        """Do one change; returns how many were left out."""
        if change.verb is MemberVerb.REPLACE:
            return self._replace(change.ids)
        if change.where is not None:
            self._remove(change.where)
        elif change.verb is MemberVerb.REMOVE:
            for ids in _chunks(change.ids):
                self._remove(ScimMemberRecord.member_id.in_(ids))
        return 0 if change.verb is MemberVerb.REMOVE else self._add(change.ids)

    def _replace(self, ids: Sequence[UUID]) -> int:
        """Make the list exactly this; those who stay are not written again."""
        member = ScimMemberRecord
        mine = select(member.member_id).where(member.group_id == self.group_id)
        there, wanted = set(self.session.scalars(mine)), set(ids)
        for gone in _chunks(sorted(there - wanted)):
            self._remove(member.member_id.in_(gone))
        return self._add([id_ for id_ in ids if id_ not in there])

    def _remove(self, condition: ColumnElement[bool]) -> None:
        member = ScimMemberRecord
        gone = delete(member).where(member.group_id == self.group_id, condition)
        self.removed += _affected(self.session.execute(gone))

    def _add(self, ids: Sequence[UUID]) -> int:
        """Add those of the ids that are of the source; returns how many are not."""
        left_out = 0
        for chunk in _chunks(list(dict.fromkeys(ids))):
            new = self._insert(USER, _users(self.source_id, chunk))
            if new < len(chunk):
                new += self._add_groups(chunk)
            if new < len(chunk):
                left_out += len(chunk) - self._members_of(chunk)
            self.added += new
        return left_out

    def _members_of(self, ids: Collection[UUID]) -> int:
        member = ScimMemberRecord
        mine = select(func.count()).where(
            member.group_id == self.group_id, member.member_id.in_(ids)
        )
        return self.session.scalar(mine) or 0

    def _add_groups(self, ids: Collection[UUID]) -> int:
        """Add those of the ids that are groups, one after the other with other requests."""
        groups = select(ScimGroupRecord.id).where(
            ScimGroupRecord.source_id == self.source_id, ScimGroupRecord.id.in_(ids)
        )
        if not self.session.scalars(groups).first():
            return 0
        take_turn(self.session, turn_of(self.source_id))
        self._require_no_loop(ids)
        return self._insert(GROUP, groups)

    def _insert(self, kind: str, found: Select[Any]) -> int:
        """Insert those a query finds and who are no members yet; returns how many.

        On PostgreSQL the found ones are kept from disappearing until the commit.
        """
        is_sqlite = self.session.get_bind().dialect.name == "sqlite"
        made = (sqlite if is_sqlite else postgresql).insert(ScimMemberRecord)
        chosen = found.add_columns(literal(self.group_id), literal(kind)).with_for_update(
            read=True, key_share=True
        )
        columns = ["member_id", "group_id", "member_kind"]
        inserted = made.from_select(columns, chosen).on_conflict_do_nothing()
        return _affected(self.session.execute(inserted.execution_options(preserve_rowcount=True)))

    def _require_no_loop(self, ids: Collection[UUID]) -> None:
        """Refuse what would make the group a member of itself, however far down."""
        inner = ScimMemberRecord.__table__.alias()
        down = (
            select(ScimGroupRecord.id.label("id"))
            .where(ScimGroupRecord.id.in_(ids))
            .cte("down", recursive=True)
        )
        down = down.union(
            select(inner.c.member_id).where(
                inner.c.member_kind == GROUP, inner.c.group_id == down.c.id
            )
        )
        if self.session.scalar(select(down.c.id).where(down.c.id == self.group_id)) is not None:
            raise GroupLoopError(str(self.group_id))


def leave_groups(session: Session, kind: str, id_: UUID, now: datetime) -> None:
    """Take somebody, or a group, out of every group; those groups have a new version."""
    member, group = ScimMemberRecord, ScimGroupRecord
    mine = and_(member.member_kind == kind, member.member_id == id_)
    holding = select(member.group_id).where(mine)
    # Locked in one order, so that two departures at once never wait for each other in a circle.
    groups = select(group.id).where(group.id.in_(holding)).order_by(group.id)
    held = session.scalars(groups.with_for_update(key_share=True)).all()
    if not held:
        return
    session.execute(delete(member).where(mine))
    session.execute(
        update(group)
        .where(group.id.in_(held))
        .values(version=group.version + 1, modified_at=now)
        .execution_options(synchronize_session=False)
    )


def require_left(session: Session, kind: str, id_: UUID) -> None:
    """Refuse to let somebody go, or a group, who came into a group while they were being locked.

    From now on they are locked, and nobody adds them; groups are locked before their members,
    so that whoever takes them out has to begin again.

    Raises:
        StaleWriteError: They are in a group again.
    """
    if execute(session, _IN_A_GROUP, this_member_kind=kind, this_member_id=id_).first():
        raise StaleWriteError(f"{id_} came into a group meanwhile")


_IN_A_GROUP = (
    select(table_of(ScimMemberRecord).c.group_id)
    .where(this(ScimMemberRecord.member_kind), this(ScimMemberRecord.member_id))
    .limit(1)
)


def _users(source_id: UUID, ids: Collection[UUID]) -> Select[Any]:
    user = ScimUserRecord
    return select(user.id).where(
        user.source_id == source_id, user.hidden_at.is_(None), user.id.in_(ids)
    )


def _affected(result: Any) -> int:
    done: CursorResult[Any] = result
    return max(done.rowcount, 0)


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
