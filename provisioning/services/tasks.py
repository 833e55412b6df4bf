"""Tasks of the built-in intranet (I8)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.services.context import ServiceContext
from provisioning.storage.models.accounts import TaskRecord, TaskRole, TaskRoleRecord, TaskState

COMPLETE_PROFILE = "complete_profile"


def give_default_task(session: Session, context: ServiceContext, employee_id: UUID) -> None:
    """Give "Complete profile" to a new employee, once (I8)."""
    given = (
        select(TaskRecord.id)
        .join(TaskRoleRecord, TaskRoleRecord.task_id == TaskRecord.id)
        .where(TaskRoleRecord.employee_id == employee_id, TaskRecord.kind == COMPLETE_PROFILE)
    )
    if session.scalar(given.limit(1)) is not None:
        return
    task = TaskRecord(
        intranet_id=context.intranet_id,
        title="Complete profile",
        kind=COMPLETE_PROFILE,
        state=TaskState.OPEN,
        created_at=context.now(),
    )
    session.add(task)
    session.flush()
    session.add(TaskRoleRecord(task_id=task.id, role=TaskRole.RESPONSIBLE, employee_id=employee_id))
