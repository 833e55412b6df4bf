"""From a source to staged news: everyone there is, or what changed since the last time (R1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from provisioning.domain.errors import ConfigurationError
from provisioning.domain.guards import require_people
from provisioning.domain.mapping import PersonMapping
from provisioning.ports import DirectorySource
from provisioning.services.context import ConfiguredSource, ServiceContext
from provisioning.services.sources import find_source
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.presence import Presence
from provisioning.storage.staging import Staged, Stager


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a run was told, and how far it may be believed."""

    run_id: int
    read: int
    """People the source told of."""

    staged: int
    """Those of them there was news of."""

    people: int
    """How many the source has, as far as is known."""

    removals_proven: bool
    proof: Mapping[str, Any]
    """What is kept with the run."""

    mapping_version: str
    rules: str
    """Mapping and scope together (R8)."""

    presence: Presence | None = None
    """Who was seen by a complete reading; None if only changes were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads one source for one run."""

    context: ServiceContext
    source: ConfiguredSource
    run_id: int

    def everyone(self, presence: Presence) -> Heard:
        """Read to the proven end, and find out who is missing.

        Raises:
            SourceError: The reading was cut short or empty.
        """
        snapshot, record = readable(self.source)[0].read(), self._record()
        stager = self._stager(record, presence)
        staged = stager.stage(snapshot)
        require_people(staged.read, self.source.name, record.last_read)
        proof = snapshot.proof
        stager.stage_missing()
        return self._heard(
            staged,
            people=staged.read,
            removals_proven=proof.removals_proven,
            proof=asdict(proof),
            presence=presence,
        )

    def changes(self, mark: str) -> Heard:
        """Read what changed since a mark; who is gone is not removed by it, only marked.

        Raises:
            MarkError: The changes are in doubt.
            SourceError: The reading was cut short.
        """
        changes, record = readable(self.source)[0].changes(mark), self._record()
        with Presence() as seen:
            stager = self._stager(record, seen)
            staged = stager.stage(changes)
            proof = changes.proof
            stager.stage_gone([anchor for anchor in proof.gone if anchor not in seen])
        return self._heard(
            staged,
            people=max(record.last_read or 0, staged.read),
            removals_proven=True,
            proof=asdict(proof) | {"gone": len(proof.gone), "removals_proven": False},
        )

    def _heard(self, staged: Staged, **facts: Any) -> Heard:
        return Heard(
            run_id=self.run_id,
            read=staged.read,
            staged=staged.rows,
            mapping_version=readable(self.source)[1].version,
            rules=rules_of(self.source),
            **facts,
        )

    def _stager(self, record: SourceRecord, presence: Presence) -> Stager:
        return Stager(
            database=self.context.database,
            run_id=self.run_id,
            source_id=record.id,
            source=self.source.name,
            mapping=readable(self.source)[1],
            now=self.context.now(),
            presence=presence,
        )

    def _record(self) -> SourceRecord:
        with self.context.database.read() as session:
            return find_source(session, self.context, self.source.name)


def readable(source: ConfiguredSource) -> tuple[DirectorySource, PersonMapping]:
    """Return how a source is read and mapped.

    Raises:
        ConfigurationError: It sends its people by itself.
    """
    if source.directory is None or source.mapping is None:
        raise ConfigurationError(
            f"{source.name} is a {source.kind} source: it sends people itself and cannot be read"
        )
    return source.directory, source.mapping


def rules_of(source: ConfiguredSource) -> str:
    """Return what decides who is read and what becomes of them, as one digest (R8)."""
    directory, mapping = readable(source)
    return f"{mapping.version}/{directory.scope}"
