"""What is held, in one sentence: how many, beyond which limit, and where the cause may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from provisioning.domain.actions import FieldChange, HoldReason
from provisioning.domain.guards import suspicious_attributes
from provisioning.domain.policy import Policy

_MASS = frozenset({HoldReason.MASS_REMOVAL, HoldReason.ROLLING_SHARE})
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Held:
    """Why an action is held, and its document."""

    reason: HoldReason
    document: dict[str, Any]

    @property
    def changes(self) -> Sequence[FieldChange]:
        """What is another than before."""
        return [FieldChange(*change) for change in self.document.get("changes", ())]


def hold_sentence(
    held: Sequence[Held], *, read: int, last: int | None, policy: Policy, rules_changed: bool
) -> str:
    """Say what is held, in the words of the page; empty when nothing is.

    Args:
        held: What is held of one run.
        read: How many people the run read.
        last: How many the last good run read.
        policy: The limits.
        rules_changed: Whether mapping or scope are others than before (R8).
    """
    if not held:
        return ""
    reasons = {each.reason for each in held}
    if HoldReason.ATTRIBUTES in reasons:
        why = (
            "mapping or scope are others than before (R8): see whether this is what they should do"
        )
        if not rules_changed:
            why = "look at the rights of the account that reads, and at the export"
        return _attributes_sentence(held, max(read, last or 0), why)
    if reasons & _MASS:
        return _mass_sentence(held, last, policy)
    words = sorted(reason.sentence for reason in reasons)
    return f"{len(held)} action(s) held: {'; '.join(words)}."


def where_of(document: dict[str, Any]) -> str:
    """Return where in the source the person of an action is, or was."""
    return str((document.get("person") or {}).get("where", ""))


def _mass_sentence(held: Sequence[Held], last: int | None, policy: Policy) -> str:
    mass = sum(each.reason in _MASS for each in held)
    before = f" The last good run saw {last:,} people." if last else ""
    return (
        f"It would remove {mass:,} people; the limit is "
        f"{policy.dismiss_percent:g} % of the source's people in one run and "
        f"{policy.rolling_percent:g} % in seven days.{before}"
        f"{_common_place([where_of(each.document) for each in held])}"
    )


def _attributes_sentence(held: Sequence[Held], people: int, why: str) -> str:
    """Name the attributes that are others for too many at once, with examples of how."""
    changes = [change for each in held for change in each.changes]
    counts = suspicious_attributes(changes, people=people)
    most = sorted(counts, key=lambda name: -counts[name])[:_NAMED]
    words = [f"{name} for {counts[name]:,} (e.g. {_example(changes, name)})" for name in most]
    return (
        f"Attributes vanished from, or changed for, too many people at once: {', '.join(words)}. "
        f"The whole run waits: {why}."
    )


def _example(changes: Sequence[FieldChange], name: str) -> str:
    change = next(each for each in changes if each.name == name and each.old is not None)
    return f"{change.old}, and now {'nothing' if change.new is None else change.new}"


def _common_place(places: Sequence[str]) -> str:
    """Name the unit all held people were in: the likely cause is there."""
    units = {place.partition(",")[2] for place in places if place}
    if len(units) != 1 or not (unit := units.pop()):
        return ""
    return f" All of them were in {unit}."
