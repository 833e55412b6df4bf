"""The one place where an employee's state is written (S3)."""

from __future__ import annotations

from datetime import datetime

from provisioning.domain.employees import Change, EmployeeState, state_after
from provisioning.storage.models.employees import EmployeeRecord


def move(employee: EmployeeRecord, change: Change, now: datetime) -> EmployeeState:
    """Change an employee's state by the one table (S1, S3).

    Raises:
        TransitionError: The table has no such row.
    """
    after = state_after(employee.state, change)
    if after is None:
        raise ValueError("a removed employee has no state")
    employee.state = after
    employee.state_since = now
    employee.state_reason = ""
    employee.line_place = None
    return after
