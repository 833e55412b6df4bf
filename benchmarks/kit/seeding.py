"""Fills Usher's tables and the floor's with the same people, past their servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson
from sqlalchemy import Connection, Engine, create_engine, insert, select, text, update

from benchmarks.floor import tables as floor
from benchmarks.kit.people import group, group_id, group_sizes, ids_of, person
from provisioning.domain.addresses import address_key
from provisioning.domain.employees import EmployeeState
from provisioning.scim.documents import write_of
from provisioning.scim.group_documents import group_write
from provisioning.storage.base import Base, Database
from provisioning.storage.core import table_of
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import IntranetRecord, SeatCounterRecord, SourceRecord
from provisioning.storage.models.scim import (
    ScimCounterRecord,
    ScimEmailRecord,
    ScimGroupRecord,
    ScimMemberRecord,
    ScimUserRecord,
)

BATCH = 2_000
"""Rows of one statement."""

Rows = dict[type[Base], list[dict[str, Any]]]


def seed_usher(url: str, source: str, people: int, now: datetime) -> None:
    """Write active employees, linked to a source that has shown itself, and the groups."""
    database = Database(url)
    with database.write() as session:
        connection = session.connection()
        sources = table_of(SourceRecord)
        found = connection.execute(
            select(sources.c.id, sources.c.intranet_id).where(sources.c.name == source)
        ).one()
        ids = ids_of(people)

        def rows(number: int) -> Rows:
            return _rows_of_person(number, ids[number - 1], source, found, now)

        for many in _gathered(people, rows):
            for table, each in many.items():
                connection.execute(insert(table_of(table)), each)
        for place, size in enumerate(group_sizes(people), start=people + 1):
            _seed_group(connection, found.id, place, ids[:size], now)
        _count(connection, found.id, found.intranet_id, people)
    _analyze(database.engine)
    database.close()


def _analyze(engine: Engine) -> None:
    """Have PostgreSQL know its tables now, as it would a minute later; SQLite never does."""
    if engine.name == "postgresql":
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def _rows_of_person(number: int, id_: UUID, source: str, found: Any, now: datetime) -> Rows:
    written = write_of(person(number), id_, source, None)
    described, employee_id = written.person, uuid5(id_, "employee")
    return {
        EmployeeRecord: [{
            "id": employee_id, "intranet_id": found.intranet_id, "seq": number,
            "state": EmployeeState.ACTIVE, "state_since": now, "accepted_at": now,
            "because": f"accepted the invitation to {described.mail}",
            "display_name": described.display_name,
            "display_name_key": address_key(described.display_name),
            "department": described.department, "title": described.title,
            "contact_email": described.mail, "contact_email_key": address_key(described.mail or ""),
            "created_at": now, "version": 2,
        }],
        AddressRecord: [{
            "employee_id": employee_id, "source_id": found.id, "role": "directory",
            "value": described.mail, "value_key": address_key(described.mail or ""),
            "primary": True,
        }],
        LinkRecord: [{
            "source_id": found.id, "anchor": str(id_), "employee_id": employee_id,
            "applied": described.to_json(), "user_name": described.user_name,
            "user_name_key": written.user_name_key, "mail_key": address_key(described.mail or ""),
            "employee_number_key": address_key(described.employee_number or ""),
            "external_id": written.external_id, "linked_at": now,
        }],
        ScimUserRecord: [{
            "id": id_, "seq": number, "source_id": found.id, "employee_id": employee_id,
            "external_id": written.external_id, "user_name_key": written.user_name_key,
            "display_name_key": written.display_name_key, "desired_active": True,
            "document": written.document, "search": written.search,
            "created_at": now, "modified_at": now, "version": 1,
        }],
        ScimEmailRecord: [
            {"user_id": id_, "value_key": key} for key in sorted(written.email_keys)
        ],
    }  # fmt: skip


def _gathered(people: int, rows: Callable[[int], Rows]) -> Iterator[Rows]:
    """Yield rows of many people at once, table by table in the order of their references."""
    many: Rows = {}
    for number in range(1, people + 1):
        for table, each in rows(number).items():
            many.setdefault(table, []).extend(each)
        if number % BATCH == 0 or number == people:
            yield many
            many = {}


def _seed_group(
    connection: Connection, source_id: UUID, place: int, ids: Sequence[UUID], now: datetime
) -> None:
    id_ = group_id(len(ids))
    written = group_write(group(len(ids)), id_)
    row = {
        "id": id_, "seq": place, "source_id": source_id, "display_name": written.display_name,
        "display_name_key": written.display_name_key, "external_id": written.external_id,
        "document": written.document, "search": written.search,
        "created_at": now, "modified_at": now, "version": 1,
    }  # fmt: skip
    connection.execute(insert(table_of(ScimGroupRecord)), row)
    for start in range(0, len(ids), BATCH):
        members = [
            {"group_id": id_, "member_kind": "User", "member_id": member}
            for member in ids[start : start + BATCH]
        ]
        connection.execute(insert(table_of(ScimMemberRecord)), members)


def _count(connection: Connection, source_id: UUID, intranet_id: UUID, people: int) -> None:
    """Write the counters that the writes keep."""
    groups = len(group_sizes(people))
    counters, seats = table_of(ScimCounterRecord), table_of(SeatCounterRecord)
    intranets, sources = table_of(IntranetRecord), table_of(SourceRecord)
    connection.execute(
        update(counters)
        .where(counters.c.source_id == source_id)
        .values(users=people, groups=groups, next_seq=people + groups + 1)
    )
    connection.execute(update(seats).where(seats.c.intranet_id == intranet_id).values(taken=people))
    connection.execute(
        update(intranets).where(intranets.c.id == intranet_id).values(next_employee_seq=people + 1)
    )
    connection.execute(update(sources).where(sources.c.id == source_id).values(last_read=people))


def seed_floor(dsn: str, people: int, now: datetime) -> None:
    """Make the floor's tables and write the same people and groups."""
    engine, ids = create_engine(dsn), ids_of(people)
    with engine.begin() as connection:
        floor.metadata.create_all(connection)
        for start in range(1, people + 1, BATCH):
            numbers = range(start, min(start + BATCH, people + 1))
            users = [_floor_user(number, ids[number - 1], now) for number in numbers]
            connection.execute(insert(floor.users), users)
            emails = [{"value": each["user_name"], "user_seq": each["seq"]} for each in users]
            connection.execute(insert(floor.emails), emails)
        for seq, size in enumerate(group_sizes(people), start=1):
            id_ = str(group_id(size))
            document = orjson.dumps({**group(size), "id": id_})
            row = {"seq": seq, "id": id_, "name": f"group of {size}", "document": document}
            connection.execute(insert(floor.groups), row)
            members = [{"group_seq": seq, "user_id": str(member)} for member in ids[:size]]
            connection.execute(insert(floor.members), members)
        connection.execute(insert(floor.counts), {"kind": "User", "number": people})
        if engine.name == "postgresql":
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence('users', 'seq'), :last)"),
                {"last": people},
            )
    _analyze(engine)
    engine.dispose()


def _floor_user(number: int, id_: UUID, now: datetime) -> dict[str, Any]:
    resource = person(number)
    document = {
        **resource,
        "id": str(id_),
        "meta": {
            "resourceType": "User",
            "created": now.isoformat(),
            "lastModified": now.isoformat(),
            "version": 'W/"1"',
            "location": f"http://127.0.0.1/scim/v2/Users/{id_}",
        },
    }
    return {
        "seq": number,
        "id": str(id_),
        "user_name": resource["userName"].lower(),
        "external_id": resource["externalId"],
        "document": orjson.dumps(document),
    }
