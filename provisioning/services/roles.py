"""Roles: given to accounts by administrators, taken by a dismissal, never by a source (A7)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from provisioning.services.context import ServiceContext
from provisioning.storage.models.accounts import RoleGrantRecord, RoleName


def take_roles(session: Session, context: ServiceContext, account_id: UUID) -> None:
    """Take every role of an account here, but never the last administrator's (S6, A7)."""
    here = RoleGrantRecord.intranet_id == context.intranet_id
    others = session.scalar(
        select(func.count()).where(
            here,
            RoleGrantRecord.role == RoleName.ADMIN,
            RoleGrantRecord.account_id != account_id,
        )
    )
    taken = delete(RoleGrantRecord).where(here, RoleGrantRecord.account_id == account_id)
    if not others:
        taken = taken.where(RoleGrantRecord.role != RoleName.ADMIN)
    session.execute(taken, execution_options={"synchronize_session": False})
