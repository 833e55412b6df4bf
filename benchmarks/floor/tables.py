"""The tables of the floor: a rendered document beside the columns it is looked up by."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

users = Table(
    "users",
    metadata,
    Column("seq", _NUMBER, primary_key=True),
    Column("id", Text, unique=True),
    Column("user_name", Text, unique=True),
    Column("external_id", Text, index=True),
    Column("document", LargeBinary),
)
emails = Table(
    "emails",
    metadata,
    Column("value", Text),
    Column("user_seq", _NUMBER, index=True),
    Index("ix_emails", "value", "user_seq"),
)
groups = Table(
    "groups",
    metadata,
    Column("seq", _NUMBER, primary_key=True),
    Column("id", Text, unique=True),
    Column("name", Text, index=True),
    Column("document", LargeBinary),
)
members = Table(
    "members",
    metadata,
    Column("group_seq", _NUMBER, primary_key=True),
    Column("user_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)
counts = Table(
    "counts",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("number", Integer),
)
