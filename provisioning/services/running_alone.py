"""One person of a source that is read, decided and done by the rules of a run (R9, S3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.actions import Action, HoldReason
from provisioning.domain.correlation import Disputed, Hit, Linked, correlate
from provisioning.domain.errors import DigestMismatchError
from provisioning.domain.findings import FindingKind
from provisioning.domain.matching import Decision, Queued
from provisioning.domain.planning import plan_one
from provisioning.domain.snapshots import RegisteredPerson, StagedPerson
from provisioning.services.audit import record
from provisioning.services.budget import measured_for_one, queue_removals
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.effects import effects, seats_between, seen
from provisioning.services.finding_people import Others
from provisioning.services.findings import close_finding, flagged_anchors
from provisioning.services.match_queue import see_pushed
from provisioning.services.people import REMEMBER
from provisioning.services.planning import planning_context
from provisioning.services.provision import Provisioner
from provisioning.services.pushing import refuse_if_full
from provisioning.services.standing import locked_as_planned
from provisioning.services.traces import MatchStep, Outcome, decision_step
from provisioning.storage.core import execute
from provisioning.storage.matches import queued_people
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.newcomers import queue_newcomers
from provisioning.storage.registry import Lookup, registered_one
from provisioning.storage.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAlone:
    """What a source says of one person, in the transaction that writes it.

    Locks are taken as a push takes them: the turn of newcomers, the turn of removals, the
    employee.
    """

    session: Session
    context: ServiceContext
    source: Source
    actor: Actor
    here: StagedPerson
    mapping_version: str
    others: Others

    def perform(self, digest: str | None = None) -> Outcome:
        """Decide, and do what no guard holds; returns every step.

        Args:
            digest: Of the decisions that were shown; None: whatever is decided now.

        Raises:
            DigestMismatchError: Something else is decided now; nothing was done.
            SeatLimitError: No seat is free and the policy says to reject (L3).
            StaleWriteError: Somebody else wrote the employee meanwhile.
        """
        there = self._registered()
        queue = {} if there else queued_people(self.session, self.source.id, anchor=self._anchor)
        match, hits = self._match(there, queue.get(self._anchor, Queued()))
        context = replace(
            planning_context(self.session, self.context, self.source, queue=queue),
            hits=lambda _: hits,
            flagged=flagged_anchors(self.session, self.source.id),
        )
        plan = plan_one(self.here, there, context)
        plan = replace(plan, actions=tuple(map(self._guarded, plan)))
        if digest not in (None, plan.digest()):
            raise DigestMismatchError(
                "something else is decided about them now than what was shown; nothing was done. "
                "Look again."
            )
        about = {action.employee.id for action in plan if action.employee}
        about |= {there.employee_id} if there else set()
        before = seen(self.session, self.source, self._anchor, about)
        placed = self._do(plan.actions)
        about |= placed
        self._conclude(there, plan.actions, is_queued=bool(queue), placed=bool(placed))
        after = seen(self.session, self.source, self._anchor, about)
        outcome = Outcome(
            match=match,
            decisions=[decision_step(action) for action in plan],
            effects=effects(self.session, self.context, self.source, before, after),
            digest=plan.digest(),
            conclusion=_conclusion(plan.actions, self._nothing(there, queue.get(self._anchor))),
            frees_seat=seats_between(before, after) < 0,
        )
        self._record(outcome, next(iter(about), None))
        return outcome

    @property
    def _anchor(self) -> str:
        return self.here.anchor

    def _registered(self) -> RegisteredPerson | None:
        there = registered_one(self.session, self.source.id, self._anchor)
        if there is None:
            queue_newcomers(self.session, self.context.intranet_id)
            there = registered_one(self.session, self.source.id, self._anchor)
        return there

    def _match(
        self, there: RegisteredPerson | None, queued: Queued
    ) -> tuple[MatchStep, Sequence[Hit]]:
        """Return who they are here, and whoever else has their keys if no link says so."""
        if there is not None:
            return self._linked(there), ()
        person = self.here.person
        if person is None:
            return MatchStep(how="nobody", sentence="nobody here is linked to this id"), ()
        lookup = Lookup(
            self.session,
            source=self.source,
            policy=self.context.policy,
            run_id=None,
            presence=self.others.present,
        )
        hits = [*filter(self._is_newcomer, self.others.rivals), *lookup.hits(person)]
        if queued.decision is not None:
            chosen = f": {queued.chosen.name}" if queued.chosen else ""
            words = f"{queued.by} decided: {queued.decision.replace('_', ' ')}{chosen} (P5)"
            return MatchStep(how="decided", sentence=words), hits
        match correlate(hits, self.context.policy):
            case Linked(hit, keys):
                words = f"{hit.name}, by {', '.join(key.words for key in keys)} (P2)"
                return MatchStep(how="alike", sentence=words, employee=hit.employee_id), hits
            case Disputed(sentence=sentence):
                words = f"nobody can tell: {sentence} (P2, P3)"
                return MatchStep(how="disputed", sentence=words), hits
        named = ", ".join(key.words for key in self.context.policy.correlation_keys)
        words = f"nobody here is linked to this id or has the same {named} (P7)"
        return MatchStep(how="nobody", sentence=words), hits

    def _linked(self, there: RegisteredPerson) -> MatchStep:
        linked_at = self.session.execute(
            select(LinkRecord.linked_at).where(
                LinkRecord.source_id == self.source.id, LinkRecord.anchor == self._anchor
            )
        ).scalar_one()
        since = linked_at.astimezone(self.context.time_zone)
        missing = f", missing since {there.missing_since}" if there.missing_since else ""
        return MatchStep(
            how="linked",
            sentence=f"{there.display_name}, who is {there.state}; linked by this id since "
            f"{since:%Y-%m-%d}{missing} (P1)",
            employee=there.employee_id,
            linked_since=linked_at,
        )

    def _is_newcomer(self, rival: Hit) -> bool:
        return registered_one(self.session, self.source.id, rival.anchor) is None

    def _guarded(self, action: Action) -> Action:
        """Return a removal as the budget of a run lets it through, or holds it (D5)."""
        if action.employee is None or action.held or not (action.is_removal and action.counted):
            return action
        queue_removals(self.session, self.context.intranet_id)
        locked_as_planned(self.session, action, action.employee)
        budget = measured_for_one(self.session, self.context, self.source)
        if budget.has_room(self.context.policy):
            return action
        return replace(action, held=HoldReason.ROLLING_SHARE)

    def _do(self, actions: Sequence[Action]) -> set[UUID]:
        """Do what is not held; returns whom it was done for."""
        done = set()
        for action in actions:
            if action.held is None:
                employee = Provisioner(
                    session=self.session,
                    context=self.context,
                    source=self.source,
                    actor=self.actor,
                    mapping_version=self.mapping_version,
                ).perform(action)
                refuse_if_full(self.session, self.context, employee)
                done |= {employee.id} if employee else set()
        return done

    def _conclude(
        self,
        there: RegisteredPerson | None,
        actions: Sequence[Action],
        *,
        is_queued: bool,
        placed: bool,
    ) -> None:
        """Remember what a reading remembers at its end: back in time, nothing happened (D2)."""
        person = self.here.person
        if is_queued:
            see_pushed(self.session, self.context, self.source, person, self._anchor, placed=placed)
        if there is None or person is None or actions:
            return
        if person.is_active_at(self.context.now()):
            execute(
                self.session,
                REMEMBER,
                this_source_id=self.source.id,
                this_anchor=self._anchor,
                raw_hash=self.here.raw_hash,
                mapping_version=self.mapping_version,
                missing_since=None,
                missing_counted=False,
            )
            kind = FindingKind.MISSING_FROM_SOURCE
            close_finding(self.session, self.context, str(there.employee_id), kind)

    def _nothing(self, there: RegisteredPerson | None, queued: Queued | None) -> str:
        """Return why nothing is decided, if nothing is."""
        if self.here.problem is not None:
            return "the entry cannot be used, and that is known"
        if there is not None:
            return f"{self.source.name} says what it said before"
        if queued and queued.decision is Decision.IGNORE:
            return "they are to be ignored"
        if queued:
            return "the question who they are waits on the Matching page"
        return f"they are not active in {self.source.name}, and nobody here is linked to them"

    def _record(self, outcome: Outcome, employee_id: UUID | None) -> None:
        facts = {
            "source": self.source.name,
            "directory_id": self._anchor,
            "decisions": [f"{step.action}, held" if step.held else step.action
                          for step in outcome.decisions],
        }  # fmt: skip
        because = f"{self.actor.name} ran {self.source.name} for this person only (R9): "
        record(
            self.session,
            self.context,
            self.actor,
            "run_alone",
            because + outcome.conclusion,
            employee_id=employee_id,
            after=facts,
        )


def _conclusion(actions: Sequence[Action], nothing: str) -> str:
    if not actions:
        return f"nothing is to be done, {nothing}"
    words = [
        f"{action.kind.replace('_', ' ')}{' is held' if action.held else ''}" for action in actions
    ]
    return ", ".join(words)
