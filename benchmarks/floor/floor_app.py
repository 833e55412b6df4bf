"""The floor: the least a Flask and SQLAlchemy Core service can do and still answer SCIM.

For measurements only: no schema validation, no filter grammar, no ETag, no rules about people.
It keeps the rendered JSON beside indexed columns and splices pages out of stored bytes, so
whatever Usher costs more than this is what Usher does more. Its tables are made and filled by
the benchmark.

    FLOOR_DSN=sqlite:///floor.db | postgresql+psycopg://user@host:port/database
    FLOOR_TOKEN=bench
"""

from __future__ import annotations

import hmac
import os
import re
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask, Response, request
from sqlalchemy import BindParameter, Connection, bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from benchmarks.floor.database import IS_SQLITE, reading, writing
from benchmarks.floor.tables import counts, emails, groups, members, users

CONTENT_TYPE = "application/scim+json"
LIST_HEAD = (
    b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],'
    b'"totalResults":%d,"itemsPerPage":%d,"startIndex":%d,"Resources":['
)
BULK_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
TOKEN = ("Bearer " + os.environ.get("FLOOR_TOKEN", "bench")).encode()
FILTER = re.compile(r'(\S+) eq "(.*)"')
MEMBER = re.compile(r'members\[value eq "(.*)"\]')

# Every statement is made once; only its values differ.
VALUE: BindParameter[str] = bindparam("value")
ONE = select(users.c.document).where(users.c.id == VALUE)
ONE_TO_WRITE = select(users.c.seq, users.c.document).where(users.c.id == VALUE)
BY_FILTER = {
    "userName": select(users.c.document).where(users.c.user_name == VALUE),
    "externalId": select(users.c.document).where(users.c.external_id == VALUE),
    "emails.value": select(users.c.document)
    .join(emails, emails.c.user_seq == users.c.seq)
    .where(emails.c.value == VALUE),
}
COUNT = select(counts.c.number).where(counts.c.kind == "User")
# A narrow index carries the offset; rows are fetched for the page only.
_PLACES = (
    select(users.c.seq, users.c.user_name)
    .order_by(users.c.user_name)
    .limit(bindparam("number"))
    .offset(bindparam("offset"))
    .subquery()
)
PAGE = (
    select(users.c.document)
    .join(_PLACES, _PLACES.c.seq == users.c.seq)
    .order_by(_PLACES.c.user_name)
)
GROUP = select(groups.c.seq, groups.c.document).where(groups.c.id == VALUE)
GROUPS_BY_NAME = select(groups.c.document).where(groups.c.name == VALUE)
MEMBERS = select(members.c.user_id).where(members.c.group_seq == VALUE)
ADD_USER = insert(users).returning(users.c.seq)
ADD_GROUP = insert(groups).returning(groups.c.seq)
ADD_MEMBER = (sqlite if IS_SQLITE else postgresql).insert(members).on_conflict_do_nothing()
COUNT_UP = counts.update().where(counts.c.kind == "User").values(number=counts.c.number + 1)
STORE = users.update().where(users.c.seq == bindparam("at")).values(document=bindparam("new"))
DROP_EMAILS = emails.delete().where(emails.c.user_seq == VALUE)
DROP_MEMBER = members.delete().where(
    members.c.group_seq == bindparam("group"), members.c.user_id == bindparam("user")
)

app = Flask(__name__)


def reply(body: bytes, status: int = 200) -> Response:
    return Response(body, status, content_type=CONTENT_TYPE)


def read_body() -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(request.get_data(cache=False))
    return body


def list_of(documents: Any, total: int, start: int = 1) -> Response:
    head = LIST_HEAD % (total, len(documents), start)
    return reply(b"".join((head, b",".join(documents), b"]}")))


@app.before_request
def refuse_strangers() -> Response | None:
    given = request.headers.get("Authorization", "").encode()
    return None if hmac.compare_digest(given, TOKEN) else reply(b"{}", 401)


@app.get("/scim/v2/Users/<user_id>")
def get_user(user_id: str) -> Response:
    with reading.connect() as connection:
        document = connection.execute(ONE, {"value": user_id}).scalar()
    return reply(document) if document else reply(b"{}", 404)


@app.get("/scim/v2/Users")
def list_users() -> Response:
    wanted = FILTER.fullmatch(request.args.get("filter", ""))
    with reading.connect() as connection:
        if wanted:
            value = wanted[2] if wanted[1] == "externalId" else wanted[2].lower()
            found = connection.execute(BY_FILTER[wanted[1]], {"value": value}).scalars().all()
            return list_of(found, len(found))
        start = int(request.args.get("startIndex", 1))
        number = min(int(request.args.get("count", 100)), 1000)
        total = connection.execute(COUNT).scalar() or 0
        page = {"number": number, "offset": start - 1}
        return list_of(connection.execute(PAGE, page).scalars().all(), total, start)


