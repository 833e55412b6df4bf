"""The floor: the least a Flask and SQLAlchemy Core service can do and still answer SCIM.

For measurements only: no schema validation, no filter grammar, no rules about people. It keeps
the rendered JSON beside indexed columns and splices pages out of stored bytes, so whatever
Usher costs more than this is what Usher does more.

    FLOOR_DSN=sqlite:///floor.db   FLOOR_TOKEN=bench
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
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError

CONTENT_TYPE = "application/scim+json"
LIST_HEAD = (
    b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],'
    b'"totalResults":%d,"itemsPerPage":%d,"startIndex":%d,"Resources":['
)
FILTER = re.compile(r'^(\S+) eq "(.*)"$')
TOKEN = ("Bearer " + os.environ.get("FLOOR_TOKEN", "bench")).encode()

metadata = MetaData()
users = Table(
    "users",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, unique=True),
    Column("user_name", Text, unique=True),
    Column("external_id", Text, index=True),
    Column("document", LargeBinary),
)
counts = Table("counts", metadata, Column("number", Integer))


def open_engine(dsn: str, **options: Any) -> Engine:
    engine = create_engine(dsn, **options)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
            connection.execute("PRAGMA " + pragma)

    return engine


DSN = os.environ.get("FLOOR_DSN", "sqlite:///floor.db")
writing = open_engine(DSN)
reading = open_engine(DSN, isolation_level="AUTOCOMMIT")


@event.listens_for(writing, "begin")
def begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


with writing.begin() as first:
    metadata.create_all(first)
    if first.execute(select(counts)).first() is None:
        first.execute(insert(counts).values(number=0))

app = Flask(__name__)


def reply(body: bytes, status: int = 200) -> Response:
    return Response(body, status, content_type=CONTENT_TYPE)


def denied() -> bool:
    return not hmac.compare_digest(request.headers.get("Authorization", "").encode(), TOKEN)


@app.get("/scim/v2/Users")
def list_users() -> Response:
    if denied():
        return reply(b"{}", 401)
    start, wanted = 1, request.args.get("filter")
    with reading.connect() as connection:
        if wanted:
            _, value = FILTER.match(wanted).groups()  # type: ignore[union-attr]
            query = select(users.c.document).where(users.c.user_name == value.lower())
            documents = connection.execute(query).scalars().all()
            total = len(documents)
        else:
            start = int(request.args.get("startIndex", 1))
            number = min(int(request.args.get("count", 100)), 1000)
            total = connection.execute(select(counts)).scalar() or 0
            page = select(users.c.document).order_by(users.c.seq).limit(number).offset(start - 1)
            documents = connection.execute(page).scalars().all()
    head = LIST_HEAD % (total, len(documents), start)
    return reply(b"".join((head, b",".join(documents), b"]}")))


@app.get("/scim/v2/Users/<user_id>")
def get_user(user_id: str) -> Response:
    if denied():
        return reply(b"{}", 401)
    with reading.connect() as connection:
        document = connection.execute(
            select(users.c.document).where(users.c.id == user_id)
        ).scalar()
    return reply(document) if document else reply(b"{}", 404)


@app.post("/scim/v2/Users")
def create_user() -> Response:
    if denied():
        return reply(b"{}", 401)
    resource = orjson.loads(request.get_data(cache=False))
    resource["id"] = str(uuid.uuid4())
    now = datetime.now(UTC).isoformat()
    resource["meta"] = {"resourceType": "User", "created": now, "lastModified": now}
    document = orjson.dumps(resource)
    row = {
        "id": resource["id"],
        "user_name": resource["userName"].lower(),
        "external_id": resource.get("externalId"),
        "document": document,
    }
    try:
        with writing.begin() as connection:
            connection.execute(insert(users), row)
            connection.execute(text("UPDATE counts SET number = number + 1"))
    except IntegrityError:
        return reply(b'{"scimType":"uniqueness"}', 409)
    return reply(document, 201)
