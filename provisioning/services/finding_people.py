"""Who of a source is called so, and who else of it has somebody's keys: asked before any lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select

from provisioning.domain.correlation import Hit, keys_of
from provisioning.domain.errors import MappingError, NotFoundError
from provisioning.domain.mapping import PersonMapping
from provisioning.domain.people import Person, RawPerson
from provisioning.ports import DirectorySource, FoundPerson
from provisioning.services.context import ServiceContext
from provisioning.services.searching import meant_by
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.registry import Lookup
from provisioning.storage.sources import Source


class Present:
    """Which ids are in the source now: asked once each, until nobody may wait for an answer."""

    def __init__(self, directory: DirectorySource) -> None:
        """Know nobody yet."""
        self._directory = directory
        self._known: dict[str, bool] = {}
        self.may_ask = True

    def __contains__(self, anchor: object) -> bool:
        """Whether an id is in scope; who was not asked about in time counts as there."""
        if anchor not in self._known and self.may_ask:
            found = self._directory.find(str(anchor))
            here = any(one.in_scope and one.raw.anchor == anchor for one in found)
            self._known[str(anchor)] = here
        return self._known.get(str(anchor), True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """What a complete reading would know of everybody else, as far as it matters to one."""

    rivals: Sequence[Hit]
    """Others of the source with a key of theirs: newcomers too, unless they are linked."""

    present: Present


class PeopleFinder:
    """Asks one source about people."""

    def __init__(
        self,
        context: ServiceContext,
        source: Source,
        directory: DirectorySource,
        mapping: PersonMapping,
    ) -> None:
        """Ask nothing yet."""
        self._context = context
        self._source = source
        self._directory = directory
        self._mapping = mapping

    def found(self, words: str) -> Sequence[FoundPerson]:
        """Return every entry that is called so, by the source or by an employee here.

        Raises:
            NotFoundError: There is none, and nothing follows from that (R2).
            SourceError: The source could not be asked.
        """
        found = {one.raw.where: one for one in self._directory.find(words)}
        known = self._known(words)
        for anchor in known.keys() - {one.raw.anchor for one in found.values()}:
            found |= {one.raw.where: one for one in self._directory.find(anchor)}
        if found:
            return [found[where] for where in sorted(found)]
        left = "nothing was concluded: only a complete reading says that somebody left"
        if known:
            anchor, name = next(iter(known.items()))
            left = f"{name} is linked to the id {anchor}, which is not there now; {left}"
        raise NotFoundError(f"person in {self._source.name} called", f'"{words}"', hint=left)

    def others(self, person: Person | None) -> Others:
        """Return what has to be known of others to place somebody who is not linked yet (P2, P3).

        Raises:
            SourceError: The source could not be asked.
        """
        present = Present(self._directory)
        rivals: list[Hit] = []
        if person is not None and not self._is_linked(person):
            rivals = list(self._rivals(person))
            with self._context.database.read() as session:
                Lookup(
                    session,
                    source=self._source,
                    policy=self._context.policy,
                    run_id=None,
                    presence=present,
                ).hits(person)
        present.may_ask = False
        return Others(rivals=rivals, present=present)

    def _known(self, words: str) -> Mapping[str, str]:
        """Return the ids by which the source knows employees who are called so, with names."""
        with self._context.database.read() as session:
            rows = session.execute(
                select(LinkRecord.anchor, LinkRecord.user_name).where(
                    LinkRecord.source_id == self._source.id,
                    LinkRecord.hidden.is_(False),
                    LinkRecord.employee_id.in_(meant_by(self._context, words)),
                )
            )
            return {row[0]: row[1] for row in rows}

    def _is_linked(self, person: Person) -> bool:
        linked = select(LinkRecord.anchor).where(
            LinkRecord.source_id == self._source.id,
            LinkRecord.anchor == person.id.value,
            LinkRecord.hidden.is_(False),
        )
        with self._context.database.read() as session:
            return session.scalar(linked) is not None

    def _rivals(self, person: Person) -> Iterator[Hit]:
        keys = keys_of(person, self._context.policy)
        alike: dict[str, RawPerson] = {}
        for value in dict.fromkeys(keys.values()):
            found = self._directory.find(value)
            alike |= {one.raw.anchor: one.raw for one in found if one.in_scope}
        alike.pop(person.id.value, None)
        now = self._context.now()
        for anchor, raw in alike.items():
            with suppress(MappingError):
                other = self._mapping.person(self._source.name, raw, now)
                shared = keys_of(other, self._context.policy).items() & keys.items()
                if other.is_active_at(now):
                    for key, _ in sorted(shared):
                        yield Hit(key=key, name=other.display_name, employee_id=None, anchor=anchor)
