"""Two doors, one newcomer: whoever is second sees the first (P3)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from provisioning.domain.correlation import keys_of
from provisioning.domain.keys import CorrelationKey
from provisioning.domain.people import Person
from provisioning.domain.policy import Policy
from provisioning.storage.core import execute, this
from provisioning.storage.locks import take_turn, turn_of
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.sources import Source

_KEYS = {
    CorrelationKey.USER_NAME: LinkRecord.user_name_key,
    CorrelationKey.EMPLOYEE_NUMBER: LinkRecord.employee_number_key,
    CorrelationKey.MAIL: LinkRecord.mail_key,
}
_ARRIVED = (
    select(LinkRecord.anchor)
    .where(
        LinkRecord.source_id.in_(
            select(SourceRecord.id).where(
                this(SourceRecord.intranet_id), SourceRecord.id != bindparam("but_source_id")
            )
        ),
        LinkRecord.linked_at >= bindparam("since"),
        # A key that does not count is NULL, and equal to nothing.
        or_(*(this(column) for column in _KEYS.values())),
    )
    .limit(1)
)


def queue_newcomers(session: Session, intranet_id: UUID) -> None:
    """Let transactions that may bring newcomers to an intranet wait for each other.

    Take it before looking newcomers up by their keys. SQLite has one writer at a time anyway.
    """
    take_turn(session, turn_of(intranet_id))


def arrived_elsewhere(
    session: Session, source: Source, person: Person, policy: Policy, since: datetime
) -> bool:
    """Whether another source linked somebody with a key of this newcomer since a moment."""
    keys = keys_of(person, policy)
    values = {f"this_{column.key}": keys.get(key) for key, column in _KEYS.items()}
    row = execute(
        session,
        _ARRIVED,
        this_intranet_id=source.intranet_id,
        but_source_id=source.id,
        since=since,
        **values,
    ).first()
    return row is not None
