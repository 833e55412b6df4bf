"""Runs: plan, apply, approve, reject, sync - and resuming what was interrupted (R)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

import structlog
from sqlalchemy import update

from provisioning.domain.errors import (
    DigestMismatchError,
    HeldError,
    MarkError,
    ProvisioningError,
    RunStateError,
)
from provisioning.domain.plan import APPROVAL_LIFETIME
from provisioning.services.applying import Applier, Progress
from provisioning.services.audit import record
from provisioning.services.budget import choose_within_budget
from provisioning.services.context import Actor, ConfiguredSource, ServiceContext
from provisioning.services.invitations import InvitationService
from provisioning.services.photos import read_photos
from provisioning.services.planning import Planner
from provisioning.services.reading import rules_of
from provisioning.services.settling import expire_older, is_news, must_be_shown, settle_afresh
from provisioning.services.sources import configured_source, find_source
from provisioning.services.switches import require_writable
from provisioning.services.undoing import settle_undo
from provisioning.services.waiting import WaitingService
from provisioning.storage.claims import applying
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import (
    ActionStatus,
    RunActionRecord,
    RunRecord,
    RunState,
)
from provisioning.storage.runs import find_run, interrupted_run
from provisioning.storage.staging import drop_staged

log = structlog.get_logger(__name__)


class RunService:
    """Everything that can be done with a run, by a command, a page or a job."""

    def __init__(self, context: ServiceContext, sources: Mapping[str, ConfiguredSource]) -> None:
        """Keep the intranet and its sources, by name, at hand."""
        self._context = context
        self._sources = sources

    def plan(self, source: str, actor: Actor) -> int:
        """Read and plan, changing nothing; returns the run's number.

        Raises:
            NotFoundError: There is no such source.
            SourceError: The source's answer was incomplete.
        """
        run_id = Planner(context=self._context, source=self._configured(source)).plan(actor)
        self._forget_reading(run_id)
        return run_id

    def sync(self, source: str, actor: Actor, progress: Progress | None = None) -> int:
        """Resume what was interrupted, read everyone, and apply what no guard holds.

        Returns the run's number; its state tells how it ended. A source whose first run has
        to be released is only planned (I10), and so is one whose mapping or scope changed (R8).
        """
        configured = self._configured(source)
        require_writable(self._context)
        self.resume(source, actor, progress)
        if not self._is_released(source):
            return self.plan(source, actor)
        InvitationService(self._context).expire_due()
        run_id = Planner(context=self._context, source=configured).plan(actor)
        if must_be_shown(self._context, run_id):
            expire_older(self._context, run_id)
            self._forget_reading(run_id)
            return run_id
        self._apply_planned(run_id, actor, progress)
        read_photos(self._context, configured)
        return run_id

    def sync_changes(self, source: str, actor: Actor) -> int | None:
        """Apply what changed since the last reading; returns the run's number, if there was one.

        Everyone is read instead when the changes are in doubt. Nothing is done before the first
        complete run was applied, nor while a changed mapping or scope has not been shown (R8).

        Raises:
            SourceError: The reading was cut short; the next one begins at the same mark.
        """
        configured = self._configured(source)
        require_writable(self._context)
        self.resume(source, actor)
        with self._context.database.read() as session:
            record = find_source(session, self._context, source)
        if not (record.is_released and record.mark) or record.rules != rules_of(configured):
            return None
        try:
            run_id = Planner(context=self._context, source=configured).plan_changes(
                actor, record.mark
            )
        except MarkError as error:
            log.info("everyone_is_read", source=source, why=str(error))
            return self.sync(source, actor)
        if is_news(self._context, run_id):
            self._apply_planned(run_id, actor)
            return run_id
        return None

    def _apply_planned(self, run_id: int, actor: Actor, progress: Progress | None = None) -> None:
        """Apply what was planned a moment ago, except what is held."""
        with self._applying(run_id):
            expire_older(self._context, run_id)
            with self._context.database.write() as session:
                run = session.get_one(RunRecord, run_id)
                choose_within_budget(session, self._context, run)
                run.settled = True
            self._finish(run_id, actor, progress)

    def _applying(self, run_id: int) -> AbstractContextManager[bool]:
        context = self._context
        return applying(context.database, context.intranet_id, run_id, context.now)

    def _forget_reading(self, run_id: int) -> None:
        """Drop what was read: whoever applies the plan reads again first (R4)."""
        with self._context.database.write() as session:
            drop_staged(session, run_id)

    def apply(self, run_id: int, actor: Actor, progress: Progress | None = None) -> RunState:
        """Apply what a stored plan and a fresh one have in common, except what is held (R4).

        Raises:
            HeldError: The source's first run has to be released.
            RunStateError: The run cannot be applied (any more).
        """
        with self._context.database.read() as session:
            run = find_run(session, self._context.intranet_id, run_id)
            source = session.get_one(SourceRecord, run.source_id).name
            if run.state is RunState.APPLIED:
                return run.state
        if not self._is_released(source):
            raise HeldError(
                f"the first run of {source} waits for its release; nothing was changed. "
                f"Look at `usher plan-show {run_id}`, then `usher release {source}`."
            )
        return self._apply(run_id, source, actor, progress, approved=False)

    def approve(
        self,
        run_id: int,
        actor: Actor,
        *,
        digest: str | None = None,
        comment: str = "",
        progress: Progress | None = None,
    ) -> RunState:
        """Approve the plan that was shown, held actions included, and apply it (R4).

        Raises:
            DigestMismatchError: The stored plan is another one.
            RunStateError: Nothing is held, or the approval came too late.
            HeldError: The source's first run has to be released.
        """
        with self._context.database.write() as session:
            run = find_run(session, self._context.intranet_id, run_id, lock=True)
            source = session.get_one(SourceRecord, run.source_id).name
            if run.state is not RunState.HELD:
                raise RunStateError(run_id, run.state, "approved")
            if digest is not None and digest != run.digest:
                raise DigestMismatchError(
                    f"run {run_id} has the digest {run.digest[:12]}, not {digest[:12]}; "
                    "nothing was approved. Look at the plan again."
                )
            self._require_fresh(run)
            run.approved_by, run.approved_at = actor.name, self._context.now()
            run.comment = comment
            record(
                session,
                self._context,
                actor,
                "run_approved",
                f"{actor.name} approved run {run_id}: {comment or 'no comment'} (R4)",
                after={"digest": run.digest},
                run_id=run_id,
            )
        return self._apply(run_id, source, actor, progress, approved=True)

    def reject(self, run_id: int, actor: Actor, comment: str = "") -> None:
        """Refuse what a plan holds or has not done yet.

        Raises:
            RunStateError: The run is neither ready nor held.
        """
        with self._context.database.write() as session:
            run = find_run(session, self._context.intranet_id, run_id, lock=True)
            if run.state not in (RunState.READY, RunState.HELD):
                raise RunStateError(run_id, run.state, "rejected")
            run.state, run.comment = RunState.REJECTED, comment
            session.execute(
                update(RunActionRecord)
                .where(
                    RunActionRecord.run_id == run_id,
                    RunActionRecord.status == ActionStatus.PLANNED,
                )
                .values(status=ActionStatus.REJECTED)
            )
            drop_staged(session, run_id)
            because = f"{actor.name} rejected run {run_id}: {comment or 'no comment'}"
            record(session, self._context, actor, "run_rejected", because, run_id=run_id)

    def resume(self, source: str, actor: Actor, progress: Progress | None = None) -> int | None:
        """Finish a run that was killed while applying; returns its number, if there was one."""
        with self._context.database.read() as session:
            source_id = find_source(session, self._context, source).id
            run_id = interrupted_run(session, source_id, self._context.now())
            if run_id is None:
                return None
            approved = session.get_one(RunRecord, run_id).approved_at is not None
        self._apply(run_id, source, actor, progress, approved=approved)
        return run_id

    def _apply(
        self,
        run_id: int,
        source: str,
        actor: Actor,
        progress: Progress | None,
        *,
        approved: bool,
    ) -> RunState:
        context = self._context
        require_writable(context)
        self._resume_other(run_id, source, actor, progress)
        with context.database.read() as session:
            run = find_run(session, context.intranet_id, run_id)
            before, settled = run.state, run.settled
            if before is not RunState.APPLYING:
                self._require_fresh(run)
        with self._applying(run_id) as resumed:
            if not (resumed and settled):
                InvitationService(context).expire_due()
                try:
                    self._settle(run_id, source, actor, approved=approved)
                except ProvisioningError:
                    self._give_back(run_id, RunState.HELD if approved else before)
                    raise
            return self._finish(run_id, actor, progress)

    def _settle(self, run_id: int, source: str, actor: Actor, *, approved: bool) -> None:
        """Choose what is still wanted: by a new reading, or of an undo by what is there (R4)."""
        context = self._context
        with context.database.read() as session:
            undoes = session.get_one(RunRecord, run_id).undoes
        if undoes is not None:
            settle_undo(context, run_id, approved=approved)
        else:
            settle_afresh(context, self._configured(source), run_id, actor, approved=approved)

    def _resume_other(
        self, run_id: int, source: str, actor: Actor, progress: Progress | None
    ) -> None:
        """Finish another run of the source first, if its process died while applying it."""
        with self._context.database.read() as session:
            source_id = find_source(session, self._context, source).id
            other = interrupted_run(session, source_id, self._context.now())
        if other not in (None, run_id):
            self.resume(source, actor, progress)

    def _finish(self, run_id: int, actor: Actor, progress: Progress | None) -> RunState:
        state = Applier(context=self._context, run_id=run_id, actor=actor).apply(progress)
        WaitingService(self._context).serve()
        return state

    def _give_back(self, run_id: int, state: RunState) -> None:
        """Put a run back whose source could not be read again: nothing was changed."""
        with self._context.database.write() as session:
            run = session.get_one(RunRecord, run_id)
            run.state = RunState.READY if state is RunState.APPLYING else state
            run.worker = None

    def _require_fresh(self, run: RunRecord) -> None:
        if self._context.now() - run.started_at > APPROVAL_LIFETIME:
            raise RunStateError(run.id, "more than 24 hours old", "applied; plan again")

    def _configured(self, source: str) -> ConfiguredSource:
        return configured_source(self._context, self._sources, source)

    def _is_released(self, source: str) -> bool:
        with self._context.database.read() as session:
            return find_source(session, self._context, source).is_released
