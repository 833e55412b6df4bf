"""Likely employees for somebody nobody could place: ranked by name and address, never linked (P4).

It is one pass over three columns of everybody, a batch at a time, for one person and only when
somebody looks at that question: memory stays flat and no writer waits. For 100,000 employees it
takes about a second of one core.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz import fuzz, process
from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.addresses import address_key
from provisioning.domain.people import Person
from provisioning.services.context import ServiceContext
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.registry import STREAM_ROWS

KEEP = 3
"""Suggestions for one person."""

LIKELY = 75
"""Percent of likeness below which nobody is suggested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """An employee and how much they resemble somebody, in percent."""

    employee_id: UUID
    percent: int


def suggest(
    session: Session, context: ServiceContext, person: Person, *, known: Collection[UUID]
) -> list[Likeness]:
    """Return the employees most like a person, the likeliest first; `known` are not repeated."""
    best: dict[UUID, int] = {}
    for employee_id, percent in _likely(session, context, person):
        if employee_id not in known and percent > best.get(employee_id, 0):
            best[employee_id] = percent
    found = heapq.nlargest(KEEP, best.items(), key=lambda item: (item[1], str(item[0])))
    return [Likeness(employee_id=id_, percent=percent) for id_, percent in found]


def _likely(
    session: Session, context: ServiceContext, person: Person
) -> Iterator[tuple[UUID, int]]:
    name = address_key(person.display_name)
    mailbox = _local_part(address_key(person.mail or person.user_name))
    query = (
        select(EmployeeRecord.id, EmployeeRecord.display_name_key, EmployeeRecord.contact_email_key)
        .where(EmployeeRecord.intranet_id == context.intranet_id)
        .order_by(EmployeeRecord.seq)
        .execution_options(yield_per=STREAM_ROWS)
    )
    for batch in session.execute(query).partitions():
        ids = [row[0] for row in batch]
        names = [row[1] for row in batch]
        mailboxes = [_local_part(row[2]) if row[2] else None for row in batch]
        for wanted, choices, scorer in (
            (name, names, fuzz.token_sort_ratio),
            (mailbox, mailboxes, fuzz.ratio),
        ):
            for _, score, place in process.extract(
                wanted, choices, scorer=scorer, limit=2 * KEEP, score_cutoff=LIKELY
            ):
                yield ids[place], int(score)


def _local_part(address: str) -> str:
    return address.partition("@")[0]
