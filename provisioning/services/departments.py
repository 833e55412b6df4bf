"""Departments and teams: what people have, and what identity providers push as groups.

what                                                     is
-------------------------------------------------------  ------------------------------------
a department that an employee has                        a department, and each part of its
                                                         path one above it
a group whose name matches `people.department_groups`    a department; the expression's first
                                                         group, if it has one, is its name
any other group                                          a team
a department within groups                               below the nearest department that
                                                         contains it; the oldest, if several do
a department within no other department                  at the top
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import re2
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provisioning.domain.errors import NotFoundError
from provisioning.services.context import ServiceContext
from provisioning.services.department_tree import Unit, employees_in, people_departments
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.scim import ScimGroupRecord, ScimMemberRecord, ScimUserRecord
from provisioning.storage.scim_rows import GROUP, USER

_BATCH = 1_000


class DepartmentService:
    """Reads the tree; nothing is stored twice, so it is never out of date."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context
        self._pattern = (
            re2.compile(context.department_groups) if context.department_groups else None
        )

    def tree(self) -> Sequence[Unit]:
        """Return every department before those below it, then every team."""
        with self._context.database.read() as session:
            had = people_departments(session, self._context)
            groups = self._groups(session)
            above = _containers(session)
        names = {id_: name for id_, _, label, _ in groups if (name := self._department(label))}
        order = {id_: place for place, (id_, *_) in enumerate(groups)}
        units = [
            Unit(
                id=id_,
                source=source,
                name=names.get(id_, label),
                is_department=id_ in names,
                parent=_nearest(id_, above, names, order) if id_ in names else None,
                people=people,
                is_pushed=True,
            )
            for id_, source, label, people in groups
        ]
        return [*had, *_downwards(units)]

    def employees(self, unit_id: UUID) -> Iterator[UUID]:
        """Yield the employees who are in it directly, in a stable order.

        Raises:
            NotFoundError: This intranet has no such department or team.
        """
        user, member = ScimUserRecord, ScimMemberRecord
        with self._context.database.read() as session:
            having = employees_in(session, self._context, unit_id)
            if having is not None:
                yield from session.scalars(having.execution_options(yield_per=_BATCH))
                return
            group = session.get(ScimGroupRecord, unit_id)
            source = session.get(SourceRecord, group.source_id) if group else None
            if source is None or source.intranet_id != self._context.intranet_id:
                raise NotFoundError("department or team", unit_id)
            query = (
                select(user.employee_id)
                .join(member, (member.member_id == user.id) & (member.member_kind == USER))
                .where(member.group_id == unit_id, user.employee_id.is_not(None))
                .order_by(user.seq)
            )
            for employee_id in session.scalars(query.execution_options(yield_per=_BATCH)):
                if employee_id is not None:
                    yield employee_id

    def _department(self, label: str) -> str | None:
        """Return the name of the department a group is; None for a team."""
        found = self._pattern.search(label) if self._pattern else None
        if found is None:
            return None
        return next((part for part in found.groups() if part), label)

    def _groups(self, session: Session) -> Sequence[Any]:
        group, member = ScimGroupRecord, ScimMemberRecord
        people = (
            select(member.group_id, func.count().label("people"))
            .where(member.member_kind == USER)
            .group_by(member.group_id)
            .subquery()
        )
        query = (
            select(
                group.id, SourceRecord.name, group.display_name, func.coalesce(people.c.people, 0)
            )
            .join(SourceRecord, SourceRecord.id == group.source_id)
            .outerjoin(people, people.c.group_id == group.id)
            .where(SourceRecord.intranet_id == self._context.intranet_id)
            .order_by(SourceRecord.name, group.seq)
        )
        return session.execute(query).all()


def _containers(session: Session) -> Mapping[UUID, Sequence[UUID]]:
    """Return the groups that contain each group."""
    member = ScimMemberRecord
    query = select(member.member_id, member.group_id).where(member.member_kind == GROUP)
    above: dict[UUID, list[UUID]] = defaultdict(list)
    for inner, outer in session.execute(query):
        above[inner].append(outer)
    return above


def _nearest(
    id_: UUID,
    above: Mapping[UUID, Sequence[UUID]],
    departments: Mapping[UUID, str],
    order: Mapping[UUID, int],
) -> UUID | None:
    """Return the nearest department upwards; teams in between are passed through."""
    level, seen = [id_], {id_}
    while level:
        level = sorted(
            {outer for inner in level for outer in above.get(inner, ())} - seen,
            key=order.__getitem__,
        )
        seen.update(level)
        found = next((outer for outer in level if outer in departments), None)
        if found is not None:
            return found
    return None


def _downwards(units: Sequence[Unit]) -> Sequence[Unit]:
    """Return departments with each one after the one above it, then the teams."""
    below: dict[UUID | None, list[Unit]] = defaultdict(list)
    for unit in units:
        if unit.is_department:
            below[unit.parent].append(unit)
    ordered: list[Unit] = []
    waiting = list(reversed(below[None]))
    while waiting:
        unit = waiting.pop()
        ordered.append(unit)
        waiting.extend(reversed(below[unit.id]))
    return [*ordered, *(unit for unit in units if not unit.is_department)]
