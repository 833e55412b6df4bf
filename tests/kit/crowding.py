"""Many clients at once against a served Usher, and what must be there when they are done."""

from __future__ import annotations

import http.client
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kit.postgres import free_port
from tests.kit.scim_client import GROUP, operation, user
from tests.kit.usher import Usher

CLIENTS, PEOPLE, GROUPS = 16, 20, 5


@dataclass
class Client:
    """One connection with a token."""

    port: int
    token: str
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request; returns status and document."""
        self.connection.request(
            method,
            f"/scim/v2{path}",
            None if body is None else json.dumps(body),
            {
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/scim+json",
            },
        )
        response = self.connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


@contextmanager
def served_crowd(folder: Path, database_url: str) -> Iterator[Callable[[], Client]]:
    """`usher serve` with two workers; yields a maker of clients."""
    port = free_port()
    usher = Usher(
        folder,
        {
            "DATABASE_URL": database_url,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "WEB_CONCURRENCY": "2",
        },
    )
    made = usher("token", "create", "idp", "--first-run", "apply", "--json").json
    with usher.serving(port, "--no-scheduler"):
        yield lambda: Client(port, made["token"])


def at_once(make: Callable[[], Client], works: Sequence[Callable[[Client], Any]]) -> list[Any]:
    """Do each work with a connection of its own, all in parallel; returns their results."""

    def one(work: Callable[[Client], Any]) -> Any:
        with closing(make()) as client:
            return work(client)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def crowd(make: Callable[[], Client], patches: int, seed: int) -> None:
    """Let 16 clients send so many PATCHes to 20 people and 5 groups; nothing may be lost.

    Every client adds entries nobody else adds, and moves members that only it moves, so that
    the end is known whatever the order.
    """
    with closing(make()) as first:
        _crowd(make, first, patches, seed)


def _crowd(make: Callable[[], Client], first: Client, patches: int, seed: int) -> None:
    people = [first("POST", "/Users", user(f"p{number}"))[1]["id"] for number in range(PEOPLE)]
    groups = [
        first("POST", "/Groups", {"schemas": [GROUP], "displayName": f"G{number}"})[1]["id"]
        for number in range(GROUPS)
    ]
    pairs = [(group, person) for group in groups for person in people]

    def client(number: int) -> Callable[[Client], tuple[Counter[int], set[Any], set[Any]]]:
        chance = random.Random(seed * 1_000 + number)
        mine = pairs[number::CLIENTS]

        def work(send: Client) -> tuple[Counter[int], set[Any], set[Any]]:
            answers: Counter[int] = Counter()
            added, inside = set(), set()
            for turn in range(patches // CLIENTS):
                if chance.random() < 0.5:
                    person, value = chance.choice(people), f"c{number}-{turn}"
                    added.add((person, value))
                    change = operation("add", "entitlements", [{"value": value}])
                    path = f"/Users/{person}"
                else:
                    group, person = pair = chance.choice(mine)
                    verb = "remove" if pair in inside else "add"
                    inside ^= {pair}
                    change = operation(verb, "members", [{"value": person}])
                    path = f"/Groups/{group}"
                status, _ = send("PATCH", path, {"Operations": [change]})
                answers[status] += 1
            return answers, added, inside

        return work

    results = at_once(make, [client(number) for number in range(CLIENTS)])
    answers = sum((answered for answered, _, _ in results), Counter())
    assert answers == {200: patches // CLIENTS * CLIENTS}
    # The first connection has been idle for longer than a server keeps one.
    first.connection.close()
    found = {
        (person, entry["value"])
        for person in people
        for entry in first("GET", f"/Users/{person}")[1].get("entitlements", ())
    }
    assert found == set().union(*(added for _, added, _ in results))
    members = {
        (group, member["value"])
        for group in groups
        for member in first("GET", f"/Groups/{group}")[1]["members"]
    }
    assert members == set().union(*(inside for _, _, inside in results))
