"""A crowd with every oddity a directory can have, stored, and as scim2-models reads it."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from scim2_models import Group
from sqlalchemy import insert, select

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import EmployeeState
from provisioning.scim.documents import parse_user, write_of
from provisioning.scim.filters import exact_key, search_of_group
from provisioning.services.container import Services
from provisioning.storage.base import Database
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.scim import (
    ScimEmailRecord,
    ScimGroupRecord,
    ScimMemberRecord,
    ScimUserRecord,
)
from tests.kit.scim_client import CORE, ENTERPRISE, OURS, ScimClient, connect
from tests.kit.scim_reference import ReferenceUser
from tests.kit.world import make_world

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
START = datetime(2026, 11, 1, tzinfo=UTC)
WORDS = (
    "Ann", "ANNA", "anna", "Müller", "MÜLLER", unicodedata.normalize("NFD", "Müller"), "Straße",
    "STRASSE", "İpek", "ıpek", "Ipek", "Иванова", "иванова", "Ёж", "ﬁn", "100%", "a_b", "axb",
    "back\\slash", 'quo"te', "it's", "; DROP TABLE scim_user --", "😀 smile", "\u10a0", "Ǆ", "Σας",
    "ΣΑΣ", "e\u0301\u0327", "\u1e9b\u0323", "zz", "Z", "a", "", " ", " blank ", "\t", "\u2028",
    "\U0010ffff", "\ud7ff", "\ue000x", "\uffff", "{a}", "[0]", "$", "null", "true", "0", "\u00a0x",
)  # fmt: skip
TYPES = ("work", "WORK", "Home", "other", "büro", "", None)
STATES = tuple(EmployeeState)


@dataclass(frozen=True)
class Crowd:
    """The same people and groups, stored and read by scim2-models."""

    users: Sequence[Any]
    groups: Sequence[Any]
    documents: Sequence[dict[str, Any]]
    """The people as they are answered, with their groups."""


def store_crowd(idp: ScimClient, size: int, seed: int) -> Crowd:
    """Store a crowd beside everything else a source has, and read it as a client does."""
    services, chance = idp.services, random.Random(seed)
    with services.context.database.write() as session:
        source_id = session.scalars(
            select(SourceRecord.id).where(SourceRecord.name == idp.source)
        ).one()
    ids = [UUID(int=chance.getrandbits(128), version=4) for _ in range(size)]
    payloads = [_payload(chance, number, ids) for number in range(size)]
    _store_users(services, source_id, ids, payloads, chance)
    groups = _store_groups(services, source_id, ids, chance)
    answered: list[dict[str, Any]] = []
    while len(answered) < size:
        answered += idp.told(startIndex=len(answered) + 1, count=200)
    for document in answered:
        told = [(each["value"], each["type"]) for each in document.get("groups", ())]
        document["groups"] = _groups_of(UUID(document["id"]), groups)
        known = [(each["value"], each["type"]) for each in document["groups"] or ()]
        assert sorted(told) == sorted(known)
    return Crowd(
        [ReferenceUser.model_validate(document) for document in answered],
        # An empty list is no value (RFC 7643 2.5), which scim2-models reads as one.
        [Group.model_validate({**group, "members": group["members"] or None}) for group in groups],
        answered,
    )


@contextmanager
def crowded(
    sqlite_url: str, postgresql_url: str, size: int, seed: int
) -> Iterator[tuple[Crowd, dict[str, Database]]]:
    """The same crowd on SQLite and on PostgreSQL: who they are, and where."""
    worlds = {"SQLite": make_world(sqlite_url), "PostgreSQL": make_world(postgresql_url)}
    try:
        one, other = (store_crowd(connect(each.services), size, seed) for each in worlds.values())
        assert one.documents == other.documents
        yield one, {name: world.services.context.database for name, world in worlds.items()}
    finally:
        for world in worlds.values():
            world.services.context.database.close()


def _payload(chance: random.Random, number: int, ids: Sequence[UUID]) -> dict[str, Any]:
    def word() -> str:
        return " ".join(chance.choices(WORDS, k=chance.choice((1, 1, 2))))

    def some(value: Any) -> Any:
        return value if chance.random() < 0.6 else None

    def entry(**more: Any) -> dict[str, Any]:
        parts = {"value": some(word()), "display": some(word()), "type": chance.choice(TYPES)}
        return parts | {"primary": some(chance.random() < 0.3)} | more

    def entries(**more: Any) -> list[dict[str, Any]]:
        return _one_primary([entry(**more) for _ in range(chance.choice((0, 1, 1, 2, 3)))])

    name_parts = ("formatted", "familyName", "givenName", "middleName", "honorificPrefix")
    return {
        "schemas": [CORE],
        "userName": f"{word()}.{number}@Corp.Example",
        "externalId": some(f"{word()}{number}"),
        "displayName": some(word()),
        "nickName": some(word()),
        "title": some(word()),
        "locale": some(chance.choice(("de-DE", "DE-de", "en"))),
        "profileUrl": some(chance.choice(("https://X.example/A", "https://x.example/a"))),
        "active": some(chance.random() < 0.7),
        "name": some({part: some(word()) for part in name_parts}),
        "emails": entries(),
        "phoneNumbers": entries(),
        "roles": some(entries()),
        "photos": some([{"value": "https://x.example/P", "type": "photo"}]),
        "addresses": some([{"country": some("DE"), "locality": some(word()), "type": "Work"}]),
        "x509Certificates": some([{"value": chance.choice(("aGVsbG8=", "AAEC"))}]),
        ENTERPRISE: some(
            {
                "department": some(word()),
                "employeeNumber": some(str(number)),
                "manager": some({"value": str(chance.choice(ids)), "$ref": "../Users/x"}),
            }
        ),
        OURS: some({"mailbox": some(chance.choice(("Ann@mail.example", word())))}),
    }


def _one_primary(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    primary = [entry for entry in entries if entry["primary"]]
    for entry in primary[1:]:
        entry["primary"] = False
    return entries


def _store_users(
    services: Services,
    source_id: UUID,
    ids: Sequence[UUID],
    payloads: Sequence[dict[str, Any]],
    chance: random.Random,
) -> None:
    users, emails, employees = [], [], []
    for number, (id_, payload) in enumerate(zip(ids, payloads, strict=True), start=1):
        given = {key: value for key, value in payload.items() if value is not None}
        write = write_of(parse_user(given, replacing=False), id_, "idp", None)
        employee = chance.random() < 0.7
        if employee:
            employees.append(_employee(services, id_, number, chance))
        users.append(
            {
                "id": id_,
                "seq": number,
                "source_id": source_id,
                "employee_id": id_ if employee else None,
                "external_id": write.external_id,
                "user_name_key": write.user_name_key,
                "display_name_key": write.display_name_key,
                "desired_active": write.person.active,
                "document": write.document,
                "search": write.search,
                "created_at": START + timedelta(hours=number % 7),
                "modified_at": START + timedelta(hours=number % 5, microseconds=number % 3),
                "version": number % 12 + 1,
            }
        )
        emails += [{"user_id": id_, "value_key": key} for key in write.email_keys]
    with services.context.database.write() as session:
        session.execute(insert(EmployeeRecord.__table__), employees)
        session.execute(insert(ScimUserRecord.__table__), users)
        session.execute(insert(ScimEmailRecord.__table__), emails)


def _employee(services: Services, id_: UUID, number: int, chance: random.Random) -> dict[str, Any]:
    moment = START + timedelta(hours=number % 9)
    return {
        "id": id_,
        "intranet_id": services.context.intranet_id,
        "seq": number + 1_000_000,
        "state": chance.choice(STATES),
        "state_reason": chance.choice(("", "no_seat", "No_Seat")),
        "because": chance.choice(("", "new in idp", "Ann's own wish")),
        "state_since": START,
        "display_name": "x",
        "display_name_key": "x",
        "contact_email": chance.choice((None, "Ann@corp.example", "ann@corp.example")),
        "accepted_at": chance.choice((None, moment)),
        "dismissed_at": chance.choice((None, moment)),
        "created_at": START,
        "version": 1,
    }


def _store_groups(
    services: Services, source_id: UUID, ids: Sequence[UUID], chance: random.Random
) -> list[dict[str, Any]]:
    """Store twelve groups: some within others, two within each other, one empty."""
    groups = []
    for number, name in enumerate(chance.choices(WORDS, k=12)):
        people = [] if number == 0 else chance.sample(list(ids), k=min(len(ids), number))
        groups.append(
            {
                "schemas": [GROUP],
                "id": str(UUID(int=chance.getrandbits(128), version=4)),
                "displayName": name,
                "externalId": chance.choice((None, "", f"Team {number}")),
                "members": [{"value": str(id_), "type": "User"} for id_ in people],
            }
        )
    for outer, inner in ((1, 2), (2, 3), (3, 4), (4, 2), (5, 6), (6, 5), (7, 11)):
        groups[outer]["members"].append({"value": groups[inner]["id"], "type": "Group"})
    rows = [_group_row(group, number, source_id) for number, group in enumerate(groups, start=1)]
    members = [
        {
            "group_id": UUID(group["id"]),
            "member_kind": member["type"],
            "member_id": UUID(member["value"]),
        }
        for group in groups
        for member in group["members"]
    ]
    with services.context.database.write() as session:
        session.execute(insert(ScimGroupRecord.__table__), rows)
        session.execute(insert(ScimMemberRecord.__table__), members)
    for group, row in zip(groups, rows, strict=True):
        group["meta"] = {
            "resourceType": "Group",
            "created": row["created_at"].isoformat(),
            "lastModified": row["modified_at"].isoformat(),
            "version": f'W/"{row["version"]}"',
        }
    return groups


def _group_row(group: dict[str, Any], number: int, source_id: UUID) -> dict[str, Any]:
    document = {
        key: value for key, value in group.items() if key != "members" and value is not None
    }
    return {
        "id": UUID(group["id"]),
        "seq": number,
        "source_id": source_id,
        "display_name": group["displayName"],
        "display_name_key": address_key(group["displayName"]),
        "external_id": exact_key(group["externalId"] or "") or None,
        "document": orjson.dumps(document),
        "search": search_of_group(document),
        "created_at": START,
        "modified_at": START + timedelta(hours=number % 3),
        "version": number,
    }


def _groups_of(user_id: UUID, groups: Sequence[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the groups somebody is in, without a database (RFC 7643 4.1.2)."""

    def holds(group: dict[str, Any], wanted: str) -> bool:
        return any(member["value"] == wanted for member in group["members"])

    def around(wanted: str) -> Iterator[dict[str, Any]]:
        return (group for group in groups if holds(group, wanted))

    direct = list(around(str(user_id)))
    found: dict[str, dict[str, Any]] = {}
    ahead = direct
    while ahead:
        group, *ahead = ahead
        if group["id"] not in found:
            found[group["id"]] = group
            ahead = [*ahead, *around(group["id"])]
    own = {group["id"] for group in direct}
    return [
        {
            "value": group["id"],
            "display": group["displayName"],
            "type": "direct" if group["id"] in own else "indirect",
        }
        for group in found.values()
    ] or None
