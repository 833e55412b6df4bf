"""Turns of those who write to one SQLite file."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from provisioning.storage import base
from provisioning.storage.base import Database
from provisioning.storage.models.intranets import IntranetRecord
from provisioning.storage.writers import WriterQueue

HOLD = """
import sys, time
from provisioning.storage.base import Database
from provisioning.storage.models.intranets import IntranetRecord
with Database(sys.argv[1]).write() as session:
    session.add(IntranetRecord(slug="held", name="Held"))
    session.flush()
    print("holding", flush=True)
    time.sleep(600)
"""


@contextmanager
def holding(url):
    """Another process in the middle of its writing transaction."""
    with subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"holding\n"
            yield process
        finally:
            process.kill()


def write(database, slug="mine"):
    with database.write() as session:
        session.add(IntranetRecord(slug=slug, name=slug))


def slugs(database):
    with database.read() as session:
        return set(session.scalars(select(IntranetRecord.slug)))


def test_one_holds_the_turn_and_the_next_gets_it_when_it_is_given_back(tmp_path):
    (tmp_path / "usher.db").touch()
    queue = WriterQueue(str(tmp_path / "usher.db"), patience=60)
    inside, order, waiting = threading.Event(), [], threading.Event()

    def second():
        waiting.set()
        with queue.turn():
            order.append("second")

    thread = threading.Thread(target=second)
    with queue.turn():
        thread.start()
        assert waiting.wait(10)
        inside.wait(0.05)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_database_asks_for_a_turn_before_it_writes(sqlite_url, tmp_path, monkeypatch):
    """Nothing but the file is held here: SQLite itself would let the writer in."""
    monkeypatch.setattr(base, "BUSY_TIMEOUT_MS", 0)
    database = Database(sqlite_url)
    held = WriterQueue(str(tmp_path / "usher.db"), patience=60).turn()
    with held, pytest.raises(OperationalError, match="locked"):
        write(database)
    write(database)
    assert slugs(database) == {"mine"}
    database.close()


def test_whoever_is_killed_in_their_turn_keeps_nobody_waiting(sqlite_url):
    """R5: what they had not committed is gone, the turn is the next one's."""
    database = Database(sqlite_url)
    with holding(sqlite_url) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        began = time.monotonic()
        write(database)
        assert time.monotonic() - began < base.BUSY_TIMEOUT_MS / 1000
    assert slugs(database) == {"mine"}
    database.close()


def test_whoever_waits_too_long_is_told_that_the_database_is_busy(sqlite_url, monkeypatch):
    """A stopped process blocks nobody for ever: the client gets its 503 and comes again."""
    monkeypatch.setattr(base, "BUSY_TIMEOUT_MS", 200)
    database = Database(sqlite_url)
    with holding(sqlite_url), pytest.raises(OperationalError, match="locked"):
        write(database)
    assert slugs(database) == set()
    database.close()


def test_whoever_waits_for_a_turn_in_vain_does_not_wait_for_sqlite_as_well(tmp_path):
    """One time-out, not one after the other: a client gives up, too."""
    path = str(tmp_path / "usher.db")
    Path(path).touch()
    with (
        WriterQueue(path, patience=60).turn(),
        pytest.raises(OperationalError, match="locked"),
        WriterQueue(path, patience=0).turn(),
    ):
        raise AssertionError("two at once")


def test_the_file_belongs_to_whom_the_database_belongs(sqlite_url, tmp_path):
    """A command of root that writes first locks the service out no more than SQLite does."""
    path = tmp_path / "usher.db"
    path.chmod(0o660)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    database = Database(sqlite_url)
    write(database)
    made, like = Path(f"{path}-writers").stat(), path.stat()
    assert (made.st_mode, made.st_uid, made.st_gid) == (like.st_mode, like.st_uid, like.st_gid)
    database.close()


def test_without_a_file_to_lock_sqlite_keeps_writers_apart(sqlite_url, tmp_path, monkeypatch):
    """A right that is missing or a disk that is full: the turn is a courtesy, SQLite the wall."""
    (tmp_path / "usher.db-writers").mkdir()
    monkeypatch.setattr(base, "BUSY_TIMEOUT_MS", 200)
    database = Database(sqlite_url)
    with holding(sqlite_url), pytest.raises(OperationalError, match="locked"):
        write(database)
    write(database)
    assert slugs(database) == {"mine"}
    database.close()


def test_a_file_system_without_locks_has_no_turns(sqlite_url, monkeypatch):
    def cannot(*_args):
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", cannot)
    database = Database(sqlite_url)
    write(database)
    assert slugs(database) == {"mine"}
    database.close()


def test_a_file_that_is_removed_while_it_is_in_use_lets_nobody_in(
    sqlite_url, tmp_path, monkeypatch
):
    """Whoever makes a new one meets SQLite's own lock."""
    monkeypatch.setattr(base, "BUSY_TIMEOUT_MS", 200)
    database = Database(sqlite_url)
    with holding(sqlite_url):
        (tmp_path / "usher.db-writers").unlink()
        with pytest.raises(OperationalError, match="locked"):
            write(database)
    write(database)
    assert slugs(database) == {"mine"}
    database.close()
