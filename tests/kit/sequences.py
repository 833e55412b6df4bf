"""Random days of a directory, read by changes and by a complete reading: both must agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from uuid import UUID

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import MarkError
from provisioning.domain.people import RawPerson
from tests.kit.branches import Branch, Kind, Values

OUTSIDE = "Contractors"
FORMER = "Former"
"""The title that leaves the filter."""

People = Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]]
"""Place, in small letters, and attributes by anchor."""


def in_scope(kind: Kind) -> str:
    """The filter of a day: people leave it with their title."""
    return f"(&(objectClass={kind.person_class})(!(title={FORMER})))"


def source_of(branch: Branch, *more: str, **options: str) -> LdapDirectory:
    """Return a source that reads People of a branch, and some attributes besides the usual."""
    kind = branch.server.kind
    usual = {"user_filter": in_scope(kind), **options}
    settings = LdapSettings.from_options("corp", branch.options(**usual))
    return LdapDirectory("corp", settings, (*kind.enabled, "mail", "title", "sn", *more))


class Day:
    """What happens to a branch, one thing after the other."""

    def __init__(self, branch: Branch, number: int) -> None:
        self.branch, self.random = branch, Random(number)
        self.made, self.inner = 0, "Berlin"
        for unit in (self.inner, "Potsdam"):
            branch.add_unit(unit, "People")
        branch.add("u0", "u1", "u2", unit="Berlin,OU=People")
        branch.add("u3", "u4", unit=OUTSIDE)
        branch.add_group("crew", "u0")

    def happen(self, things: int) -> None:
        """Let so many things happen; a unit is renamed now and then."""
        kinds = [
            self._arrive, self._change, self._leave_the_filter, self._rename, self._move,
            self._move, self._disable, self._enable, self._delete, self._members,
        ]  # fmt: skip
        for _ in range(things):
            self.random.choice(kinds if self.branch.people else kinds[:1])()
        if self.random.random() < 0.1:
            new = self._new_name()
            self.branch.rename_unit(self.inner, new, "People")
            self.inner = new

    def _somebody(self) -> str:
        return self.random.choice(sorted(self.branch.people))

    def _new_name(self) -> str:
        self.made += 1
        return f"n{self.made}"

    def _unit(self) -> str:
        inside = ("People", f"{self.inner},OU=People", "Potsdam,OU=People")
        return self.random.choice((*inside, OUTSIDE))

    def _arrive(self) -> None:
        self.branch.add(self._new_name(), unit=self._unit())

    def _change(self) -> None:
        values = [{"title": "Lead"}, {"title": ""}, {"mail": f"{self._new_name()}@corp.example"}]
        self.branch.modify(self._somebody(), **self.random.choice(values))

    def _leave_the_filter(self) -> None:
        self.branch.modify(self._somebody(), title=FORMER)

    def _rename(self) -> None:
        self.branch.rename(self._somebody(), self._new_name())

    def _move(self) -> None:
        """Between units, out of the base and back into it."""
        uid, unit = self._somebody(), self._unit()
        if not self.branch.people[uid].endswith(f",{self.branch.unit(unit)}"):
            self.branch.move(uid, unit)

    def _disable(self) -> None:
        self.branch.disable(self._somebody())

    def _enable(self) -> None:
        self.branch.enable(self._somebody())

    def _delete(self) -> None:
        self.branch.delete(self._somebody())

    def _members(self) -> None:
        people = sorted(self.branch.people)
        self.branch.set_members("crew", *self.random.sample(people, min(2, len(people))))


@dataclass(frozen=True, kw_only=True)
class Lived:
    """How a day ended."""

    known: People
    """As changes told it, with a complete reading wherever they were in doubt."""

    there: People
    """As a complete reading tells it."""

    truth: People
    """As an administrator sees it."""

    told: int
    """Readings of changes."""

    doubts: int


def live_through(
    branch: Branch, number: int, *more: str, readings: int = 4, **options: str
) -> Lived:
    """A day of some readings of changes, with more attributes and other options than usual."""
    corp, day = source_of(branch, *more, **options), Day(branch, number)
    known, mark = everyone(corp)
    doubts = 0
    for _ in range(readings):
        day.happen(day.random.randint(0, 6))
        try:
            changes = corp.changes(mark)
            known |= {raw.anchor: raw for raw in changes}
            for anchor in changes.proof.gone:
                known.pop(anchor, None)
            mark = changes.proof.mark
        except MarkError:
            known, mark = everyone(corp)
            doubts += 1
    return Lived(
        known=_told(known),
        there=_told(everyone(corp)[0]),
        truth=truth(branch, corp),
        told=readings - doubts,
        doubts=doubts,
    )


def everyone(directory: LdapDirectory) -> tuple[dict[str, RawPerson], str]:
    """Everyone by anchor, and where changes begin."""
    snapshot = directory.read()
    people = {raw.anchor: raw for raw in snapshot}
    return people, snapshot.proof.mark


def truth(branch: Branch, corp: LdapDirectory) -> People:
    """Who is in scope, as an administrator sees them."""
    kind = branch.server.kind
    found = branch.truth(branch.unit("People"), in_scope(kind))
    crew = _crew(branch) if corp.settings.groups else set(found)
    return {
        _anchor(kind, values): (dn, _some(values, corp))
        for dn, values in found.items()
        if dn in crew
    }


def crew_of(branch: Branch) -> str:
    """The DN of the group that changes in a day."""
    return f"CN=crew,{branch.unit('Groups')}"


def _crew(branch: Branch) -> set[str]:
    (group,) = branch.truth(
        crew_of(branch), f"(objectClass={branch.server.kind.group_class})"
    ).values()
    return {value.decode().lower() for value in group.get("member", ())}


def _anchor(kind: Kind, values: Values) -> str:
    (value,) = values[kind.id_attribute.lower()]
    return str(UUID(bytes_le=value)) if kind.id_attribute == "objectGUID" else value.decode()


def _some(values: Values, corp: LdapDirectory) -> Mapping[str, tuple[str, ...]]:
    return {
        name: tuple(sorted(value.decode() for value in found))
        for name in corp.attributes
        if (found := values.get(name.lower()))
    }


def _told(people: Mapping[str, RawPerson]) -> People:
    return {
        anchor: (
            raw.where.lower(),
            {name: tuple(sorted(values)) for name, values in raw.attributes.items()},
        )
        for anchor, raw in people.items()
    }
