"""What is measured: the requests of a round, made beforehand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from urllib.parse import quote

import orjson

from benchmarks.kit.driving import Server
from benchmarks.kit.people import group_sizes, person, user_name

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"

Maker = Callable[[Server, int, int], list[bytes]]
"""Returns a server's requests, given how many and which round it is."""


@dataclass(frozen=True)
class Operation:
    """One row of the table; a costly one is asked for more seldom."""

    name: str
    make: Maker
    share: float = 1.0


class Newcomers:
    """Numbers of people who do not exist yet, of each server its own."""

    def __init__(self, people: int) -> None:
        self._first = people + 1
        self._of: dict[str, Iterator[int]] = {}

    def next(self, server: Server) -> int:
        return next(self._of.setdefault(server.name, count(self._first)))


def operations(people: int) -> list[Operation]:
    """Return what is measured at this size, reads first."""
    sizes, newcomers = group_sizes(people), Newcomers(people)
    return [
        Operation("lookup by userName", _lookups),
        Operation("GET one", _reads),
        Operation("page of 100, first", _pages(1), 0.4),
        Operation("page of 100, last", _pages(people - 99), 0.4),
        *(Operation(f"read a group of {size:,}", _group(size), _seldom(size)) for size in sizes),
        Operation("create", lambda server, number, _: _creations(server, number, newcomers), 0.4),
        Operation("PATCH active", _activations, 0.4),
        Operation("PUT", _replacements, 0.4),
        *(Operation(f"add one to {size:,} members", _joining(size), 0.4) for size in sizes),
        Operation(
            "Bulk of 100", lambda server, number, _: _bulks(server, number, newcomers), 0.015
        ),
    ]


def _seldom(members: int) -> float:
    return max(0.02, min(0.4, 40 / members))


def _chosen(server: Server, number: int, seed: int) -> list[int]:
    """Return places of people: the same for every server, others in every round."""
    return random.Random(seed).choices(range(len(server.ids)), k=number)


def _lookups(server: Server, number: int, turn: int) -> list[bytes]:
    return [
        server.request("GET", "/Users?filter=" + quote(f'userName eq "{user_name(place + 1)}"'))
        for place in _chosen(server, number, turn)
    ]


def _reads(server: Server, number: int, turn: int) -> list[bytes]:
    return [
        server.request("GET", f"/Users/{server.ids[place]}")
        for place in _chosen(server, number, turn)
    ]


def _pages(start: int) -> Maker:
    return lambda server, number, _: (
        [server.request("GET", f"/Users?startIndex={start}&count=100")] * number
    )


def _group(size: int) -> Maker:
    return lambda server, number, _: (
        [server.request("GET", f"/Groups/{server.groups[size]}")] * number
    )


def _creations(server: Server, number: int, newcomers: Newcomers) -> list[bytes]:
    return [
        server.request("POST", "/Users", orjson.dumps(person(newcomers.next(server))))
        for _ in range(number)
    ]


def _activations(server: Server, number: int, turn: int) -> list[bytes]:
    """Dismiss people in one round and have them return in the next."""
    change = {"op": "replace", "path": "active", "value": bool(turn % 2)}
    body = orjson.dumps({"schemas": [PATCH], "Operations": [change]})
    places = random.Random(1).sample(range(len(server.ids)), k=min(number, len(server.ids)))
    return [server.request("PATCH", f"/Users/{server.ids[place]}", body) for place in places]


def _replacements(server: Server, number: int, turn: int) -> list[bytes]:
    return [
        server.request(
            "PUT",
            f"/Users/{server.ids[place]}",
            orjson.dumps(person(place + 1, title=f"Engineer {turn}")),
        )
        for place in _chosen(server, number, turn)
    ]


def _joining(size: int) -> Maker:
    def make(server: Server, number: int, turn: int) -> list[bytes]:
        outside = server.ids[size:]
        first = turn * number
        return [
            server.request(
                "PATCH",
                f"/Groups/{server.groups[size]}",
                orjson.dumps({"schemas": [PATCH], "Operations": [_add(outside, first + place)]}),
            )
            for place in range(number)
        ]

    return make


def _add(outside: list[str], place: int) -> dict[str, object]:
    member = {"value": outside[place % len(outside)], "type": "User"}
    return {"op": "add", "path": "members", "value": [member]}


def _bulks(server: Server, number: int, newcomers: Newcomers) -> list[bytes]:
    return [
        server.request("POST", "/Bulk", orjson.dumps({
            "schemas": [BULK],
            "Operations": [
                {
                    "method": "POST", "path": "/Users", "bulkId": f"b{place}",
                    "data": person(newcomers.next(server)),
                }
                for place in range(100)
            ],
        }))
        for _ in range(number)
    ]  # fmt: skip
