"""Finding people by what somebody types: a number, an id, a name, an address."""

from __future__ import annotations

import re
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import aliased

from provisioning.domain.addresses import address_key
from provisioning.services.context import ServiceContext
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord

_DIGITS_OF_64_BITS = 18
_SURROGATES = re.compile("[\ud800-\udfff]")


def meant_by(context: ServiceContext, key: str) -> Select[UUID]:
    """Return the ids of those a whole number, id, user name, name or address means."""
    return select(EmployeeRecord.id).where(
        and_(EmployeeRecord.intranet_id == context.intranet_id, _is_called(key))
    )


def matches(search: str) -> ColumnElement[bool]:
    """Return the condition that a part of a name, address or user name, or an id, fits."""
    if not _is_text(search):
        return false()
    folded = address_key(search)
    links = select(LinkRecord.employee_id).where(
        or_(
            LinkRecord.user_name_key.contains(folded, autoescape=True),
            LinkRecord.anchor == search.strip(),
        )
    )
    addresses = select(AddressRecord.employee_id).where(
        AddressRecord.value_key.contains(folded, autoescape=True)
    )
    return or_(
        EmployeeRecord.display_name_key.contains(folded, autoescape=True),
        EmployeeRecord.contact_email_key.contains(folded, autoescape=True),
        EmployeeRecord.id.in_(links),
        EmployeeRecord.id.in_(addresses),
    )


def managed_by(context: ServiceContext, number: int) -> ColumnElement[bool]:
    """Return the condition that the employee of this number manages somebody."""
    manager = aliased(EmployeeRecord)
    return EmployeeRecord.manager_id.in_(
        select(manager.id).where(manager.intranet_id == context.intranet_id, manager.seq == number)
    )


def _is_called(key: str) -> ColumnElement[bool]:
    if not _is_text(key):
        return false()
    if key.isdecimal() and len(key) <= _DIGITS_OF_64_BITS:
        return EmployeeRecord.seq == int(key)
    folded = address_key(key)
    links = select(LinkRecord.employee_id).where(
        or_(LinkRecord.user_name_key == folded, LinkRecord.anchor == key)
    )
    addresses = select(AddressRecord.employee_id).where(AddressRecord.value_key == folded)
    conditions = [
        EmployeeRecord.contact_email_key == folded,
        EmployeeRecord.display_name_key == folded,
        EmployeeRecord.id.in_(links),
        EmployeeRecord.id.in_(addresses),
    ]
    if (id_ := _uuid(key)) is not None:
        conditions.append(EmployeeRecord.id == id_)
    return or_(*conditions)


def _is_text(typed: str) -> bool:
    """Whether a database can be asked for it; what it cannot keep is the name of nobody."""
    return typed.isprintable() or ("\0" not in typed and not _SURROGATES.search(typed))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
