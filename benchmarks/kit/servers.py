"""Starts the servers of a benchmark as processes, filled with the same people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.kit.driving import Server, ask, play
from benchmarks.kit.people import group, group_id, group_sizes, ids_of, person
from benchmarks.kit.seeding import seed_floor, seed_usher
from tests.kit.postgres import Postgres, free_port, running_postgres
from tests.kit.usher import Usher, wait_for_port

ROOT = Path(__file__).parent.parent.parent
GRANIAN = Path(sys.executable).parent / "granian"
WORKERS = "2"
PEER_PEOPLE = 1_000
"""The most people scim2-server is asked about: it looks at all of them for every request."""


@contextmanager
def running(folder: Path, database: str, people: int) -> Iterator[list[Server]]:
    """The floor and Usher on that kind of database, and scim2-server in memory if it is small."""
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres()) if database == "postgresql" else None
        servers = [
            stack.enter_context(_running_floor(_url(folder, "floor", postgres), people)),
            stack.enter_context(_running_usher(folder, _url(folder, "usher", postgres), people)),
        ]
        for server in servers:
            server.ids = [str(id_) for id_ in ids_of(people)]
            server.groups = {size: str(group_id(size)) for size in group_sizes(people)}
            server.pids += [postgres.pid] if postgres else []
        if people <= PEER_PEOPLE:
            peer = stack.enter_context(_granian("scim2-server", "peer_app", "1", "1", {}))
            _fill_peer(peer, people)
            servers.append(peer)
        yield servers


def _url(folder: Path, name: str, postgres: Postgres | None) -> str:
    if postgres is None:
        return f"sqlite:///{folder}/{name}.db"
    return postgres.url(postgres.create_database(name))


@contextmanager
def _running_floor(dsn: str, people: int) -> Iterator[Server]:
    seed_floor(dsn, people, datetime.now(UTC))
    threads = "1" if dsn.startswith("sqlite") else "4"
    with _granian("floor", "floor_app", WORKERS, threads, {"FLOOR_DSN": dsn}) as server:
        yield server


@contextmanager
def _running_usher(folder: Path, url: str, people: int) -> Iterator[Server]:
    port = free_port()
    environ = {
        "DATABASE_URL": url,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LOG_LEVEL": "WARNING",
        "WEB_CONCURRENCY": WORKERS,
        "USHER_SCIM__REQUESTS_PER_SECOND": "1000000",
        # The same people are dismissed and return over and over.
        "USHER_LIMITS__DISMISS_PERCENT": "100",
        "USHER_LIMITS__ROLLING_PERCENT": "100",
    }
    usher = Usher(folder, environ)
    token = usher("token", "create", "idp", "--first-run", "apply", "--json").json["token"]
    seed_usher(url, "idp", people, datetime.now(UTC))
    with usher.serving(port, "--no-scheduler") as process:
        yield Server("usher", port, token, [process.pid])


@contextmanager
def _granian(
    name: str, module: str, workers: str, threads: str, environ: dict[str, str]
) -> Iterator[Server]:
    port = free_port()
    process = subprocess.Popen(
        [
            *(GRANIAN, "--interface", "wsgi", "--port", str(port), "--workers", workers),
            *("--blocking-threads", threads, "--log-level", "warning"),
            f"benchmarks.floor.{module}:app",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )
    try:
        wait_for_port(port)
        server = Server(name, port, "bench", [process.pid])
        # Somebody listens before every worker has loaded its application.
        play(server, [server.request("GET", "/Users?startIndex=1&count=1")] * 64)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _fill_peer(server: Server, people: int) -> None:
    """Create the people and the groups by requests: it has no tables."""
    for number in range(1, people + 1):
        request = server.request("POST", "/Users", orjson.dumps(person(number)))
        server.ids.append(json.loads(ask(server, request))["id"])
    for size in group_sizes(people):
        members = [{"value": id_, "type": "User"} for id_ in server.ids[:size]]
        body = orjson.dumps({**group(size), "members": members})
        made = ask(server, server.request("POST", "/Groups", body))
        server.groups[size] = json.loads(made)["id"]
