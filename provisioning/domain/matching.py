"""The matching queue: people nobody could place, and what was decided about them (P2, P3, P5).

decision     means                                        what both doors do
-----------  -------------------------------------------  -------------------------------------
(none)       nobody decided, or it was taken back         correlate, as for anybody else
same_person  they are the employee who was named          link (P5); an update or a return
new_person   nobody here is the same human                invite, or let wait
ignore       nothing is to be done                        nothing, and no finding
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from provisioning.domain.actions import EmployeeRef
from provisioning.domain.correlation import Candidate


class Decision(StrEnum):
    """What an administrator says about somebody nobody could place."""

    SAME_PERSON = "same_person"
    NEW_PERSON = "new_person"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The employee an administrator named, as they are now."""

    employee: EmployeeRef
    name: str
    dismissed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """What the queue holds about one person."""

    evidence: frozenset[str] = frozenset()
    """Of the question that was asked; see `evidence_of`."""

    decision: Decision | None = None
    by: str = ""
    """Who decided."""

    chosen: Chosen | None = None
    """Only with `same_person`."""


def evidence_of(candidates: Iterable[Candidate]) -> frozenset[str]:
    """Return what is compared to tell whether a question was asked before (R3)."""
    return frozenset(one.evidence for one in candidates)
