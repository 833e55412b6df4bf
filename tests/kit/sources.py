"""A directory in memory that keeps every promise of a source, and can break them on purpose."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from provisioning.domain.errors import SourceError
from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import DirectorySnapshot, SnapshotProof
from provisioning.ports import CheckOutcome, CheckReport, CheckStep


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
    """People by uid; `cut_after` breaks the next readings, `proven` takes the end mark away."""

    def __init__(self, name: str, people: Iterable[RawPerson] = ()) -> None:
        self.name = name
        self.people = {person.anchor: person for person in people}
        self.cut_after: int | None = None
        self.proven = True

    def add(self, *people: RawPerson) -> None:
        self.people.update({person.anchor: person for person in people})

    def remove(self, *uids: str) -> None:
        for uid in uids:
            del self.people[f"id-{uid}"]

    def read(self) -> DirectorySnapshot:
        return DirectorySnapshot(self._reading())

    def _reading(self) -> Generator[RawPerson, None, SnapshotProof]:
        people = sorted(self.people.values(), key=lambda person: person.attributes["uid"])
        for number, person in enumerate(people):
            if number == self.cut_after:
                raise SourceError(f"{self.name}: reading stopped: sizeLimitExceeded")
            yield person
        return SnapshotProof(entries=len(people), removals_proven=self.proven)

    def check(self) -> CheckReport:
        step = CheckStep(name="search", outcome=CheckOutcome.OK, detail=f"{len(self.people)}")
        return CheckReport(steps=[step], sample=list(self.people.values())[:5])
