"""Fills the registry with everyone a directory has, as if they had joined long ago."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, text, update

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import EmployeeState
from provisioning.services.container import Services
from provisioning.services.reading import readable, rules_of
from provisioning.storage.core import table_of
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import IntranetRecord, SeatCounterRecord, SourceRecord

BATCH = 2_000
"""People of one transaction."""


def seed_registry(services: Services, name: str) -> int:
    """Write everyone as an active employee, and the source as one that was read; returns how many.

    A first load does the same, one transaction a person and with a letter to each.
    """
    database, now = services.context.database, services.context.now()
    directory, mapping = readable(services.sources[name])
    with database.read() as session:
        source = session.scalars(select(SourceRecord).where(SourceRecord.name == name)).one()
    snapshot, number = directory.read(), 0
    people = iter(snapshot)
    while batch := list(islice(people, BATCH)):
        rows: dict[Any, list[Mapping[str, Any]]] = {}
        for raw in batch:
            number += 1
            for table, row in _rows(raw, mapping, source, number, now):
                rows.setdefault(table, []).append(row)
        with database.write() as session:
            for table, each in rows.items():
                session.connection().execute(insert(table_of(table)), each)
    with database.write() as session:
        session.execute(update(SeatCounterRecord).values(taken=number))
        session.execute(update(IntranetRecord).values(next_employee_seq=number + 1))
        session.execute(
            update(SourceRecord)
            .where(SourceRecord.id == source.id)
            .values(
                released_at=now,
                last_read=number,
                mark=snapshot.proof.mark or None,
                rules=rules_of(services.sources[name]),
            )
        )
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return number


def _rows(
    raw: Any, mapping: Any, source: SourceRecord, number: int, now: datetime
) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    person, id_ = mapping.person(source.name, raw, now), uuid4()
    mail = person.mail or ""
    yield (
        EmployeeRecord,
        {
            "id": id_, "intranet_id": source.intranet_id, "seq": number,
            "state": EmployeeState.ACTIVE, "state_since": now, "accepted_at": now,
            "because": "accepted the invitation", "display_name": person.display_name,
            "display_name_key": address_key(person.display_name),
            "department": person.department, "title": person.title,
            "contact_email": mail, "contact_email_key": address_key(mail),
            "created_at": now, "version": 2,
        },
    )  # fmt: skip
    yield (
        LinkRecord,
        {
            "source_id": source.id, "anchor": raw.anchor, "employee_id": id_,
            "raw_hash": raw.raw_hash(), "mapping_version": mapping.version,
            "applied": person.to_json(), "user_name": person.user_name,
            "user_name_key": address_key(person.user_name), "mail_key": address_key(mail),
            "linked_at": now,
        },
    )  # fmt: skip
    yield (
        AddressRecord,
        {
            "employee_id": id_, "source_id": source.id, "role": "directory", "value": mail,
            "value_key": address_key(mail), "primary": True,
        },
    )  # fmt: skip
