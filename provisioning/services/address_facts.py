"""What the findings from addresses are made of (E1, E3)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import EmployeeState
from provisioning.domain.findings import AddressFacts
from provisioning.services.context import ServiceContext
from provisioning.storage.core import execute, this
from provisioning.storage.models.accounts import (
    BindingRecord,
    IdentityRecord,
    InvitationRecord,
)
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord


def address_facts(
    session: Session, context: ServiceContext, employee: EmployeeRecord
) -> AddressFacts:
    """Return the addresses of one employee and who else has them, in two statements."""
    rows = execute(session, _AROUND, this_id=employee.id)
    around, addresses = rows[0], [(row.role, row.value) for row in rows]
    directory = next((value for role, value in addresses if role == "directory"), None)
    shared, held = _namesakes(session, context, employee, directory)
    return AddressFacts(
        state=employee.state,
        contact=employee.contact_email,
        directory=directory,
        mailbox=employee.mailbox,
        login=around.login,
        name=employee.display_name,
        old_domains=context.policy.old_domains,
        aliases=tuple(value for role, value in addresses if role == "alias"),
        invited_address=around.invited_address,
        invited_at=around.invited_at,
        contact_shared_with=shared,
        directory_held_by=held,
        sources=around.sources,
        stale_before=context.now() - context.times.stale,
    )


def _around() -> Select[*tuple[Any, ...]]:
    """Return a row for each address, or one without: the login, the open invitation, sources."""
    login = (
        select(IdentityRecord.address)
        .join(BindingRecord, BindingRecord.account_id == IdentityRecord.account_id)
        .where(BindingRecord.employee_id == EmployeeRecord.id)
        .limit(1)
        .scalar_subquery()
    )
    sources = (
        select(func.count())
        .select_from(LinkRecord)
        .where(
            LinkRecord.employee_id == EmployeeRecord.id,
            LinkRecord.hidden.is_(False),
            LinkRecord.missing_since.is_(None),
        )
        .scalar_subquery()
    )
    invitation = InvitationRecord
    return (
        select(
            login.label("login"),
            sources.label("sources"),
            invitation.address.label("invited_address"),
            invitation.sent_at.label("invited_at"),
            AddressRecord.role,
            AddressRecord.value,
        )
        .select_from(EmployeeRecord)
        .outerjoin(
            invitation,
            and_(invitation.employee_id == EmployeeRecord.id, invitation.ended_at.is_(None)),
        )
        .outerjoin(AddressRecord, AddressRecord.employee_id == EmployeeRecord.id)
        .where(this(EmployeeRecord.id))
        .order_by(AddressRecord.id)
    )


_AROUND = _around()
_NAMESAKES = select(
    EmployeeRecord.display_name, EmployeeRecord.contact_email_key, EmployeeRecord.state
).where(
    this(EmployeeRecord.intranet_id),
    EmployeeRecord.contact_email_key.in_([bindparam("contact"), bindparam("directory")]),
    EmployeeRecord.id != bindparam("own"),
)


def _namesakes(
    session: Session, context: ServiceContext, employee: EmployeeRecord, directory: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who else has the contact e-mail, and which dismissed one holds the directory mail."""
    contact_key = employee.contact_email_key
    directory_key = address_key(directory) if directory else None
    if contact_key is None and directory_key is None:
        return (), ()
    others = execute(
        session,
        _NAMESAKES,
        this_intranet_id=context.intranet_id,
        contact=contact_key,
        directory=directory_key,
        own=employee.id,
    )
    gone = EmployeeState.DISMISSED
    shared = (name for name, key, state in others if key == contact_key and state is not gone)
    held = (name for name, key, state in others if key == directory_key and state is gone)
    return tuple(shared), tuple(held)
