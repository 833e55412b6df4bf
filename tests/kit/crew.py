"""Four schedulers, real processes, on one database and one clock that a test sets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from provisioning.services.invitations import INVITATION_LETTER
from provisioning.storage.base import Database
from provisioning.storage.models.effects import OutboxRecord
from provisioning.storage.models.runs import JobRunRecord, RunRecord
from tests.kit.documents import ROOT

SIZE = 4
PATIENCE = 200
WHILE_STOPPED = 8
"""Seconds for the others to look while one is stopped; shorter than they wait for a lock."""

FIRST_NIGHT = datetime(2026, 10, 10, 1, 59, tzinfo=ZoneInfo("Europe/Berlin"))
"""So that thirty nights go over the end of summer time."""

CONFIG = """
[intranet]
time_zone = "Europe/Berlin"
[schedule]
nightly_at = "02:00"
[sources.corp]
type = "ldif"
path = "{folder}/corp.ldif"
first_run = "apply"
"""
ENTRY = """
dn: uid=p{number},ou=People,dc=corp,dc=example
objectClass: inetOrgPerson
uid: p{number}
cn: P{number}
sn: P{number}
mail: p{number}@corp.example
entryUUID: 00000000-0000-0000-0000-{number:012}
"""


class Crew:
    """Processes that all look at the same nights."""

    def __init__(self, folder: Path, url: str, size: int = SIZE) -> None:
        self._size = size
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "SECRET_KEY": "a secret of this test and no other",
            "USHER_CONFIG": str(folder / "usher.toml"),
            "DATABASE_URL": url,
            "PYTHONPATH": str(ROOT),
        }
        (folder / "usher.toml").write_text(CONFIG.format(folder=folder))
        self._set_clock(FIRST_NIGHT)
        self.database = Database(url)

    @contextmanager
    def on_duty(self) -> Iterator[None]:
        """Start all of them; each has to stop by SIGTERM."""
        try:
            for _ in range(self._size):
                self.start()
            self.wait_for_looks()
            yield
        finally:
            for process in self._processes:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM)
            codes = [process.wait(timeout=60) for process in self._processes]
            self.database.close()
        assert codes == [0] * len(codes)

    def night(self, number: int) -> None:
        """Two people come by day; then it is two o'clock, and everybody awake has looked."""
        people = range(1, 2 * number + 1)
        entries = "".join(ENTRY.format(number=one) for one in people)
        text = f"version: 1\n{entries}\n# search result\n# numEntries: {len(people)}\n"
        new = self._folder / "corp.new"
        new.write_text(text)
        new.rename(self._folder / "corp.ldif")
        self._set_clock(self.now.replace(hour=2, minute=1))

    def day(self) -> None:
        """A minute before the next night."""
        self._set_clock(self.now.replace(hour=1, minute=59) + timedelta(days=1))

    def pass_by(self, while_: timedelta) -> None:
        """Let time pass for everybody."""
        self._set_clock(self.now + while_)

    def wait_for_looks(self, patience: float = PATIENCE) -> bool:
        """Wait until everybody who is not stopped has looked at the night as of now.

        Whoever is stopped with the database locked keeps all others from looking: with less
        than the usual patience that is no failure, and false is returned.
        """

        def looked() -> bool:
            awake = [one.pid for one in self._processes if one.pid not in self.stopped()]
            files = [self._folder / f"{pid}.looked" for pid in awake]
            return all(file.exists() and file.read_text() == self.now.isoformat() for file in files)

        return self._wait(looked, patience)

    def wait_for_a_stop(self) -> int:
        """Wait until the one that runs the night has stopped itself; returns its number."""
        self._wait(lambda: bool(self.stopped()))
        return self.stopped()[0]

    def stop_in_the_middle(self) -> None:
        """Let whoever runs the next night stop after the first person."""
        (self._folder / "stop-here").touch()

    def stop(self, place: int) -> int:
        """Stop one of them by SIGSTOP; returns its number."""
        pid = self._processes[place % self._size].pid
        os.kill(pid, signal.SIGSTOP)
        self._wait(lambda: pid in self.stopped())
        return pid

    def go_on(self, pid: int) -> None:
        os.kill(pid, signal.SIGCONT)

    def end(self, pid: int) -> int:
        """Have one end by SIGTERM; returns how it did."""
        (process,) = (one for one in self._processes if one.pid == pid)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        self._processes.remove(process)
        return process.wait(timeout=60)

    def stopped(self) -> list[int]:
        """The numbers of those that SIGSTOP holds."""
        states = {
            one.pid: Path(f"/proc/{one.pid}/stat").read_text().rpartition(")")[2].split()[0]
            for one in self._processes
        }
        return [pid for pid, state in states.items() if state == "T"]

    def nights(self) -> list[tuple[str, str, int]]:
        """Slot, state and tries of every night."""
        query = select(JobRunRecord.slot, JobRunRecord.state, JobRunRecord.attempts)
        with self.database.read() as session:
            rows = session.execute(query.where(JobRunRecord.job == "nightly").order_by("id"))
            return [tuple(row) for row in rows]

    def runs(self) -> list[str]:
        """The state of every run."""
        with self.database.read() as session:
            return [str(state) for state in session.scalars(select(RunRecord.state))]

    def letters(self) -> int:
        """How many invitations were written; whoever does not answer is reminded as ever."""
        invitations = OutboxRecord.topic == INVITATION_LETTER
        with self.database.read() as session:
            return len(session.scalars(select(OutboxRecord.id).where(invitations)).all())

    def wait_for_night(self, number: int) -> None:
        """Wait until so many nights are done."""
        self._wait(lambda: [row[1] for row in self.nights()].count("done") == number)

    def start(self) -> None:
        """Start one more of them."""
        words = [sys.executable, "-m", "tests.kit.clocked", str(self._folder), "scheduler"]
        with (self._folder / "log-of-all").open("ab") as log:
            process = subprocess.Popen(
                words, cwd=self._folder, env=self._environ, stdout=log, stderr=log
            )
        self._processes.append(process)

    def _set_clock(self, now: datetime) -> None:
        self.now = now
        new = self._folder / "clock.new"
        new.write_text(self.now.isoformat())
        new.rename(self._folder / "clock")

    def _wait(self, until: Callable[[], bool], patience: float = PATIENCE) -> bool:
        deadline = time.monotonic() + patience
        while not until():
            if patience < PATIENCE and time.monotonic() > deadline:
                return False
            dead = [one.poll() for one in self._processes if one.poll() is not None]
            assert not dead, self._said()
            assert time.monotonic() < deadline, self._said()
            time.sleep(0.05)
        return True

    def _said(self) -> str:
        return "\n".join(file.read_text()[-2000:] for file in self._folder.glob("log-*"))


def live_through(crew: Crew, nights: int) -> None:
    """Every third night somebody is stopped for 120 seconds: before it, or in the middle of it."""
    with crew.on_duty():
        for number in range(1, nights + 1):
            pid = crew.stop(number) if number % 3 == 1 else None
            if number % 3 == 2:
                crew.stop_in_the_middle()
            crew.night(number)
            pid = crew.wait_for_a_stop() if number % 3 == 2 else pid
            if pid is not None:
                for _ in range(2):
                    crew.pass_by(timedelta(seconds=60))
                    crew.wait_for_looks(WHILE_STOPPED)
                crew.go_on(pid)
            crew.wait_for_night(number)
            crew.wait_for_looks()
            crew.day()
            crew.wait_for_looks()
        first = FIRST_NIGHT.date()
        slots = [(first + timedelta(days=day)).isoformat() for day in range(nights)]
        assert crew.nights() == [(slot, "done", 1) for slot in slots]
        assert crew.runs() == ["applied"] * nights
        assert crew.letters() == 2 * nights
