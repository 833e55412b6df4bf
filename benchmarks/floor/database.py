"""The two engines of the floor: one that looks without transactions, one that writes."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

DSN = os.environ.get("FLOOR_DSN", "sqlite:///floor.db")
IS_SQLITE = DSN.startswith("sqlite")
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=10000",
    "cache_size=-32000",
    "mmap_size=268435456",
    "temp_store=memory",
)


def _open(**options: Any) -> Engine:
    engine = create_engine(DSN, pool_size=4, **options)
    if IS_SQLITE:
        event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


writing = _open()
reading = _open(isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
if IS_SQLITE:
    event.listen(writing, "begin", _begin_immediate)
