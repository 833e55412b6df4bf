"""Mappings: tried on real people, counted over everyone, saved as versions, rolled back (R8)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from provisioning.domain.errors import DigestMismatchError, MappingError, NotFoundError, RuleError
from provisioning.domain.guards import require_people
from provisioning.domain.mapping import FieldTrace, PersonMapping
from provisioning.domain.people import RawPerson
from provisioning.ports import DirectorySource
from provisioning.services.audit import record
from provisioning.services.context import Actor, Rules, ServiceContext
from provisioning.services.mapping_effects import Effect, EffectCounter
from provisioning.services.mapping_versions import (
    CONFIGURATION,
    MappingVersion,
    MappingVersions,
)
from provisioning.services.saved_mappings import SavedSources, last_version
from provisioning.services.sources import find_source
from provisioning.storage.models.mappings import MappingVersionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One real person, field by field."""

    id: str
    where: str
    fields: Sequence[FieldTrace]
    problem: str | None
    """Why no person can be made of the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was shown of a mapping before it is saved: the save is of exactly this."""

    digest: str
    """Of the rules."""

    compiled: str
    """The version that runs by them write down."""

    after: int
    """The version that was in force."""

    read: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A mapping's effect, and what a save of it has to name."""

    effect: Effect
    seen: Seen
    same: bool
    """Whether these are the rules that are in force: there is nothing to save."""


class MappingService:
    """Everything that can be done with the mapping of a source that is read."""

    def __init__(self, context: ServiceContext, sources: SavedSources) -> None:
        """Keep the intranet and its sources at hand."""
        self._context = context
        self.versions = MappingVersions(context, sources)

    def rules(self, source: str, own: Rules) -> Rules:
        """Return every rule of a mapping, its preset's included.

        Raises:
            RuleError: A rule can never work.
            SourceUnavailableError: Which preset it is has to be asked, and nobody answers.
            NotFoundError: There is no such source.
            ConfigurationError: It sends its people by itself.
        """
        return self.versions.maker(source)(own)[1].rules

    def test(
        self, source: str, own: Rules, *, sample: int, people: Sequence[str] = ()
    ) -> Sequence[Sampled]:
        """Map a few real people, field by field; nothing is written.

        Args:
            source: A source that is read.
            own: The rules that stand before the preset's.
            sample: How many, the first that are read.
            people: Whoever is called so instead.

        Raises:
            RuleError: A rule can never work.
            NotFoundError: There is no such source, or nobody of that name in it.
            ConfigurationError: It sends its people by itself.
            SourceError: The source could not be read.
        """
        directory, mapping = self.versions.maker(source)(own)
        chosen = _called(directory, people) if people else islice(directory.read(), sample)
        now = self._context.now()
        return [_sampled(source, raw, mapping, now) for raw in chosen]

    def effect(self, source: str, own: Rules | None) -> Counted:
        """Map everyone by the rules that are in force and by others; nothing is written.

        Args:
            source: A source that is read.
            own: The other rules; None: the configuration's.

        Raises:
            RuleError: A rule can never work.
            SourceError: The reading was cut short or empty: nothing was counted.
            NotFoundError: There is no such source.
            ConfigurationError: It sends its people by itself.
        """
        make, current = self.versions.maker(source), self.versions.in_force(source)
        own = self.versions.to_save(source, own)
        written = self.versions.written(source, own)
        directory, mapping = make(written)
        before: PersonMapping | None = None
        # Rules that do not compile any more make nobody of anybody; whatever mends them is welcome.
        with suppress(RuleError):
            _, before = make(current.rules)
            directory, _ = make(written, current.rules)
        counter = EffectCounter(source, before, mapping, self._context.now())
        for raw in directory.read():
            counter.see(raw)
        effect = counter.effect
        require_people(effect.read, source, None)
        seen = Seen(
            digest=_digest(own),
            compiled=mapping.version,
            after=current.number,
            read=effect.read,
            changed=effect.changed,
        )
        given_back = own is None and not current.from_configuration
        same = written == current.rules and not given_back
        return Counted(effect=effect, seen=seen, same=same)

    def save(
        self, source: str, own: Rules | None, seen: Seen, actor: Actor, comment: str = ""
    ) -> MappingVersion:
        """Let other rules map a source from now on; the next run is only planned (R8).

        Args:
            source: A source that is read.
            own: What stands before the preset's rules; None: the configuration's again.
            seen: What was counted and shown of exactly these rules.
            actor: Who saves them.
            comment: Why; stays with the version.

        Raises:
            RuleError: A rule can never work.
            DigestMismatchError: What was shown was another change: nothing was saved.
            NotFoundError: There is no such source.
            ConfigurationError: It sends its people by itself.
        """
        own = self.versions.to_save(source, own)
        self.versions.maker(source)(self.versions.written(source, own))
        with self._context.database.write() as session:
            found = find_source(session, self._context, source, for_update=True)
            last = last_version(session, self._context, source)
            after = last.number if last else CONFIGURATION
            if (seen.digest, seen.after) != (_digest(own), after):
                raise DigestMismatchError(
                    f"what was counted was another change of the mapping of {source}, or somebody "
                    f"saved one meanwhile; nothing was saved. Look at the effect again."
                )
            rules = dict(own) if own is not None else None
            session.add(
                MappingVersionRecord(
                    source_id=found.id,
                    number=after + 1,
                    rules=rules,
                    compiled=seen.compiled,
                    comment=comment,
                    saved_by=actor.name,
                    saved_at=self._context.now(),
                    read=seen.read,
                    changed=seen.changed,
                )
            )
            record(
                session,
                self._context,
                actor,
                "mapping_saved",
                f"{actor.name} saved version {after + 1} of the mapping of {source}: of "
                f"{seen.read:,} people it changes {seen.changed:,} (R8)",
                before={"rules": last.rules if last else None},
                after={"rules": rules},
            )
        return self.versions.in_force(source)


def _called(directory: DirectorySource, people: Sequence[str]) -> Sequence[RawPerson]:
    chosen: list[RawPerson] = []
    for words in people:
        found = directory.find(words)
        if not found:
            raise NotFoundError(f"person in {directory.name} called", f'"{words}"')
        chosen += [one.raw for one in found]
    return chosen


def _sampled(source: str, raw: RawPerson, mapping: PersonMapping, now: datetime) -> Sampled:
    problem = None
    try:
        mapping.person(source, raw, now)
    except MappingError as error:
        problem = str(error)
    fields = mapping.explain(source, raw, now)
    return Sampled(id=raw.anchor, where=raw.where, fields=fields, problem=problem)


def _digest(own: Rules | None) -> str:
    written = json.dumps(own, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(written.encode(), digest_size=16).hexdigest()
