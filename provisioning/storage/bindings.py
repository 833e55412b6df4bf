"""Who is bound to which account."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.storage.core import execute, this
from provisioning.storage.models.accounts import BindingRecord

_ACCOUNT = select(BindingRecord.account_id).where(this(BindingRecord.employee_id))


def account_of(session: Session, employee_id: UUID) -> UUID | None:
    """Return the account an employee is bound to, if they are."""
    found: UUID | None = execute(session, _ACCOUNT, this_employee_id=employee_id).scalar()
    return found
