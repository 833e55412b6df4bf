"""Look-ups that clients send for every person go through an index, not through everybody."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from provisioning.scim.filters import email_keys, group_condition, search_of_user, user_condition
from provisioning.services.scim_resources import _NAMED_ALIKE
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.scim import (
    ScimEmailRecord,
    ScimGroupRecord,
    ScimMemberRecord,
    ScimUserRecord,
)

PEOPLE = 3_000
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def user_id(number: int) -> UUID:
    return UUID(int=number + 1, version=4)


def group_id(number: int) -> UUID:
    return UUID(int=number + 1_000_000, version=4)


@pytest.fixture
def database(world, idp):
    """Thousands of people in five of as many groups, and what databases remember of that."""
    database = world.services.context.database
    with database.write() as session:
        source_id = session.scalars(select(SourceRecord.id).where(SourceRecord.name == "idp")).one()
        users = [row_of_user(number, source_id) for number in range(PEOPLE)]
        session.execute(insert(ScimUserRecord.__table__), users)
        emails = [
            {"user_id": user["id"], "value_key": key}
            for user in users
            for key in email_keys(user["search"])
        ]
        session.execute(insert(ScimEmailRecord.__table__), emails)
        groups = [row_of_group(number, source_id) for number in range(PEOPLE)]
        session.execute(insert(ScimGroupRecord.__table__), groups)
        members = [
            {
                "group_id": group_id((number + nth * 7) % PEOPLE),
                "member_kind": "User",
                "member_id": user_id(number),
            }
            for number in range(PEOPLE)
            for nth in range(5)
        ]
        session.execute(insert(ScimMemberRecord.__table__), members)
        session.execute(text("ANALYZE"))
    return database, source_id


def row_of_user(number, source_id):
    name = f"p{number}@corp.example"
    document = {"userName": name, "id": str(user_id(number)), "emails": [{"value": name}]}
    return {
        "id": user_id(number),
        "seq": number,
        "source_id": source_id,
        "external_id": f"x{number}",
        "user_name_key": name,
        "display_name_key": f"p {number}",
        "desired_active": True,
        "document": b"{}",
        "search": search_of_user(document),
        "created_at": NOON,
        "modified_at": NOON.replace(microsecond=number),
        "version": 1,
    }


def row_of_group(number, source_id):
    return {
        "id": group_id(number),
        "seq": number,
        "source_id": source_id,
        "display_name": f"G {number}",
        "display_name_key": f"g {number}",
        "external_id": f"x{number}",
        "document": b"{}",
        "search": {"displayname": f"g {number}"},
        "created_at": NOON,
        "modified_at": NOON,
        "version": 1,
    }


OF_USERS = [
    'userName eq "P7@corp.example"',
    'userName sw "p77"',
    'externalId eq "x7"',
    'displayName eq "P 7"',
    f'id eq "{user_id(7)}"',
    'emails.value eq "p7@corp.example"',
    'emails eq "p7@corp.example"',
    'emails[type eq "work"].value eq "p7@corp.example"',
    'emails[type eq "work" and value eq "p7@corp.example"]',
    f'id eq "{user_id(7)}" and manager eq "{user_id(8)}"',
    'meta.lastModified gt "2026-11-23T12:00:00.002990Z"',
    f'groups.value eq "{group_id(7)}"',
    f'groups[type eq "direct" and value eq "{group_id(7)}"]',
]
OF_GROUPS = [
    'displayName eq "G 7"',
    'externalId eq "x7"',
    f'id eq "{group_id(7)}"',
    f'members eq "{user_id(7)}"',
    f'members.value eq "{user_id(7)}"',
    f'members[value eq "{user_id(7)}"]',
    f'id eq "{group_id(7)}" and members eq "{user_id(7)}"',
]


def plan_of(database, query):
    """How a database would answer, each step a line."""
    dialect = sqlite.dialect() if database.is_sqlite else postgresql.dialect()
    sql = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.read() as session:
        rows = session.connection().exec_driver_sql(explain + sql.replace("%", "%%")).all()
    return [row[-1] for row in rows]


def scanned(plan):
    """The tables that are read from one end to the other."""
    named = ("scim_user", "scim_group", "scim_member", "scim_email")
    return [
        line
        for line in plan
        if ("Seq Scan" in line or line.startswith("SCAN")) and any(name in line for name in named)
    ]


def test_hot_look_ups_read_no_table_from_end_to_end(database):
    """Per person in a cycle of a provider, so a scan would make a cycle quadratic."""
    database, source_id = database
    user, group = ScimUserRecord, ScimGroupRecord
    for wanted in OF_USERS:
        query = select(user.id).where(
            user.source_id == source_id, user.hidden_at.is_(None), user_condition(wanted)
        )
        plan = plan_of(database, query)
        assert not scanned(plan), (wanted, plan)
        assert not any("ix_scim_user_page" in line for line in plan), (wanted, plan)
    for wanted in OF_GROUPS:
        query = select(group.id).where(group.source_id == source_id, group_condition(wanted))
        assert not scanned(plan_of(database, query)), (wanted, plan_of(database, query))


def test_whether_a_name_is_taken_is_looked_up_by_both_indexes(database):
    """Before every creation and PUT: the first load of a company must not be quadratic."""
    database, source_id = database
    values = {"this_source_id": source_id, "user_name": "p7@corp.example", "external_id": "x8"}
    plan = plan_of(database, _NAMED_ALIKE.params(values))
    sought = [line for line in plan if line.startswith("SEARCH") or "Index Cond" in line]
    for key in ("user_name_key", "external_id"):
        assert any(key in line for line in sought), plan


def test_a_filter_of_the_same_shape_is_compiled_once():
    """Values are bound, so that a database sees the same text for everybody."""

    def shape(wanted):
        return select(ScimUserRecord.id).where(user_condition(wanted))._generate_cache_key().key

    ann, bob = 'emails[type eq "work"].value eq "{}"', 'userName sw "{}" or not (title pr)'
    for wanted in (ann, bob):
        assert shape(wanted.format("ann")) == shape(wanted.format("bob"))
    assert shape(ann) != shape(bob)
