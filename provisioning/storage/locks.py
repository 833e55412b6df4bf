"""Turns: what several processes may only do one after the other, until they commit."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

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
