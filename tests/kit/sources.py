"""A directory in memory that keeps every promise of a source, and can break them on purpose."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

from connectors.sampling import sampled, unseen
from provisioning.domain.errors import MarkError, SourceError
from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import (
    ChangesProof,
    DirectoryChanges,
    DirectorySnapshot,
    SnapshotProof,
)
from provisioning.ports import CheckOutcome, CheckReport, CheckStep, FoundPerson


def entry(uid: str, **attributes: str | list[str] | None) -> RawPerson:
    """One inetOrgPerson-like entry; None takes a default attribute away."""
    values: dict[str, str | list[str] | None] = {
        "uid": uid,
        "cn": uid.title(),
        "mail": f"{uid}@corp.example",
        **attributes,
    }
    return RawPerson(
        anchor=str(values.pop("anchor", None) or f"id-{uid}"),
        where=str(values.pop("where", None) or f"uid={uid},ou=People,dc=corp,dc=example"),
        attributes={
            name: tuple(value) if isinstance(value, list) else (value,)
            for name, value in values.items()
            if value is not None
        },
    )


class MemoryDirectory:
    """People by uid; `cut_after` breaks the next readings, `proven` takes the end mark away.

    `broken` breaks readings of changes off; `while_read` is called in the middle of a reading.
    """

    def __init__(self, name: str, people: Iterable[RawPerson] = ()) -> None:
        self.name = name
        self.people = {person.anchor: person for person in people}
        self.cut_after: int | None = None
        self.proven = True
        self.scope = "everyone"
        self.offers_changes = True
        self.outside: set[str] = set()
        """Anchors of those who can be found and are not read."""

        self.broken = False
        self.while_read: Callable[[], object] = lambda: None
        self.marks: dict[str, dict[str, RawPerson]] = {}

    def add(self, *people: RawPerson) -> None:
        self.people.update({person.anchor: person for person in people})

    def remove(self, *uids: str) -> None:
        for uid in uids:
            del self.people[f"id-{uid}"]

    def read(self) -> DirectorySnapshot:
        return DirectorySnapshot(self._reading())

    def _reading(self) -> Generator[RawPerson, None, SnapshotProof]:
        inside = {key: raw for key, raw in self.people.items() if key not in self.outside}
        people, mark = self._in_order(inside), self._mark()
        self.while_read()
        for number, person in enumerate(people):
            if number == self.cut_after:
                raise SourceError(f"{self.name}: reading stopped: sizeLimitExceeded")
            yield person
        return SnapshotProof(entries=len(people), removals_proven=self.proven, mark=mark)

    def changes(self, mark: str) -> DirectoryChanges:
        return DirectoryChanges(self._changes(mark))

    def _changes(self, mark: str) -> Generator[RawPerson, None, ChangesProof]:
        if mark not in self.marks:
            raise MarkError(f"{self.name} knows no mark {mark!r}")
        if self.broken:
            raise SourceError(f"{self.name}: reading stopped: it broke off")
        before, now, following = self.marks[mark], dict(self.people), self._mark()
        changed = {key: raw for key, raw in now.items() if before.get(key) != raw}
        yield from self._in_order(changed)
        gone = tuple(sorted(before.keys() - now.keys()))
        return ChangesProof(entries=len(changed), gone=gone, mark=following)

    def _mark(self) -> str:
        mark = f"mark {len(self.marks) + 1}"
        self.marks[mark] = dict(self.people)
        return mark

    def _in_order(self, people: dict[str, RawPerson]) -> list[RawPerson]:
        return sorted(people.values(), key=lambda person: person.attributes["uid"])

    def find(self, words: str) -> list[FoundPerson]:
        return [
            FoundPerson(raw=raw, in_scope=raw.anchor not in self.outside, scope="in memory")
            for raw in self.people.values()
            if words in (raw.anchor, raw.where, *_names(raw))
        ]

    def check(self, see: Callable[[RawPerson], object] = unseen) -> CheckReport:
        sample = sampled(self.people.values(), 5, see)
        step = CheckStep(name="search", outcome=CheckOutcome.OK, detail=f"{len(self.people)}")
        return CheckReport(steps=[step], sample=sample)


def _names(raw: RawPerson) -> Iterable[str]:
    return (name for each in ("uid", "mail") for name in raw.attributes.get(each, ()))
