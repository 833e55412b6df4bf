"""Turns: what several processes may only do one after the other, until they commit."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from provisioning.storage.base import Base

R = TypeVar("R", bound=Base)

_BITS = 63
"""An advisory lock of PostgreSQL is named by a signed number of 64 bits."""

_HELD = "rows held by `locked`"
"""What a session, which lives as long as its transaction, has locked; it keeps them in memory."""

_DEADLOCK = "40P01"

COMPOSING = 0x7573686572
"""Migrating, and making the intranet and its sources: two first starts at once."""


def take_turn(transaction: Connection | Session, number: int) -> None:
    """Wait until no other transaction holds this number; SQLite has one writer at a time anyway.

    Args:
        transaction: Whose commit or roll-back ends the turn.
        number: Names what is waited for: PostgreSQL's advisory locks are 64 bits, signed.
    """
    held = transaction if isinstance(transaction, Connection) else transaction.connection()
    if held.dialect.name == "postgresql":
        held.execute(select(func.pg_advisory_xact_lock(number)))


def turn_of(id_: UUID, *, other: bool = False) -> int:
    """Return the number that stands for a row in turns; `other` is a second one of the same row."""
    return (~id_.int if other else id_.int) % (1 << _BITS)


def was_deadlock(error: OperationalError) -> bool:
    """Whether PostgreSQL sent this transaction away because others and it waited in a circle."""
    return getattr(error.orig, "sqlstate", None) == _DEADLOCK


def locked(session: Session, entity: type[R], key: Any) -> R | None:
    """Return a row as it is now, and keep others from changing it until the transaction ends.

    A writing transaction of SQLite is alone from its first moment: what it has read is still so.
    Whoever asks again gets the same object: nobody else can have changed what is locked. Whoever
    rolls back to a savepoint, or writes to such a row with a statement, has to know of this.
    """
    held: dict[Any, R] = session.info.setdefault(_HELD, {})
    row = held.get((entity, key))
    if row is not None and row in session:
        return row
    if session.get_bind().dialect.name == "sqlite":
        row = session.get(entity, key)
    else:
        row = session.get(entity, key, with_for_update=True, populate_existing=True)
    if row is not None:
        held[entity, key] = row
    return row
