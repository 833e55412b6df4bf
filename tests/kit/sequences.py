"""Random days of a directory, read by changes and by a complete reading: both must agree."""

from __future__ import annotations

from random import Random
from typing import Any

from connectors.ldap.directory import LdapDirectory
from provisioning.domain.errors import MarkError
from provisioning.domain.people import RawPerson
from tests.kit.slapd import Slapd


class Day:
    """What happens to a directory, one thing after the other, and who is in it."""

    def __init__(self, server: Slapd, number: int) -> None:
        self.random, self.server, self.number = Random(number), server, number
        self.here: list[str] = []
        self.made = 0

    def happen(self, things: int) -> None:
        for _ in range(things):
            kinds = [self._arrive, self._change, self._rename, self._move, self._leave]
            self.random.choice(kinds if self.here else kinds[:1])()

    def end(self) -> None:
        """Take away whom this day brought."""
        for uid in list(self.here):
            self._remove(uid)

    def _arrive(self) -> None:
        self.made += 1
        uid = f"day{self.number}-{self.made}"
        self.server.add(uid)
        self.here.append(uid)

    def _change(self) -> None:
        values = self.random.choice([{"title": "Lead"}, {"title": ""}, {"mail": "x@corp.example"}])
        self.server.modify(self.random.choice(self.here), **values)

    def _rename(self) -> None:
        uid = self._taken()
        self.made += 1
        new = f"day{self.number}-{self.made}"
        self.server.rename(uid, new)
        self.server.entries[new] = self.server.renamed(uid, new)
        self.here.append(new)

    def _move(self) -> None:
        """Out of the base, for good."""
        uid = self._taken()
        self.server.move(uid, "Contractors")
        del self.server.entries[uid]

    def _leave(self) -> None:
        self._remove(self.random.choice(self.here))

    def _remove(self, uid: str) -> None:
        self.here.remove(uid)
        self.server.delete(uid)

    def _taken(self) -> str:
        uid = self.random.choice(self.here)
        self.here.remove(uid)
        return uid


def everyone(directory: LdapDirectory) -> tuple[dict[str, RawPerson], str]:
    """Everyone by anchor, and where changes begin."""
    snapshot = directory.read()
    people = {raw.anchor: raw for raw in snapshot}
    return people, snapshot.proof.mark


def live_through(directory: LdapDirectory, server: Slapd, number: int) -> tuple[Any, Any, int]:
    """A day of four readings; returns who is known by changes, who is there, and the doubts."""
    known, mark = everyone(directory)
    day, doubts = Day(server, number), 0
    for _ in range(4):
        day.happen(day.random.randint(0, 6))
        try:
            changes = directory.changes(mark)
            known |= {raw.anchor: raw for raw in changes}
            for anchor in changes.proof.gone:
                known.pop(anchor, None)
            mark = changes.proof.mark
        except MarkError:
            known, mark = everyone(directory)
            doubts += 1
    there = everyone(directory)[0]
    assert {each.attributes["uid"][0] for each in there.values()} >= set(day.here)
    day.end()
    return known, there, doubts
