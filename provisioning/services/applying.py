"""Applying a stored plan: one transaction per person, resumable at any point (R4, R5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from provisioning.domain.actions import REMOVALS, Action, HoldReason
from provisioning.domain.brakes import Brake
from provisioning.domain.errors import BrakeError, ProvisioningError, StaleWriteError
from provisioning.domain.findings import FindingKind
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.findings import close_finding, refresh
from provisioning.services.match_queue import see_reading
from provisioning.services.provision import Provisioner
from provisioning.services.sources import remember_reading_of
from provisioning.services.switches import require_off
from provisioning.services.undoing import remember_undo
from provisioning.storage.counting import counted
from provisioning.storage.managers import resolve_managers_of_run
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import (
    ActionStatus,
    RunActionRecord,
    RunRecord,
    RunState,
)
from provisioning.storage.runs import due_actions
from provisioning.storage.sources import Source
from provisioning.storage.staging import drop_staged, remember_reading
from provisioning.storage.undoing import said_of

log = structlog.get_logger(__name__)

Progress = Callable[[int, int], None]
"""Called with (done, all) after each person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """Does the chosen actions of a run that this process has claimed."""

    context: ServiceContext
    run_id: int
    actor: Actor

    def apply(self, progress: Progress | None = None) -> RunState:
        """Do what is due and close the run; returns the state it ended in.

        Raises:
            BrakeError: Nothing may be changed any more; the run can be resumed.
        """
        with self.context.database.read() as session:
            due = due_actions(session, self.run_id)
            run = session.get_one(RunRecord, self.run_id)
            source = session.get_one(SourceRecord, run.source_id)
        for number, seq in enumerate(due, start=1):
            self._perform(run, source, seq)
            if progress is not None:
                progress(number, len(due))
        owner = self.context.policy.owner_of("manager")
        resolve_managers_of_run(self.context.database, source.id, self.run_id, owner)
        return self._close()

    def _perform(self, run: RunRecord, source: Source, seq: int) -> None:
        try:
            with self.context.database.write() as session:
                self._perform_in(session, run, source, seq)
        except (StaleWriteError, StaleDataError) as error:
            self._mark(seq, ActionStatus.DRIFTED, str(error).splitlines()[0])
        except BrakeError as error:
            if error.brake is Brake.READ_ONLY:
                # What is chosen and not done is done when the run is resumed (R5).
                raise
            self._hold_back(seq)
        except IntegrityError as error:
            self._mark(seq, ActionStatus.FAILED, f"the database refused it: {error.orig}")
            log.warning("action_refused", run=self.run_id, seq=seq, reason=str(error.orig))
        except ProvisioningError as error:
            self._mark(seq, ActionStatus.FAILED, str(error))
            log.warning("action_failed", run=self.run_id, seq=seq, error=error.code)
        except SQLAlchemyError:
            raise
        except Exception as error:
            self._mark(seq, ActionStatus.FAILED, f"internal error: {type(error).__name__}")
            log.exception("action_broke", run=self.run_id, seq=seq)

    def _perform_in(self, session: Session, run: RunRecord, source: Source, seq: int) -> None:
        row = session.get_one(RunActionRecord, (self.run_id, seq), with_for_update=True)
        if row.status is not ActionStatus.DUE:
            return
        require_off(session, self.context, Brake.READ_ONLY)
        action = Action.from_json(row.after)
        if action.kind in REMOVALS:
            row.before = {"person": said_of(session, source.id, row.anchor)}
        employee = Provisioner(
            session=session,
            context=self.context,
            source=source,
            actor=self.actor,
            run_id=self.run_id,
            mapping_version=run.mapping_version,
            planned_at=run.started_at,
        ).perform(action)
        row.left_since = employee.state_since if employee else None
        row.status = ActionStatus.DONE

    def _hold_back(self, seq: int) -> None:
        """Leave a removal to the next run, or to an approval: a brake was pulled meanwhile."""
        with self.context.database.write() as session:
            row = session.get_one(RunActionRecord, (self.run_id, seq), with_for_update=True)
            row.status, row.held = ActionStatus.PLANNED, HoldReason.BRAKE

    def _mark(self, seq: int, status: ActionStatus, error: str) -> None:
        with self.context.database.write() as session:
            row = session.get_one(RunActionRecord, (self.run_id, seq), with_for_update=True)
            if row.status is ActionStatus.DUE:
                row.status, row.error = status, error

    def _close(self) -> RunState:
        """Remember what was read, last of all, and say how the run ended."""
        with self.context.database.write() as session:
            run = session.get_one(RunRecord, self.run_id, with_for_update=True)
            run.state = self._final_state(session)
            if run.undoes is None:
                self._remember(session, run)
            else:
                remember_undo(session, self.context, self.actor, run)
            run.finished_at = self.context.now()
            run.worker = None
            return run.state

    def _remember(self, session: Session, run: RunRecord) -> None:
        """Write down what was read of those for whom nothing was to be done."""
        back = remember_reading(session, run.id, run.source_id, run.mapping_version)
        for employee_id in back:
            kind = FindingKind.MISSING_FROM_SOURCE
            close_finding(session, self.context, str(employee_id), kind)
            refresh(session, self.context, session.get_one(EmployeeRecord, employee_id))
        see_reading(session, self.context, run)
        drop_staged(session, run.id)
        remember_reading_of(session.get_one(SourceRecord, run.source_id), run)

    def _final_state(self, session: Session) -> RunState:
        of_run = RunActionRecord.run_id == self.run_id
        found = counted(session, RunActionRecord.status, of_run)
        if found.get(ActionStatus.FAILED):
            return RunState.PARTIAL
        return RunState.HELD if found.get(ActionStatus.PLANNED) else RunState.APPLIED
