"""Who manages whom: what sources say, resolved once everybody is written (P6).

A source names a manager as it names everybody, by a DN or the id of a resource, often before it
tells of them. What it says stays with the link; whom that means is looked up afterwards, so the
order in which people come does not matter.

the source says                          the employee's manager is
---------------------------------------  -----------------------------------------------------
nothing                                  whom the next source says, in the order of P6
somebody it is linked to                 that employee, dismissed or not
somebody whose entry moved since         nobody, until it says the new place
somebody who is not here                 nobody, until they come
themselves                               nobody
a place that was given to somebody else  who is there now
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    bindparam,
    case,
    func,
    select,
    union,
    update,
)
from sqlalchemy.orm import Session, aliased

from provisioning.domain.employees import EmployeeState
from provisioning.storage.base import Database
from provisioning.storage.core import execute, table_of, this
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import ActionStatus, RunActionRecord

BATCH = 2_000
"""Actions of a run looked at in one transaction."""

_WORD, _PLACE = aliased(LinkRecord), aliased(LinkRecord)
_THERE = aliased(EmployeeRecord)


def _words() -> Select[*tuple[Any, ...]]:
    """Return what sources say of an employee's manager, and whom it means; the first row counts."""
    return (
        select(_PLACE.employee_id)
        .select_from(_WORD)
        .join(SourceRecord, SourceRecord.id == _WORD.source_id)
        .outerjoin(
            _PLACE,
            (_PLACE.source_id == _WORD.source_id)
            & (_PLACE.where_key == _WORD.manager_key)
            & (_PLACE.employee_id != _WORD.employee_id),
        )
        .outerjoin(_THERE, _THERE.id == _PLACE.employee_id)
        .where(_WORD.hidden.is_(False), _WORD.manager_key.is_not(None))
        .order_by(
            case(
                (SourceRecord.name == bindparam("owner"), 0),
                (SourceRecord.authoritative, 1),
                else_=2,
            ),
            _WORD.linked_at,
            _WORD.anchor,
            # A place may have been somebody else's: who is there now comes first.
            case((_PLACE.hidden, 1), else_=0),
            case((_THERE.state == EmployeeState.DISMISSED, 1), else_=0),
            case((_PLACE.missing_since.is_not(None), 1), else_=0),
            _PLACE.linked_at.desc(),
            _PLACE.anchor,
        )
        .limit(1)
    )


_MANAGER = _words().where(_WORD.employee_id == EmployeeRecord.id).scalar_subquery()
_SAID = _words().with_only_columns(_WORD.source_id, _WORD.applied).where(this(_WORD.employee_id))


def _outdated(touched: Select[UUID, str]) -> Select[UUID, UUID | None]:
    """Return employees whose manager is another by now, with whom it is, in the order of ids.

    Args:
        touched: Employees and places of links of a source that were written; whoever manages
            them or is managed by them may be another.
    """
    links = touched.subquery()
    reports = aliased(LinkRecord)
    affected = union(
        select(links.c.employee_id),
        select(reports.employee_id).where(
            reports.source_id == bindparam("source_id"),
            reports.manager_key.in_(select(links.c.where_key)),
        ),
        select(EmployeeRecord.id).where(EmployeeRecord.manager_id.in_(select(links.c.employee_id))),
    )
    manager = _MANAGER
    return (
        select(EmployeeRecord.id, manager)
        .where(
            EmployeeRecord.id.in_(affected),
            EmployeeRecord.manager_id.is_distinct_from(manager),
        )
        .order_by(EmployeeRecord.id)
        .with_for_update(of=EmployeeRecord)
    )


_OF_SOURCE = select(LinkRecord.employee_id, LinkRecord.where_key).where(
    LinkRecord.source_id == bindparam("source_id")
)
_AFTER_RUN = _outdated(
    _OF_SOURCE.join(
        RunActionRecord,
        (RunActionRecord.run_id == bindparam("run_id"))
        & (RunActionRecord.anchor == LinkRecord.anchor)
        & (RunActionRecord.status == ActionStatus.DONE.value)
        & RunActionRecord.seq.between(bindparam("first"), bindparam("last")),
    )
)
_AFTER_WRITE = _outdated(_OF_SOURCE.where(this(LinkRecord.anchor)))
_LAST = select(func.max(RunActionRecord.seq)).where(this(RunActionRecord.run_id))
_EMPLOYEE = table_of(EmployeeRecord)
_WRITE = update(_EMPLOYEE).where(this(_EMPLOYEE.c.id))


def resolve_managers_of_run(
    database: Database, source_id: UUID, run_id: int, owner: str = ""
) -> int:
    """Look up again whom a run's actions may concern; returns how many got another manager.

    Some at a time, each in a transaction: nobody waits long, and a run that was killed begins
    again. Nothing is written of people whose manager is the same.

    Args:
        database: Where they are.
        source_id: Whose run it was.
        run_id: Its number.
        owner: The source whose word about managers comes first; "" is none.
    """
    with database.read() as session:
        last = execute(session, _LAST, this_run_id=run_id).scalar()
    changed = 0
    for first in range(0, (last or 0) + 1, BATCH) if last is not None else ():
        which = {"source_id": source_id, "run_id": run_id, "first": first, "owner": owner}
        with database.write() as session:
            found = execute(session, _AFTER_RUN, **which, last=first + BATCH - 1)
            changed += _write(session, found)
    return changed


def resolve_managers(session: Session, source_id: UUID, anchor: str, owner: str = "") -> int:
    """Look up again whom one person concerns whose link was written; returns how many changed."""
    which = {"source_id": source_id, "this_anchor": anchor, "owner": owner}
    return _write(session, execute(session, _AFTER_WRITE, **which))


def said_of_manager(
    session: Session, employee_id: UUID, owner: str = ""
) -> tuple[UUID, str] | None:
    """Return which source's word about an employee's manager counts, and what it says."""
    row = execute(session, _SAID, this_employee_id=employee_id, owner=owner).first()
    return None if row is None else (row[0], row[1]["manager"])


def _write(session: Session, found: Sequence[Any]) -> int:
    for employee_id, manager_id in found:
        execute(session, _WRITE, this_id=employee_id, manager_id=manager_id)
    return len(found)
