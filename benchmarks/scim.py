"""The SCIM provider beside the floor and a peer, in one run, at several sizes.

    .venv/bin/python benchmarks/scim.py [--people 1000 10000] [--database sqlite postgresql]
                                        [--requests 240] [--rounds 2]

Usher and the floor run as two processes each, scim2-server as one and up to 1,000 people only.
Eight kept connections ask; rounds go from server to server, so that all see the same noise. Cells
are medians of the rounds: requests a second; CPU milliseconds a request of the server's whole
process tree and of the database; the 99th percentile of all answers in milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.kit.driving import Round, Server, play  # noqa: E402 - the root is found by then
from benchmarks.kit.operations import Operation, operations  # noqa: E402 - the same
from benchmarks.kit.servers import running  # noqa: E402 - the same

PEER_SHARE = 0.05
"""How many requests a server in memory is asked of what the others are."""


@dataclass(frozen=True)
class Figures:
    """What one server needed for one operation."""

    rate: float
    """Requests a second."""

    cpu: float
    """Milliseconds of CPU a request."""

    p99: float
    """Milliseconds."""

    def __str__(self) -> str:
        return f"{self.rate:,.0f}; {self.cpu:.2f}; {self.p99:.0f}"


Measured = dict[str, dict[str, Figures]]
"""Figures by operation, then by server."""


def measure(
    servers: Sequence[Server], people: int, requests: int, rounds: int
) -> Iterator[tuple[str, dict[str, Figures]]]:
    """Yield each operation's name and what every server needed for it."""
    for operation in operations(people):
        played: dict[str, list[Round]] = {server.name: [] for server in servers}
        for turn in range(rounds + 1):
            # A round begins with another server each time; the first one warms up.
            for place in range(len(servers)):
                server = servers[(turn + place) % len(servers)]
                number = _number(operation, server, requests)
                played[server.name].append(play(server, operation.make(server, number, turn)))
        yield operation.name, {name: _figures(found[1:]) for name, found in played.items()}


def _number(operation: Operation, server: Server, requests: int) -> int:
    share = operation.share * (PEER_SHARE if server.name == "scim2-server" else 1)
    return max(2, round(requests * share))


def _figures(rounds: Sequence[Round]) -> Figures:
    times = sorted(time for each in rounds for time in each.times)
    return Figures(
        rate=statistics.median(len(each.times) / each.seconds for each in rounds),
        cpu=statistics.median(each.cpu / len(each.times) for each in rounds) * 1000,
        p99=times[int(len(times) * 0.99)] * 1000,
    )


def print_head(names: Sequence[str]) -> None:
    print(f"| | {' | '.join(names)} | rate to floor | CPU to floor |")
    print("|---" * (len(names) + 3) + "|", flush=True)


def print_row(operation: str, found: Mapping[str, Figures]) -> None:
    floor, usher = found["floor"], found["usher"]
    cells = " | ".join(str(each) for each in found.values())
    cpu = f"{usher.cpu / floor.cpu:.1f}x" if floor.cpu else "-"
    print(f"| {operation} | {cells} | {usher.rate / floor.rate:.0%} | {cpu} |", flush=True)


def print_growth(by_size: Mapping[int, Measured]) -> None:
    """Print Usher's CPU by size, for what is measured at each of them."""
    smallest, largest = by_size[min(by_size)], by_size[max(by_size)]
    print(f"| Usher's CPU ms | {' | '.join(f'{size:,}' for size in by_size)} | growth |")
    print("|---" * (len(by_size) + 2) + "|")
    for operation in smallest:
        if operation not in largest:
            continue
        costs = [measured[operation]["usher"].cpu for measured in by_size.values()]
        growth = f"{costs[-1] / costs[0]:.1f}x" if costs[0] else "-"
        print(f"| {operation} | {' | '.join(f'{cost:.2f}' for cost in costs)} | {growth} |")


def _at_one_size(database: str, people: int, requests: int, rounds: int) -> Measured:
    """Print what was measured, row by row, and return it."""
    measured: Measured = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), database, people) as servers,
    ):
        print(f"\n### {people:,} people, {database}\n")
        print_head([server.name for server in servers])
        for operation, found in measure(servers, people, requests, rounds):
            print_row(operation, found)
            measured[operation] = found
        sizes = (f"{server.name} {server.megabytes()} MB" for server in servers)
        print(f"\nLargest process: {', '.join(sizes)}.", flush=True)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--database", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--requests", type=int, default=240, help="of a light operation, a round")
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    for database in chosen.database:
        by_size: dict[int, Measured] = {}
        for people in sorted(chosen.people):
            by_size[people] = _at_one_size(database, people, chosen.requests, chosen.rounds)
        if len(by_size) > 1:
            print(f"\n### Growth, {database}\n")
            print_growth(by_size)


if __name__ == "__main__":
    main()
