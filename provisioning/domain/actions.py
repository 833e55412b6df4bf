"""What a plan consists of: one action for one person, with its because."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from provisioning.domain.correlation import Candidate
from provisioning.domain.findings import FindingKind
from provisioning.domain.people import DirectoryId, Person


class ActionKind(StrEnum):
    """The verbs of a plan, in the order in which they are applied (L4)."""

    REVOKE = "revoke"
    DISMISS = "dismiss"
    UPDATE = "update"
    HIRE_BACK = "hire_back"
    INVITE = "invite"
    WAIT = "wait"
    FLAG = "flag"


REMOVALS = frozenset({ActionKind.REVOKE, ActionKind.DISMISS})
"""What takes somebody's seat or place away: counted and held together (D5)."""

SEAT_TAKERS = frozenset({ActionKind.HIRE_BACK, ActionKind.INVITE})
"""What needs a seat (L2)."""


LINKING = frozenset({"P2", "P5"})
"""Rules by which an action places a person nobody was linked to: by a key, by a decision."""


class HoldReason(StrEnum):
    """Why an action waits for an administrator."""

    MASS_REMOVAL = "mass_removal"
    ROLLING_SHARE = "rolling_share"
    UNPROVEN = "unproven"
    PROTECTED = "protected"
    AUTHORITY = "authority"
    BREAKER = "breaker"
    ATTRIBUTES = "attributes"
    BRAKE = "brake"
    JOINED = "joined"

    @property
    def sentence(self) -> str:
        """What it means, for people."""
        return _HOLD_SENTENCES[self]


_HOLD_SENTENCES: Mapping[HoldReason, str] = {
    HoldReason.MASS_REMOVAL: "too many people would be removed at once (D5)",
    HoldReason.ROLLING_SHARE: "too many people would be removed within seven days (D5)",
    HoldReason.UNPROVEN: "the reading does not prove that nobody else is there: it has no end "
    "mark, or entries without an id",
    HoldReason.PROTECTED: "this person is protected (D4)",
    HoldReason.AUTHORITY: "somebody else dismissed this person (S7)",
    HoldReason.ATTRIBUTES: "an attribute vanished from, or changed for, too many people at once",
    HoldReason.BRAKE: "an administrator pulled the brake no-dismissals",
    HoldReason.JOINED: "this person joined since, by the invitation that is undone (D8)",
    HoldReason.BREAKER: "too many people were dismissed over SCIM within a day or a week (D6)",
}


@dataclass(frozen=True, slots=True)
class Because:
    """The rule and the fact an action rests on (S4)."""

    rule: str
    text: str

    def __str__(self) -> str:
        """Return the sentence with its rule."""
        return f"{self.text} ({self.rule})"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a person, before and after."""

    name: str
    old: Any
    new: Any


def differences(applied: str, person: Person) -> tuple[FieldChange, ...]:
    """Return what changed since a person, as JSON, was last applied."""
    before: dict[str, Any] = json.loads(applied) if applied else {}
    after = person.to_json()
    names = sorted((before.keys() | after.keys()) - {"inactive_reason"})
    return tuple(
        FieldChange(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployeeRef:
    """The employee an action is about, as planning saw them."""

    id: UUID
    version: int
    """A write that finds another version starts over."""

    state: str
    bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do for one person; `held` says why it is not done yet."""

    kind: ActionKind
    id: DirectoryId
    who: str
    """A name people recognise: user name, else display name."""

    because: Because
    person: Person | None = None
    """As the source describes them now; None when they are gone."""

    employee: EmployeeRef | None = None
    changes: tuple[FieldChange, ...] = ()
    finding: FindingKind | None = None
    reason: str = ""
    """left, disabled, expired for removals; a waiting reason for waits."""

    marks_missing: bool = False
    """The link is marked missing; the person is removed when the grace is over (D2)."""

    counted: bool = True
    """Whether a removal counts tonight; one that was counted when marked does not again (D2)."""

    decided: bool = False
    """Whether it does what an administrator decided in the matching queue (P5)."""

    candidates: tuple[Candidate, ...] = ()
    """Who a disputed person may be (P3)."""

    held: HoldReason | None = None
    raw_hash: str = field(default="", compare=False)
    """The entry this rests on, remembered with the link once the action is done."""

    @property
    def is_removal(self) -> bool:
        """Whether it counts against the limits of D5 and is held by them."""
        return self.kind in REMOVALS or self.marks_missing

    def fingerprint(self) -> str:
        """Return what makes two actions the same action in two plans (R4): 32 hex digits."""
        document = self.to_json()
        for passing in ("held", "raw_hash", "because"):
            document.pop(passing, None)
        document["candidates"] = [one.evidence for one in self.candidates]
        if self.employee is not None:
            document["employee"].pop("version")
        text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready document that `from_json` reads back."""
        return {
            "action": self.kind.value,
            "anchor": self.id.value,
            "source": self.id.source,
            "who": self.who,
            "because": {"rule": self.because.rule, "text": self.because.text},
            "person": self.person.to_json() if self.person else None,
            "employee": self._employee_json(),
            "changes": [[change.name, change.old, change.new] for change in self.changes],
            "finding": self.finding.value if self.finding else None,
            "reason": self.reason,
            "marks_missing": self.marks_missing,
            "counted": self.counted,
            "decided": self.decided,
            "candidates": [one.to_json() for one in self.candidates],
            "held": self.held.value if self.held else None,
            "raw_hash": self.raw_hash,
        }

    def _employee_json(self) -> dict[str, Any] | None:
        if self.employee is None:
            return None
        return {
            "id": str(self.employee.id),
            "version": self.employee.version,
            "state": self.employee.state,
            "bound": self.employee.bound,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return the action whose `to_json` was stored."""
        id_ = DirectoryId(document["source"], document["anchor"])
        person, employee = document["person"], document["employee"]
        return cls(
            kind=ActionKind(document["action"]),
            id=id_,
            who=document["who"],
            because=Because(**document["because"]),
            person=Person.from_json(id_, person) if person is not None else None,
            employee=EmployeeRef(**{**employee, "id": UUID(employee["id"])}) if employee else None,
            changes=tuple(FieldChange(*change) for change in document["changes"]),
            finding=FindingKind(document["finding"]) if document["finding"] else None,
            reason=document["reason"],
            marks_missing=document["marks_missing"],
            counted=document["counted"],
            decided=document["decided"],
            candidates=tuple(map(Candidate.from_json, document["candidates"])),
            held=HoldReason(document["held"]) if document["held"] else None,
            raw_hash=document["raw_hash"],
        )
