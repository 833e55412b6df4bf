"""What a run for one person tells: a step for each thing that decides (R9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from provisioning.domain.actions import Action, FieldChange
from provisioning.domain.mapping import FieldTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStep:
    """Read and scope: one entry as it is in the source, and whether a run would read it."""

    id: str
    where: str
    attributes: Mapping[str, Sequence[str]]
    problem: str | None
    """Why the entry cannot be used."""

    in_scope: bool
    scope: str
    """Why, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchStep:
    """Who they are here, and by what."""

    how: str
    """linked, decided, alike, disputed or nobody."""

    sentence: str
    employee: UUID | None = None
    linked_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionStep:
    """One action, why, and what holds it."""

    action: str
    because: str
    held: str | None
    held_because: str | None
    reason: str
    finding: str | None
    changes: Sequence[FieldChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that is written, or would be."""

    kind: str
    """state, seat, link, invitation, letter, finding or mark."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found out in one transaction, and written if it was to be."""

    match: MatchStep
    decisions: Sequence[DecisionStep]
    effects: Sequence[Effect]
    digest: str
    """Names the decisions: whoever does them can ask for exactly these (R4)."""

    conclusion: str
    frees_seat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Every step from an entry to its effects; the last ones only if exactly one was found."""

    source: str
    asked: str
    found: Sequence[EntryStep]
    name: str = ""
    rules: Sequence[FieldTrace] = ()
    problem: str | None = None
    """Why no person can be made of the entry."""

    match: MatchStep | None = None
    decisions: Sequence[DecisionStep] = ()
    effects: Sequence[Effect] = ()
    conclusion: str
    digest: str = ""
    released: bool = True
    done: bool = False

    @property
    def entry(self) -> EntryStep | None:
        """The one entry that was found; None if there are several."""
        return self.found[0] if len(self.found) == 1 else None

    @property
    def is_decided(self) -> bool:
        """Whether one entry in scope was found: else nothing can be done."""
        return self.entry is not None and self.entry.in_scope

    @property
    def held(self) -> bool:
        """Whether a guard holds something."""
        return any(step.held for step in self.decisions)

    @property
    def does_something(self) -> bool:
        """Whether there is something to do that nothing holds."""
        return any(not step.held for step in self.decisions) or bool(self.effects)


def decision_step(action: Action) -> DecisionStep:
    """Return an action as the trace shows it."""
    return DecisionStep(
        action=action.kind.value,
        because=str(action.because),
        held=action.held.value if action.held else None,
        held_because=action.held.sentence if action.held else None,
        reason=action.reason,
        finding=action.finding.value if action.finding else None,
        changes=action.changes,
    )
