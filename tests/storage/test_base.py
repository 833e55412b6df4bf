"""How the database is opened: times, keys, and what SQLite forgets."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from provisioning.storage.base import Database
from provisioning.storage.models.accounts import AccountRecord
from provisioning.storage.models.intranets import IntranetRecord, SeatCounterRecord


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    yield database
    database.close()


def test_times_come_back_as_aware_utc(database):
    tokyo = datetime(2026, 11, 24, 9, tzinfo=timezone(timedelta(hours=9)))
    with database.write() as session:
        session.add(AccountRecord(created_at=tokyo))
    with database.read() as session:
        found = session.scalars(select(AccountRecord.created_at)).one()
    assert (found, found.tzinfo) == (tokyo, UTC)


def test_a_naive_time_is_refused(database):
    """It would be somebody's local time by accident."""
    with (
        pytest.raises(StatementError, match="without a zone"),
        database.write() as session,
    ):
        session.add(AccountRecord(created_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the point
        session.flush()


def test_an_error_undoes_the_whole_transaction(database):
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(IntranetRecord(slug="a", name="A"))
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.scalars(select(IntranetRecord)).all() == []


def test_foreign_keys_are_enforced(database):
    from uuid import uuid4

    with pytest.raises(IntegrityError), database.write() as session:
        session.add(SeatCounterRecord(intranet_id=uuid4(), taken=0))
        session.flush()


def test_eight_writers_that_read_first_lose_no_write(database):
    """A deferred SQLite transaction would fail at once here, whatever the time-out."""
    with database.write() as session:
        session.add(IntranetRecord(slug="a", name="A", next_employee_seq=0))

    def count_up():
        for _ in range(10):
            with database.write() as session:
                row = session.scalars(select(IntranetRecord).with_for_update()).one()
                row.next_employee_seq += 1

    writers = [threading.Thread(target=count_up) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with database.read() as session:
        assert session.scalars(select(IntranetRecord.next_employee_seq)).one() == 80


def test_sqlite_is_durable_and_checks_itself(sqlite_url):
    database = Database(sqlite_url)
    with database.write() as session:
        found = [
            session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    database.close()
    assert found == ["wal", 2, 1]
