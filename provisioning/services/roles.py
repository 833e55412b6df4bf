"""Roles: given to accounts by administrators, taken by a dismissal, never by a source (A7)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from provisioning.domain.addresses import usable_mail
from provisioning.services.context import ServiceContext
from provisioning.storage.models.accounts import IdentityRecord, RoleGrantRecord, RoleName


def addresses_of(session: Session, context: ServiceContext, *roles: RoleName) -> Sequence[str]:
    """Return the addresses of those with one of these roles here to which a letter can be sent."""
    addresses = session.scalars(
        select(IdentityRecord.address)
        .join(RoleGrantRecord, RoleGrantRecord.account_id == IdentityRecord.account_id)
        .where(RoleGrantRecord.intranet_id == context.intranet_id, RoleGrantRecord.role.in_(roles))
    )
    usable = {usable_mail(address) for address in addresses if address}
    return sorted(address for address in usable if address)


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
