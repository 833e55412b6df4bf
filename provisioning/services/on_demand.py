"""Provision on demand: one person of a source is read and run alone, with every step (R9).

what is found               what follows
--------------------------  -----------------------------------------------------------------
one entry, in scope         what a run would do for it: shown, or done
one entry, out of scope     nothing: no run would read it
several entries             they are listed; nothing
none                        nothing: only a complete reading says that somebody left

What is shown is found out by doing it and rolling everything back: the same functions, the same
guards, the same locks (S3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.exc import OperationalError

from provisioning.domain.errors import HeldError, MappingError, StaleWriteError
from provisioning.domain.snapshots import StagedPerson
from provisioning.ports import FoundPerson
from provisioning.services.context import Actor, ConfiguredSource, ServiceContext
from provisioning.services.finding_people import PeopleFinder
from provisioning.services.reading import readable
from provisioning.services.retrying import started_over
from provisioning.services.running_alone import RunAlone
from provisioning.services.sources import configured_source, find_source
from provisioning.services.traces import EntryStep, Outcome, Trace
from provisioning.services.waiting import WaitingService
from provisioning.storage.locks import was_deadlock

_CHANGING = "others are changing the same person right now; nothing was done"


class OnDemandService:
    """Runs one person alone, by a command or a page."""

    def __init__(self, context: ServiceContext, sources: Mapping[str, ConfiguredSource]) -> None:
        """Keep the intranet and its sources, by name, at hand."""
        self._context = context
        self._sources = sources

    def can_ask(self, source: str) -> bool:
        """Whether a source is one that is read."""
        found = self._sources.get(source)
        return found is not None and found.directory is not None

    def require_read(self, source: str) -> None:
        """Refuse a source that nobody can be asked about.

        Raises:
            NotFoundError: There is no such source.
            ConfigurationError: It sends its people by itself.
        """
        readable(self._configured(source))

    def trace(self, source: str, words: str, actor: Actor) -> Trace:
        """Return what a run would do for one person; nothing is changed.

        Args:
            source: A source that is read.
            words: Directory id, DN, user name or mail; or what means an employee here.
            actor: Who asks.

        Raises:
            NotFoundError: There is no such source, or nobody of that name in it.
            SourceError: The source could not be asked.
            SeatLimitError: No seat is free and the policy says to reject (L3).
        """
        return _Alone(self._context, self._configured(source), actor).run(words, keep=False)

    def run(self, source: str, words: str, actor: Actor, *, digest: str | None = None) -> Trace:
        """Do what `trace` shows, except what is held.

        Args:
            source: A source that is read.
            words: As in `trace`.
            actor: Who does it.
            digest: Of the trace that was looked at; another one is not done.

        Raises:
            HeldError: The source's first run has to be released (I10).
            DigestMismatchError: Something else would be done now than what was shown.
            NotFoundError: As in `trace`.
            SourceError: As in `trace`.
            SeatLimitError: As in `trace`.
        """
        alone = _Alone(self._context, self._configured(source), actor)
        alone.require_released()
        return alone.run(words, keep=True, digest=digest)

    def _configured(self, source: str) -> ConfiguredSource:
        return configured_source(self._context, self._sources, source)


class _RolledBackError(Exception):
    """Carries what was found out past the end of a transaction that leaves nothing behind."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class _Alone:
    """One source, asked about one person."""

    def __init__(self, context: ServiceContext, source: ConfiguredSource, actor: Actor) -> None:
        self._context = context
        self._name = source.name
        self._actor = actor
        directory, self._mapping = readable(source)
        with context.database.read() as session:
            self._source = find_source(session, context, source.name)
        self._finder = PeopleFinder(context, self._source, directory, self._mapping)

    def require_released(self) -> None:
        """Refuse to act for a source that waits for its release."""
        if not self._source.is_released:
            raise HeldError(
                f"the first run of {self._name} waits for its release; nothing was changed. "
                f"Look at `usher plan {self._name}`, then `usher release {self._name}`."
            )

    def run(self, words: str, *, keep: bool, digest: str | None = None) -> Trace:
        found = self._finder.found(words)
        trace = Trace(
            source=self._name,
            asked=words,
            found=[_entry_step(one) for one in found],
            released=self._source.is_released,
            conclusion=f"{len(found)} entries are called so; nothing was done. Name one by its id",
        )
        if len(found) > 1:
            return trace
        raw, now = found[0].raw, self._context.now()
        here = StagedPerson(raw.anchor, raw.raw_hash(), None)
        try:
            here = here._replace(person=self._mapping.person(self._name, raw, now))
        except MappingError as error:
            here = here._replace(problem=str(error))
        trace = replace(
            trace,
            name=here.person.display_name if here.person else raw.anchor,
            rules=self._mapping.explain(self._name, raw, now),
            problem=here.problem,
            conclusion="no run would read this entry, so nothing follows from it",
        )
        if not found[0].in_scope:
            return trace
        outcome = self._outcome(here, keep=keep, digest=digest)
        if keep and outcome.frees_seat:
            WaitingService(self._context).serve()
        return replace(
            trace,
            match=outcome.match,
            decisions=outcome.decisions,
            effects=outcome.effects,
            digest=outcome.digest,
            conclusion=outcome.conclusion,
            done=keep,
        )

    def _outcome(self, here: StagedPerson, *, keep: bool, digest: str | None) -> Outcome:
        # The directory is asked before the transaction: nobody waits for a network with locks.
        others = self._finder.others(here.person)

        def work() -> Outcome:
            with self._context.database.write() as session:
                outcome = RunAlone(
                    session=session,
                    context=self._context,
                    source=find_source(session, self._context, self._name),
                    actor=self._actor,
                    here=here,
                    mapping_version=self._mapping.version,
                    others=others,
                ).perform(digest)
                if not keep:
                    raise _RolledBackError(outcome)
                return outcome

        try:
            return started_over(work)
        except _RolledBackError as rolled_back:
            return rolled_back.outcome
        except (StaleWriteError, OperationalError) as error:
            if isinstance(error, OperationalError) and not was_deadlock(error):
                raise
            raise StaleWriteError(_CHANGING) from error


def _entry_step(found: FoundPerson) -> EntryStep:
    return EntryStep(
        id=found.raw.anchor,
        where=found.raw.where,
        attributes=found.raw.attributes,
        problem=found.raw.problem,
        in_scope=found.in_scope,
        scope=found.scope,
    )
