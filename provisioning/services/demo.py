"""Taking the demo's people away again: the only place where employees are deleted."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from provisioning.services.context import ServiceContext
from provisioning.services.departures import remove_row
from provisioning.services.seats import SeatService
from provisioning.storage.models.accounts import (
    BindingRecord,
    TaskRecord,
    TaskRoleRecord,
)
from provisioning.storage.models.effects import EventRecord, FindingRecord, OutboxRecord
from provisioning.storage.models.employees import (
    AddressRecord,
    EmployeeRecord,
    LinkRecord,
    MatchRecord,
)
from provisioning.storage.models.intranets import SeatDayRecord, SourceRecord
from provisioning.storage.models.runs import (
    JobRunRecord,
    RemovalRecord,
    RunActionRecord,
    RunPersonRecord,
    RunRecord,
)

DEMO = "demo"
"""The source of the people nobody has to be."""


def clear_demo(context: ServiceContext, source_name: str) -> int:
    """Remove a demo source with its people, letters, runs and findings; returns how many people.

    People whom another source vouches for as well stay.
    """
    with context.database.write() as session:
        source = session.scalars(
            select(SourceRecord).where(
                SourceRecord.intranet_id == context.intranet_id, SourceRecord.name == source_name
            )
        ).one_or_none()
        if source is None:
            return 0
        people = _people_of(session, source)
        for employee in people:
            _forget(session, context, employee)
        _forget_source(session, context, source)
        # What the demo's people took is no growth of anybody (L8); the recount begins anew.
        session.execute(
            delete(SeatDayRecord).where(SeatDayRecord.intranet_id == context.intranet_id)
        )
    SeatService(context).recount()
    return len(people)


def _people_of(session: Session, source: SourceRecord) -> list[EmployeeRecord]:
    elsewhere = select(LinkRecord.employee_id).where(LinkRecord.source_id != source.id)
    return list(
        session.scalars(
            select(EmployeeRecord)
            .join(LinkRecord, LinkRecord.employee_id == EmployeeRecord.id)
            .where(LinkRecord.source_id == source.id, EmployeeRecord.id.not_in(elsewhere))
        )
    )


def _forget(session: Session, context: ServiceContext, employee: EmployeeRecord) -> None:
    tasks = select(TaskRoleRecord.task_id).where(TaskRoleRecord.employee_id == employee.id)
    session.execute(delete(TaskRecord).where(TaskRecord.id.in_(tasks)))
    for table in (BindingRecord, TaskRoleRecord, OutboxRecord, EventRecord, FindingRecord):
        session.execute(delete(table).where(table.employee_id == employee.id))
    remove_row(session, context, employee)


def _forget_source(session: Session, context: ServiceContext, source: SourceRecord) -> None:
    runs = select(RunRecord.id).where(RunRecord.source_id == source.id)
    for step in (RunActionRecord, RunPersonRecord):
        session.execute(delete(step).where(step.run_id.in_(runs)))
    for table in (
        RunRecord,
        RemovalRecord,
        MatchRecord,
        FindingRecord,
        LinkRecord,
        AddressRecord,
    ):
        session.execute(delete(table).where(table.source_id == source.id))
    session.execute(
        delete(JobRunRecord).where(
            JobRunRecord.intranet_id == context.intranet_id, JobRunRecord.source == source.name
        )
    )
    session.delete(source)
