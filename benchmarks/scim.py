"""SCIM create, lookup, GET one and a page of 100: Usher beside the floor app, in one run.

    .venv/bin/python benchmarks/scim.py [--people 1000] [--requests 400] [--rounds 3]

Both are served by granian with one process on SQLite. Requests go one after another over one
connection, in rounds that alternate between the two, so that both see the same noise. Printed
are the medians of all requests and the ratio; and the CPU the server spent on a request.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
sys.path.insert(0, str(ROOT))

from tests.kit.postgres import free_port  # noqa: E402 - the kit is found by then
from tests.kit.usher import wait_for_port  # noqa: E402 - the same


@dataclass
class Server:
    """One of the two under measurement."""

    name: str
    port: int
    token: str
    pid: int
    ids: list[str] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method: str, path: str, body: dict[str, object] | None = None) -> bytes:
        self.connection.request(
            method,
            "/scim/v2" + path,
            json.dumps(body) if body else None,
            {
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/scim+json",
            },
        )
        response = self.connection.getresponse()
        answer = response.read()
        if response.status >= 300:
            raise SystemExit(f"{self.name}: {method} {path} answered {response.status}: {answer!r}")
        return answer

    def cpu_seconds(self) -> float:
        """CPU of the server and its children so far."""
        ticks = sum(_ticks(pid) for pid in _family(self.pid))
        return ticks / os.sysconf("SC_CLK_TCK")


def person(number: int) -> dict[str, object]:
    name = f"person{number}@corp.example"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "externalId": f"e{number}",
        "displayName": f"Person Number {number}",
        "name": {"givenName": "Person", "familyName": f"Number {number}"},
        "emails": [{"value": name, "type": "work", "primary": True}],
        "active": True,
    }


def create(server: Server) -> None:
    server.made += 1
    server.ids.append(json.loads(server.ask("POST", "/Users", person(server.made)))["id"])


def lookup(server: Server) -> None:
    number = server.made // 2
    query = quote(f'userName eq "person{number}@corp.example"')
    if json.loads(server.ask("GET", f"/Users?filter={query}"))["totalResults"] != 1:
        raise SystemExit(f"{server.name} did not find person {number}")


def get_one(server: Server) -> None:
    server.ask("GET", f"/Users/{server.ids[len(server.ids) // 2]}")


def page(server: Server) -> None:
    found = json.loads(server.ask("GET", "/Users?startIndex=1&count=100"))
    if len(found["Resources"]) != 100:
        raise SystemExit(f"{server.name} answered {len(found['Resources'])} people, not 100")


OPERATIONS: dict[str, Callable[[Server], None]] = {
    "create": create,
    "lookup by userName": lookup,
    "GET one": get_one,
    "page of 100": page,
}


def measure(servers: list[Server], requests: int, rounds: int) -> None:
    print(f"{'':20}{'floor ms':>10}{'usher ms':>10}{'ratio':>8}{'floor CPU':>11}{'usher CPU':>11}")
    for name, operation in OPERATIONS.items():
        times: dict[str, list[float]] = {server.name: [] for server in servers}
        cpu = {server.name: 0.0 for server in servers}
        for _ in range(rounds):
            for server in servers:
                before = server.cpu_seconds()
                times[server.name] += [_timed(operation, server) for _ in range(requests)]
                cpu[server.name] += server.cpu_seconds() - before
        floor, usher = (statistics.median(times[server.name]) * 1000 for server in servers)
        costs = [cpu[server.name] / (requests * rounds) * 1000 for server in servers]
        print(
            f"{name:20}{floor:10.2f}{usher:10.2f}{usher / floor:7.1f}x"
            f"{costs[0]:9.2f}ms{costs[1]:9.2f}ms"
        )


def _timed(operation: Callable[[Server], None], server: Server) -> float:
    start = time.perf_counter()
    operation(server)
    return time.perf_counter() - start


@contextmanager
def running(folder: Path) -> Iterator[list[Server]]:
    """Both servers, each with an empty database of its own."""
    floor_port, usher_port = free_port(), free_port()
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "benchmarks" / "floor")}
    floor = subprocess.Popen(
        [BIN / "granian", "--interface", "wsgi", "--port", str(floor_port), "--workers", "1",
         "--blocking-threads", "1", "--log-level", "warning", "floor_app:app"],
        env=environ | {"FLOOR_DSN": f"sqlite:///{folder}/floor.db"},
    )  # fmt: skip
    ours = environ | {
        "DATABASE_URL": f"sqlite:///{folder}/usher.db",
        "PORT": str(usher_port),
        "LOG_LEVEL": "WARNING",
        "USHER_SCIM__REQUESTS_PER_SECOND": "1000000",
    }
    made = subprocess.run(
        [BIN / "usher", "token", "create", "bench", "--first-run", "apply", "--json"],
        env=ours, check=True, capture_output=True, text=True,
    )  # fmt: skip
    usher = subprocess.Popen([BIN / "usher", "serve", "--no-scheduler"], env=ours)
    try:
        for port in (floor_port, usher_port):
            wait_for_port(port)
        yield [
            Server("floor", floor_port, "bench", floor.pid),
            Server("usher", usher_port, json.loads(made.stdout)["token"], usher.pid),
        ]
    finally:
        for process in (floor, usher):
            process.terminate()
            process.wait(30)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as servers:
        for server in servers:
            for _ in range(chosen.people):
                create(server)
        print(f"{chosen.people} people, medians of {chosen.requests * chosen.rounds} requests:")
        measure(servers, chosen.requests, chosen.rounds)


if __name__ == "__main__":
    main()
