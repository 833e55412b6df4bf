"""What somebody leaves behind, and who might take it over (D7).

their manager                 the head of their department     ->  the proposed heir
----------------------------  -------------------------------  --  -----------------
is in, and stays              -                                    the manager
is nobody here, or leaves     is in, and stays                     the head
is nobody here, or leaves     nobody manages anybody in it         nobody

The head is whoever manages the most people of the department and is in it. Who leaves by the
same plan inherits nothing, and nobody inherits "Complete profile" (I8). The built-in intranet
knows no owners of groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from provisioning.domain.actions import REMOVALS
from provisioning.domain.employees import EmployeeState
from provisioning.services.tasks import COMPLETE_PROFILE
from provisioning.storage.models.accounts import TaskRecord, TaskRoleRecord
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.runs import RunActionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Heir:
    """Who might take over what somebody leaves behind."""

    id: UUID
    number: int
    display_name: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """What depends on somebody: nothing of it ends with them."""

    tasks: Mapping[str, int]
    """How many, by their role in them."""

    manages: int
    heir: Heir | None

    def __str__(self) -> str:
        """Return it in words; empty if nothing depends on them."""
        parts = [f"{count} task(s) as {role}" for role, count in self.tasks.items()]
        if self.manages:
            parts.append(f"{self.manages} managed")
        if not parts:
            return ""
        heir = f"{self.heir.display_name}, {self.heir.because}" if self.heir else "nobody known"
        return f"{', '.join(parts)}; proposed heir: {heir}"


def left_behind(
    session: Session, people: Sequence[UUID], run_id: int | None = None
) -> Mapping[UUID, LeftBehind]:
    """Return what each of some people leaves behind, or would.

    Args:
        session: Where to look.
        people: Who leaves; a page of them.
        run_id: The run they leave by; who leaves by the same one inherits nothing.
    """
    tasks: dict[UUID, Counter[str]] = {}
    for employee_id, role, count in session.execute(
        select(TaskRoleRecord.employee_id, TaskRoleRecord.role, func.count())
        .join(TaskRecord, TaskRecord.id == TaskRoleRecord.task_id)
        .where(TaskRoleRecord.employee_id.in_(people), TaskRecord.kind != COMPLETE_PROFILE)
        .group_by(TaskRoleRecord.employee_id, TaskRoleRecord.role)
        .order_by(TaskRoleRecord.role)
    ):
        tasks.setdefault(employee_id, Counter())[role.value] = count
    managed = Counter[UUID]()
    for manager_id, count in session.execute(
        select(EmployeeRecord.manager_id, func.count())
        .where(
            EmployeeRecord.manager_id.in_(people), EmployeeRecord.state != EmployeeState.DISMISSED
        )
        .group_by(EmployeeRecord.manager_id)
    ):
        if manager_id is not None:
            managed[manager_id] = count
    return {
        id_: LeftBehind(
            tasks=dict(tasks.get(id_, {})),
            manages=managed[id_],
            heir=_heir(session, id_, run_id) if id_ in tasks or managed[id_] else None,
        )
        for id_ in people
    }


def _heir(session: Session, employee_id: UUID, run_id: int | None) -> Heir | None:
    employee = session.get(EmployeeRecord, employee_id)
    if employee is None:
        return None
    leaving = select(RunActionRecord.employee_id).where(
        RunActionRecord.run_id == run_id,
        RunActionRecord.kind.in_(REMOVALS),
        RunActionRecord.employee_id.is_not(None),
    )
    stays = EmployeeRecord.state == EmployeeState.ACTIVE, EmployeeRecord.id.not_in(leaving)
    manager = session.scalars(
        select(EmployeeRecord).where(EmployeeRecord.id == employee.manager_id, *stays)
    ).one_or_none()
    if manager:
        return _named(manager, "their manager")
    if employee.department is None:
        return None
    report = aliased(EmployeeRecord)
    in_department = (
        EmployeeRecord.intranet_id == employee.intranet_id,
        EmployeeRecord.department == employee.department,
        report.department == employee.department,
    )
    ranked = (
        select(EmployeeRecord)
        .join(report, report.manager_id == EmployeeRecord.id)
        .where(
            *in_department,
            EmployeeRecord.id != employee_id,
            *stays,
        )
        .group_by(EmployeeRecord.id)
        .order_by(func.count().desc(), EmployeeRecord.seq)
        .limit(1)
    )
    head = session.scalars(ranked).first()
    return _named(head, f"head of {employee.department}") if head else None


def _named(employee: EmployeeRecord, because: str) -> Heir:
    return Heir(
        id=employee.id,
        number=employee.seq,
        display_name=employee.display_name,
        because=because,
    )