def add_user(connection: Connection, resource: dict[str, Any]) -> bytes:
    resource["id"] = user_id = str(uuid.uuid4())
    now = datetime.now(UTC).isoformat()
    resource["meta"] = {
        "resourceType": "User",
        "created": now,
        "lastModified": now,
        "version": 'W/"1"',
        "location": f"http://127.0.0.1/scim/v2/Users/{user_id}",
    }
    document = orjson.dumps(resource)
    row = {
        "id": user_id,
        "user_name": resource["userName"].lower(),
        "external_id": resource.get("externalId"),
        "document": document,
    }
    seq = connection.execute(ADD_USER, row).scalar_one()
    add_emails(connection, seq, resource)
    connection.execute(COUNT_UP)
    return document


def add_emails(connection: Connection, seq: int, resource: dict[str, Any]) -> None:
    found = [
        {"value": email["value"].lower(), "user_seq": seq} for email in resource.get("emails", [])
    ]
    if found:
        connection.execute(insert(emails), found)


@app.post("/scim/v2/Users")
def create_user() -> Response:
    resource = read_body()
    try:
        with writing.begin() as connection:
            document = add_user(connection, resource)
    except IntegrityError:
        return reply(b'{"scimType":"uniqueness"}', 409)
    return reply(document, 201)


@app.route("/scim/v2/Users/<user_id>", methods=["PUT", "PATCH"])
def write_user(user_id: str) -> Response:
    body = read_body()
    with writing.begin() as connection:
        row = connection.execute(ONE_TO_WRITE, {"value": user_id}).first()
        if row is None:
            return reply(b"{}", 404)
        stored = orjson.loads(row.document)
        if request.method == "PUT":
            resource = {**body, "id": stored["id"], "meta": stored["meta"]}
            connection.execute(DROP_EMAILS, {"value": row.seq})
            add_emails(connection, row.seq, resource)
        else:
            changes = {each["path"]: each["value"] for each in body["Operations"]}
            resource = {**stored, **changes}
        resource["meta"]["lastModified"] = datetime.now(UTC).isoformat()
        document = orjson.dumps(resource)
        connection.execute(STORE, {"at": row.seq, "new": document})
    return reply(document)


@app.post("/scim/v2/Groups")
def create_group() -> Response:
    resource = read_body()
    named = resource.pop("members", [])
    resource["id"] = str(uuid.uuid4())
    document = orjson.dumps(resource)
    row = {"id": resource["id"], "name": resource["displayName"].lower(), "document": document}
    with writing.begin() as connection:
        add_members(connection, connection.execute(ADD_GROUP, row).scalar_one(), named)
    return reply(document, 201)


def add_members(connection: Connection, seq: int, named: list[dict[str, str]]) -> None:
    if named:
        rows = [{"group_seq": seq, "user_id": each["value"]} for each in named]
        connection.execute(ADD_MEMBER, rows)


@app.get("/scim/v2/Groups/<group_id>")
def get_group(group_id: str) -> Response:
    with reading.connect() as connection:
        row = connection.execute(GROUP, {"value": group_id}).first()
        if row is None:
            return reply(b"{}", 404)
        ids = connection.execute(MEMBERS, {"value": row.seq}).scalars().all()
    joined = '"},{"type":"User","value":"'.join(ids)
    shown = f'{{"type":"User","value":"{joined}"}}' if ids else ""
    return reply(row.document[:-1] + f',"members":[{shown}]}}'.encode())


@app.get("/scim/v2/Groups")
def list_groups() -> Response:
    wanted = FILTER.fullmatch(request.args["filter"])
    value = wanted[2].lower() if wanted else ""
    with reading.connect() as connection:
        found = connection.execute(GROUPS_BY_NAME, {"value": value}).scalars().all()
    return list_of(found, len(found))


@app.patch("/scim/v2/Groups/<group_id>")
def patch_group(group_id: str) -> Response:
    body = read_body()
    with writing.begin() as connection:
        row = connection.execute(GROUP, {"value": group_id}).first()
        if row is None:
            return reply(b"{}", 404)
        for each in body["Operations"]:
            if each["op"] == "add":
                add_members(connection, row.seq, each["value"])
            elif leaving := MEMBER.fullmatch(each["path"]):
                connection.execute(DROP_MEMBER, {"group": row.seq, "user": leaving[1]})
    return Response(status=204)


@app.post("/scim/v2/Bulk")
def bulk() -> Response:
    done = []
    with writing.begin() as connection:
        for each in read_body()["Operations"]:
            document = orjson.loads(add_user(connection, each["data"]))
            location = document["meta"]["location"]
            done.append(
                {"method": "POST", "bulkId": each["bulkId"], "status": "201", "location": location}
            )
    return reply(orjson.dumps({"schemas": [BULK_SCHEMA], "Operations": done}))
