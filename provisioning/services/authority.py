"""Whose word counts for what of one employee, for people to read (P6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.people import DirectoryId, Person
from provisioning.domain.precedence import OWNED, Attribute, Owners, Voice, Word, ranked
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SourceRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidLine:
    """One attribute, and the source whose word about it counts."""

    attribute: str
    value: str
    source: str
    because: str
    """Why it counts more than the others'."""

    others: Mapping[str, str]
    """What the other sources say, by source; "" if nothing."""

    def __str__(self) -> str:
        """Return it in words."""
        others = [f"{name} says {said or 'nothing'}" for name, said in self.others.items()]
        return "; ".join([f"{self.value}, by {self.source}: {self.because}", *others])


def said_of(session: Session, employee: EmployeeRecord, owners: Owners) -> Sequence[SaidLine]:
    """Return whose word counts for every attribute somebody has; nothing if one source vouches."""
    words = _words(session, employee)
    if len(words) < 2:  # noqa: PLR2004 - two may differ
        return []
    lines = (_line(employee, words, attribute, owners) for attribute in Attribute)
    return [line for line in lines if line is not None]


def _words(session: Session, employee: EmployeeRecord) -> Sequence[Word]:
    rows = session.execute(
        select(SourceRecord.name, SourceRecord.authoritative, LinkRecord.anchor, LinkRecord.applied)
        .join(SourceRecord, SourceRecord.id == LinkRecord.source_id)
        .where(LinkRecord.employee_id == employee.id, LinkRecord.hidden.is_(False))
        .order_by(LinkRecord.linked_at, LinkRecord.anchor)
    )
    return [
        Word(Voice(name, authoritative), Person.from_json(DirectoryId(name, anchor), applied))
        for name, authoritative, anchor, applied in rows
    ]


def _line(
    employee: EmployeeRecord, words: Sequence[Word], attribute: Attribute, owners: Owners
) -> SaidLine | None:
    order = ranked(
        [word for word in words if _value(word, attribute) is not None], attribute, owners
    )
    if not order:
        return None
    rank = order[0].voice.rank(attribute, owners)
    equal = [word for word in order if word.voice.rank(attribute, owners) == rank]
    # Among equals the last to speak counts: it is the one who said what is there.
    has = getattr(employee, attribute) if attribute in OWNED else None
    first = next((word for word in equal if _value(word, attribute) == has), equal[0])
    said = _value(first, attribute)
    return SaidLine(
        attribute=attribute.value,
        value=_text(said if has is None else has),
        source=first.voice.source,
        because=_because(first, len(equal), attribute, owners)
        + (f"; it says {_text(said)} now" if has not in (None, said) else ""),
        others={
            word.voice.source: _text(_value(word, attribute)) for word in words if word is not first
        },
    )


def _because(word: Word, equal: int, attribute: Attribute, owners: Owners) -> str:
    if owners.get(attribute) == word.voice.source:
        return f"it owns {attribute.value}"
    beside = " as others are, and spoke last" if equal > 1 else ""
    if word.voice.authoritative:
        return f"it is authoritative{beside}"
    return "no authoritative source says it" if equal == 1 else "it spoke last"


def _value(word: Word, attribute: Attribute) -> Any:
    return getattr(word.person, attribute)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
