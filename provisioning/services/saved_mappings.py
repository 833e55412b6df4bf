"""Which rules map a source: the configuration's, or the version an administrator saved last (R8).

Every process looks at each use, so a saved version is in force everywhere at once; a run keeps
the rules it began with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.errors import ConfigurationError, RuleError
from provisioning.domain.mapping import PersonMapping
from provisioning.ports import DirectorySource
from provisioning.services.context import ConfiguredSource, Rules, ServiceContext, SourceMaker
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.mappings import MappingVersionRecord


class SavedSources(Mapping[str, ConfiguredSource]):
    """The configured sources, each by the rules that are in force."""

    def __init__(self, context: ServiceContext, configured: Mapping[str, ConfiguredSource]) -> None:
        """Compile nothing yet."""
        self._context = context
        self.configured = configured
        """Each by the configuration's own rules."""

        self._made: dict[str, tuple[int, ConfiguredSource]] = {}

    def __getitem__(self, name: str) -> ConfiguredSource:
        """Return a source by the rules that are in force.

        Raises:
            KeyError: The configuration has no such source.
            ConfigurationError: What was saved does not compile any more.
        """
        source = self.configured[name]
        if source.make is None:
            return source
        with self._context.database.read() as session:
            saved = last_version(session, self._context, name)
        if saved is None or saved.rules is None:
            return source
        kept = self._made.get(name)
        if kept is None or kept[0] != saved.id:
            directory, mapping = _made(name, source.make, saved.number, saved.rules)
            made = replace(source, directory=directory, mapping=mapping, own_rules=saved.rules)
            kept = self._made[name] = saved.id, made
        return kept[1]

    def __iter__(self) -> Iterator[str]:
        """Yield the names, as the configuration orders them."""
        return iter(self.configured)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.configured)


def last_version(
    session: Session, context: ServiceContext, source: str
) -> MappingVersionRecord | None:
    """Return the version of a source's mapping that was saved last, if any was."""
    return session.scalars(
        select(MappingVersionRecord)
        .join(SourceRecord, SourceRecord.id == MappingVersionRecord.source_id)
        .where(SourceRecord.intranet_id == context.intranet_id, SourceRecord.name == source)
        .order_by(MappingVersionRecord.number.desc())
        .limit(1)
    ).one_or_none()


def _made(
    source: str, make: SourceMaker, number: int, rules: Rules
) -> tuple[DirectorySource, PersonMapping]:
    try:
        return make(rules)
    except RuleError as error:
        raise ConfigurationError(
            f"version {number} of the mapping of {source} does not compile any more: {error}. "
            f"Nothing was read. Save a mended one, or go back: usher mapping restore {source} 0"
        ) from error
