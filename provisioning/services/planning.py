"""Reading a source and planning: nothing is changed here (R1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from provisioning.domain.actions import HoldReason
from provisioning.domain.brakes import Brake
from provisioning.domain.context import PlanningContext
from provisioning.domain.correlation import Hit
from provisioning.domain.errors import MarkError, ProvisioningError, SourceError
from provisioning.domain.matching import Queued
from provisioning.domain.people import Person
from provisioning.domain.plan import Plan
from provisioning.domain.planning import make_plan
from provisioning.services.context import Actor, ConfiguredSource, ServiceContext
from provisioning.services.findings import flagged_anchors
from provisioning.services.quarantine import note_failure, note_success
from provisioning.services.reading import Heard, Reader
from provisioning.services.seats import read_seats
from provisioning.services.sources import find_source
from provisioning.services.switches import is_on
from provisioning.storage.claims import reading, require_nobody_reads
from provisioning.storage.matches import queued_people
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunKind, RunRecord, RunState
from provisioning.storage.presence import Presence
from provisioning.storage.registry import Lookup, registered_people, staged_people
from provisioning.storage.runs import removed_since, seated_people, store_actions
from provisioning.storage.sources import Source
from provisioning.storage.staging import count_staged, drop_staged
from provisioning.storage.workers import worker_name

ROLLING = timedelta(days=7)

_TOO_MANY = frozenset({HoldReason.MASS_REMOVAL, HoldReason.ROLLING_SHARE, HoldReason.ATTRIBUTES})
"""What only a complete reading is asked about."""


def planning_context(
    session: Session,
    context: ServiceContext,
    source: Source,
    *,
    queue: Mapping[str, Queued],
    heard: Heard | None = None,
) -> PlanningContext:
    """Gather what a decision needs beside the two descriptions, for a run or for one person.

    One person alone does not come under the limits of a run (D5).

    Args:
        session: Where to look.
        context: The intranet.
        source: Whose word is judged.
        queue: The matching queue, of the source or of the one person.
        heard: What a run read; None for one person alone.
    """
    lookup: Lookup | None = None
    run_id = heard.run_id if heard else None

    def hits(person: Person) -> Sequence[Hit]:
        nonlocal lookup
        if lookup is None:
            presence = heard.presence if heard else None
            lookup = Lookup(
                session, source=source, policy=context.policy, run_id=run_id, presence=presence
            )
        return lookup.hits(person)

    alone = PlanningContext(
        source=source.name,
        policy=context.policy,
        now=context.now(),
        today=context.today(),
        seats=lambda: read_seats(session, context),
        hits=hits,
        queue=queue,
        removals_stopped=is_on(session, context, Brake.NO_DISMISSALS),
    )
    if heard is None:
        return alone
    return replace(
        alone,
        flagged=flagged_anchors(session, source.id),
        people=heard.people,
        seated=lambda: seated_people(session, source),
        removed_recently=removed_since(session, source, context.now() - ROLLING)[0],
        removals_proven=heard.removals_proven,
        complete=heard.presence is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Reads one source to its end and stores what would have to happen."""

    context: ServiceContext
    source: ConfiguredSource

    def plan(self, actor: Actor, *, kind: RunKind = RunKind.FULL) -> int:
        """Read everyone, prove complete, plan, guard and store; returns the run's number.

        Raises:
            SourceError: The reading was cut short or empty; the run says so, nothing changed.
            BusyError: Another process reads the source.
        """
        with Presence() as presence:
            return self._planned(actor, kind, lambda reader: reader.everyone(presence))

    def plan_changes(self, actor: Actor, mark: str) -> int:
        """Read what changed since a mark, plan, guard and store; returns the run's number.

        Raises:
            MarkError: The changes are in doubt, or too many to go without a complete reading.
            SourceError: The reading was cut short; the run says so, nothing changed.
            BusyError: Another process reads the source.
        """
        return self._planned(actor, RunKind.CHANGES, lambda reader: reader.changes(mark))

    def _planned(self, actor: Actor, kind: RunKind, read: Callable[[Reader], Heard]) -> int:
        context = self.context
        with reading(context.database, lambda: self._begin(actor, kind), context.now) as run_id:
            try:
                heard = read(Reader(context=context, source=self.source, run_id=run_id))
                plan = self._plan(heard)
            except ProvisioningError as error:
                self._end(run_id, error)
                raise
            self._store(plan, heard)
            return run_id

    def _plan(self, heard: Heard) -> Plan:
        with self.context.database.read() as session:
            source = find_source(session, self.context, self.source.name)
            staged = count_staged(session, heard.run_id)
            plan = make_plan(
                staged_people(session, heard.run_id, source.name),
                registered_people(session, source.id, heard.run_id),
                planning_context(
                    session,
                    self.context,
                    source,
                    queue=queued_people(session, source.id),
                    heard=heard,
                ),
            )
        if plan.read != staged or (heard.staged and not staged):
            raise SourceError(f"the staged reading of run {heard.run_id} was disturbed; plan again")
        doubt = next((one.held for one in plan.held if one.held in _TOO_MANY), None)
        if doubt is not None and heard.presence is None:
            raise MarkError(f"{doubt.sentence}, by the changes alone; everyone has to be read")
        return replace(plan, read=heard.read, unchanged=plan.unchanged + heard.read - plan.read)

    def _begin(self, actor: Actor, kind: RunKind) -> int:
        """Write the run down as failed: whatever ends it early, that is the truth."""
        with self.context.database.write() as session:
            source = find_source(session, self.context, self.source.name, for_update=True)
            require_nobody_reads(session, source.id, self.context.now())
            run = RunRecord(
                intranet_id=self.context.intranet_id,
                source_id=source.id,
                kind=kind,
                state=RunState.FAILED,
                counts={},
                started_by=actor.name,
                started_at=self.context.now(),
                error="interrupted before the plan was complete",
                worker=worker_name(),
                heartbeat=self.context.now(),
            )
            session.add(run)
            session.flush()
            return run.id

    def _store(self, plan: Plan, heard: Heard) -> None:
        with self.context.database.write() as session:
            run = session.get_one(RunRecord, heard.run_id)
            store_actions(session, run.id, plan)
            run.state = RunState.HELD if plan.held else RunState.READY
            run.digest = plan.digest()
            run.counts = plan.counts()
            run.read, run.unchanged = plan.read, plan.unchanged
            run.mapping_version, run.rules = heard.mapping_version, heard.rules
            run.proof = dict(heard.proof)
            run.error = run.worker = None
            run.finished_at = self.context.now()
            note_success(_locked_source(session, run), run.kind)

    def _end(self, run_id: int, error: ProvisioningError) -> None:
        now = self.context.now()
        with self.context.database.write() as session:
            run = session.get_one(RunRecord, run_id)
            run.state, run.error, run.finished_at = RunState.INCOMPLETE, str(error), now
            run.worker = None
            drop_staged(session, run_id)
            note_failure(_locked_source(session, run), run.kind, error, now)


def _locked_source(session: Session, run: RunRecord) -> SourceRecord:
    return session.get_one(SourceRecord, run.source_id, with_for_update=True)
