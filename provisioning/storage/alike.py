"""Who has a person's keys: one statement for all of them (P2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, bindparam, literal, select, union
from sqlalchemy.orm import Session

from provisioning.domain.keys import CorrelationKey
from provisioning.storage.core import execute, this
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.sources import Source


def employees_alike(
    session: Session,
    source: Source,
    keys: Mapping[CorrelationKey, str],
    *,
    anchor: str,
    external_id: str | None,
    past_name: str | None,
) -> Sequence[tuple[CorrelationKey, UUID]]:
    """Return the employees with one of a person's keys, each once with each key they share.

    Args:
        session: The transaction.
        source: Who asks.
        keys: The person's keys; one that is absent finds nobody.
        anchor: Their directory id: a link by it that was retired is the source's own past (P1).
        external_id: What a deleted resource of this very source may be known by; None: nothing.
        past_name: What one may be known by, unless both have an externalId and they differ:
            names are given to other people.
    """
    rows = execute(
        session,
        _ALIKE,
        this_intranet_id=source.intranet_id,
        this_source_id=source.id,
        user_name=keys.get(CorrelationKey.USER_NAME),
        employee_number=keys.get(CorrelationKey.EMPLOYEE_NUMBER),
        mail=keys.get(CorrelationKey.MAIL),
        this_anchor=anchor,
        external_id=external_id,
        past_name=past_name,
        past_name_alone=past_name if external_id is None else None,
    )
    return [(CorrelationKey(key), employee_id) for key, employee_id in rows]


def _links(key: CorrelationKey, *conditions: ColumnElement[bool]) -> Select[str, UUID]:
    return select(literal(key.value), LinkRecord.employee_id).where(*conditions)


_ANY_SOURCE = LinkRecord.source_id.in_(
    select(SourceRecord.id).where(this(SourceRecord.intranet_id))
)
_PAST = (this(LinkRecord.source_id), LinkRecord.hidden.is_(True))
_ALIKE: CompoundSelect[Any] = union(
    _links(
        CorrelationKey.USER_NAME, _ANY_SOURCE, LinkRecord.user_name_key == bindparam("user_name")
    ),
    _links(
        CorrelationKey.EMPLOYEE_NUMBER,
        _ANY_SOURCE,
        LinkRecord.employee_number_key == bindparam("employee_number"),
    ),
    _links(CorrelationKey.MAIL, _ANY_SOURCE, LinkRecord.mail_key == bindparam("mail")),
    select(literal(CorrelationKey.MAIL.value), EmployeeRecord.id).where(
        this(EmployeeRecord.intranet_id), EmployeeRecord.contact_email_key == bindparam("mail")
    ),
    _links(CorrelationKey.PAST_RESOURCE, *_PAST, this(LinkRecord.anchor)),
    _links(
        CorrelationKey.PAST_RESOURCE, *_PAST, LinkRecord.external_id == bindparam("external_id")
    ),
    _links(
        CorrelationKey.PAST_RESOURCE,
        *_PAST,
        LinkRecord.external_id.is_(None),
        LinkRecord.user_name_key == bindparam("past_name"),
    ),
    _links(
        CorrelationKey.PAST_RESOURCE,
        *_PAST,
        LinkRecord.user_name_key == bindparam("past_name_alone"),
    ),
)
"""NULL equals nothing: a key that is not given finds nobody."""
