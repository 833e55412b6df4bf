"""Every version of a source's mapping, and which one is in force (R8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from provisioning.domain.errors import ConfigurationError, NotFoundError
from provisioning.services.context import Rules, ServiceContext, SourceMaker
from provisioning.services.saved_mappings import SavedSources
from provisioning.services.sources import configured_source, find_source
from provisioning.storage.models.mappings import MappingVersionRecord
from provisioning.storage.models.runs import RunRecord

CONFIGURATION = 0
"""The number of the rules that stand in the configuration; they are there without being saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingVersion:
    """One version as it is listed."""

    number: int
    rules: Rules
    from_configuration: bool
    """Whether it says that the configuration's rules count."""

    in_force: bool
    saved_by: str = ""
    saved_at: datetime | None = None
    comment: str = ""
    read: int | None = None
    changed: int | None = None

    @property
    def origin(self) -> str:
        """Where the rules are from, in words."""
        if self.saved_at is None:
            return "the configuration"
        words = f"version {self.number}, saved by {self.saved_by}"
        return f"{words}: the configuration's again" if self.from_configuration else words


class MappingVersions:
    """The versions of the mapping of every source that is read."""

    def __init__(self, context: ServiceContext, sources: SavedSources) -> None:
        """Keep the intranet and its sources at hand."""
        self._context = context
        self._sources = sources

    def in_force(self, source: str) -> MappingVersion:
        """Return the version that maps a source now.

        Raises:
            NotFoundError: There is no such source.
            ConfigurationError: It sends its people by itself.
        """
        return self.version(source, None)

    def version(self, source: str, number: int | None) -> MappingVersion:
        """Return one version, or the one that maps a source now.

        Raises:
            NotFoundError: There is no such source or version.
            ConfigurationError: The source sends its people by itself.
        """
        for each in self.listed(source):
            if each.in_force if number is None else each.number == number:
                return each
        raise NotFoundError("version", number, hint=f"`usher mapping versions {source}` lists them")

    def listed(self, source: str) -> Sequence[MappingVersion]:
        """Return every version, the newest first; last the configuration's own rules.

        Raises:
            NotFoundError: There is no such source.
            ConfigurationError: It sends its people by itself.
        """
        self.maker(source)
        configured = self._sources.configured[source].own_rules
        with self._context.database.read() as session:
            found = session.scalars(
                select(MappingVersionRecord)
                .where(
                    MappingVersionRecord.source_id == find_source(session, self._context, source).id
                )
                .order_by(MappingVersionRecord.number.desc())
            ).all()
        last = found[0].number if found else CONFIGURATION
        listed = [
            MappingVersion(
                number=each.number,
                rules=configured if each.rules is None else each.rules,
                from_configuration=each.rules is None,
                in_force=each.number == last,
                saved_by=each.saved_by,
                saved_at=each.saved_at,
                comment=each.comment,
                read=each.read,
                changed=each.changed,
            )
            for each in found
        ]
        first = MappingVersion(
            number=CONFIGURATION, rules=configured, from_configuration=True, in_force=not found
        )
        return [*listed, first]

    def rules_of(self, source: str, number: int) -> Rules | None:
        """Return the own rules of a version as they can be saved again; None: configuration's.

        Raises:
            NotFoundError: There is no such source or version.
            ConfigurationError: The source sends its people by itself.
        """
        found = self.version(source, number)
        return None if found.from_configuration else found.rules

    def of_run(self, run: int) -> int | None:
        """Return the number of the saved version a run mapped by; None: it was not a saved one."""
        query = (
            select(MappingVersionRecord.number)
            .join(RunRecord, RunRecord.source_id == MappingVersionRecord.source_id)
            .where(
                RunRecord.id == run,
                RunRecord.intranet_id == self._context.intranet_id,
                MappingVersionRecord.compiled == RunRecord.mapping_version,
                MappingVersionRecord.rules.is_not(None),
            )
            .order_by(MappingVersionRecord.number.desc())
            .limit(1)
        )
        with self._context.database.read() as session:
            number: int | None = session.scalar(query)
            return number

    def maker(self, source: str) -> SourceMaker:
        """Return how a source is made by other rules.

        Raises:
            NotFoundError: There is no such source.
            ConfigurationError: It sends its people by itself.
        """
        found = configured_source(self._context, self._sources.configured, source)
        if found.make is None:
            raise ConfigurationError(
                f"{source} is a {found.kind} source: it sends people itself and has no mapping here"
            )
        return found.make

    def written(self, source: str, own: Rules | None) -> Rules:
        """Return own rules; for None the configuration's."""
        return self._sources.configured[source].own_rules if own is None else own

    def to_save(self, source: str, own: Rules | None) -> Rules | None:
        """Return own rules as they are saved: the configuration's own are left to it."""
        return None if own == self._sources.configured[source].own_rules else own
