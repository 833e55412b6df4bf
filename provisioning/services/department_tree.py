"""Departments that people have: a tree of the paths sources give (P6).

Nothing is stored twice: an employee has one department, by the word that counts, and the tree is
of those who are not dismissed. Paths are equal in any case; the spelling of most people is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provisioning.domain.departments import path_of
from provisioning.domain.employees import EmployeeState
from provisioning.services.context import ServiceContext
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A department or a team of the intranet."""

    id: UUID
    source: str
    """The source whose group it is, or those that vouch for its people."""

    name: str
    is_department: bool
    parent: UUID | None
    """The department above; None for those at the top, and for teams."""

    people: int
    """Those who are in it directly."""

    is_pushed: bool
    """Whether it is a group of an identity provider; else people have it."""


@dataclass(slots=True)
class _Node:
    spellings: Counter[str] = field(default_factory=Counter)
    people: int = 0
    sources: set[str] = field(default_factory=set)


def people_departments(session: Session, context: ServiceContext) -> Sequence[Unit]:
    """Return the departments people have, each before those below it."""
    nodes: dict[tuple[str, ...], _Node] = {}
    for department, people in _departments(session, context):
        path = path_of(department)
        for depth, name in enumerate(path, start=1):
            nodes.setdefault(_key(path[:depth]), _Node()).spellings[name] += people
        if path:
            nodes[_key(path)].people += people
    for department, source in _sources(session, context):
        if path := path_of(department):
            nodes[_key(path)].sources.add(source)
    return [
        Unit(
            id=_id(context, key),
            source=", ".join(sorted(node.sources)),
            name=min(node.spellings, key=lambda name: (-node.spellings[name], name)),
            is_department=True,
            parent=_id(context, key[:-1]) if len(key) > 1 else None,
            people=node.people,
            is_pushed=False,
        )
        for key, node in sorted(nodes.items())
    ]


def employees_in(session: Session, context: ServiceContext, unit_id: UUID) -> Any | None:
    """Return what selects the employees of a department people have; None if it is none."""
    spellings = []
    for department, _ in _departments(session, context):
        key = _key(path_of(department))
        ids = {_id(context, key[:depth]): depth for depth in range(1, len(key) + 1)}
        if unit_id in ids:
            spellings.append(department if ids[unit_id] == len(key) else "")
    if not spellings:
        return None
    return (
        select(EmployeeRecord.id)
        .where(*_present(context), EmployeeRecord.department.in_(filter(None, spellings)))
        .order_by(EmployeeRecord.seq)
    )


def _present(context: ServiceContext) -> tuple[Any, ...]:
    return (
        EmployeeRecord.intranet_id == context.intranet_id,
        EmployeeRecord.state != EmployeeState.DISMISSED,
        EmployeeRecord.department.is_not(None),
    )


def _departments(session: Session, context: ServiceContext) -> Sequence[Any]:
    """Return every department with how many people have it, sorted."""
    department = EmployeeRecord.department
    query = select(department, func.count()).where(*_present(context)).group_by(department)
    return sorted(session.execute(query), key=lambda row: str(row[0]))


def _sources(session: Session, context: ServiceContext) -> Sequence[Any]:
    query = (
        select(EmployeeRecord.department, SourceRecord.name)
        .join(LinkRecord, LinkRecord.employee_id == EmployeeRecord.id)
        .join(SourceRecord, SourceRecord.id == LinkRecord.source_id)
        .where(*_present(context), LinkRecord.hidden.is_(False))
        .distinct()
    )
    return session.execute(query).all()


def _key(path: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.casefold() for name in path)


def _id(context: ServiceContext, key: Sequence[str]) -> UUID:
    """Return the id of a department: the same one as long as it is called so."""
    return uuid5(context.intranet_id, "\n".join(key))
