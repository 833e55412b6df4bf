"""Reading a source and planning: nothing is changed here (R1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from provisioning.domain.context import PlanningContext
from provisioning.domain.correlation import Hit
from provisioning.domain.errors import ConfigurationError, ProvisioningError, SourceError
from provisioning.domain.guards import require_people
from provisioning.domain.matching import Queued
from provisioning.domain.people import Person
from provisioning.domain.plan import Plan
from provisioning.domain.planning import make_plan
from provisioning.domain.snapshots import SnapshotProof
from provisioning.services.context import Actor, ConfiguredSource, ServiceContext
from provisioning.services.findings import flagged_anchors
from provisioning.services.seats import read_seats
from provisioning.services.sources import find_source
from provisioning.storage.claims import reading, require_nobody_reads
from provisioning.storage.matches import queued_people
from provisioning.storage.models.runs import RunRecord, RunState
from provisioning.storage.registry import Lookup, registered_people, staged_people
from provisioning.storage.runs import removed_since, store_actions
from provisioning.storage.sources import Source
from provisioning.storage.staging import Stager, count_staged, drop_staged
from provisioning.storage.workers import worker_name

ROLLING = timedelta(days=7)


def planning_context(
    session: Session,
    context: ServiceContext,
    source: Source,
    *,
    queue: Mapping[str, Queued],
    run_id: int | None = None,
    proof: SnapshotProof | None = None,
) -> PlanningContext:
    """Gather what a decision needs beside the two descriptions, for a run or for one person.

    One person alone does not come under the limits of a run (D5).

    Args:
        session: Where to look.
        context: The intranet.
        source: Whose word is judged.
        queue: The matching queue, of the source or of the one person.
        run_id: The run; None for one person alone.
        proof: Whether its reading was complete.
    """
    lookup: Lookup | None = None

    def hits(person: Person) -> Sequence[Hit]:
        nonlocal lookup
        if lookup is None:
            lookup = Lookup(session, source=source, policy=context.policy, run_id=run_id)
        return lookup.hits(person)

    return PlanningContext(
        source=source.name,
        policy=context.policy,
        now=context.now(),
        today=context.today(),
        seats=lambda: read_seats(session, context),
        hits=hits,
        queue=queue,
        flagged=flagged_anchors(session, source.id) if run_id is not None else frozenset(),
        removed_recently=(
            removed_since(session, source, context.now() - ROLLING)[0] if run_id is not None else 0
        ),
        removals_proven=proof is None or proof.removals_proven,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Reads one source to its end and stores what would have to happen."""

    context: ServiceContext
    source: ConfiguredSource

    def plan(self, actor: Actor, *, kind: str = "full") -> int:
        """Read, prove complete, plan, guard and store; returns the run's number.

        Raises:
            SourceError: The reading was cut short or empty; the run says so, nothing changed.
            BusyError: Another process reads the source.
        """
        context = self.context
        with reading(context.database, lambda: self._begin(actor, kind), context.now) as run_id:
            try:
                proof, read = self._read(run_id)
            except ProvisioningError as error:
                self._end(run_id, RunState.INCOMPLETE, str(error))
                raise
            self._plan(run_id, proof, read)
            return run_id

    def _plan(self, run_id: int, proof: SnapshotProof, read: int) -> None:
        with self.context.database.read() as session:
            source = find_source(session, self.context, self.source.name)
            staged = count_staged(session, run_id)
            plan = make_plan(
                staged_people(session, run_id, source.name),
                registered_people(session, source.id),
                planning_context(
                    session,
                    self.context,
                    source,
                    queue=queued_people(session, source.id),
                    run_id=run_id,
                    proof=proof,
                ),
            )
        if plan.read != staged:
            raise SourceError(f"the staged reading of run {run_id} was disturbed; plan again")
        self._store(run_id, replace(plan, read=read), proof)

    def _begin(self, actor: Actor, kind: str) -> int:
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

    def _read(self, run_id: int) -> tuple[SnapshotProof, int]:
        if self.source.directory is None or self.source.mapping is None:
            raise ConfigurationError(
                f"{self.source.name} is a {self.source.kind} source: it sends people itself "
                "and cannot be read"
            )
        with self.context.database.read() as session:
            record = find_source(session, self.context, self.source.name)
        snapshot = self.source.directory.read()
        read = Stager(
            database=self.context.database,
            run_id=run_id,
            source_id=record.id,
            source=self.source.name,
            mapping=self.source.mapping,
            now=self.context.now(),
        ).stage(snapshot)
        require_people(read, self.source.name, record.last_read)
        return snapshot.proof, read

    def _store(self, run_id: int, plan: Plan, proof: SnapshotProof) -> None:
        mapping = self.source.mapping
        with self.context.database.write() as session:
            run = session.get_one(RunRecord, run_id)
            store_actions(session, run_id, plan)
            run.state = RunState.HELD if plan.held else RunState.READY
            run.digest = plan.digest()
            run.counts = plan.counts()
            run.read, run.unchanged = plan.read, plan.unchanged
            run.mapping_version = mapping.version if mapping else ""
            run.proof = asdict(proof)
            run.error = run.worker = None
            run.finished_at = self.context.now()

    def _end(self, run_id: int, state: RunState, error: str) -> None:
        with self.context.database.write() as session:
            run = session.get_one(RunRecord, run_id)
            run.state, run.error, run.finished_at = state, error, self.context.now()
            run.worker = None
            drop_staged(session, run_id)
