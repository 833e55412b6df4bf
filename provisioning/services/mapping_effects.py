"""What another mapping makes of everybody, counted before anything is saved (R8)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioning.domain.errors import MappingError
from provisioning.domain.mapping import PersonMapping
from provisioning.domain.people import PERSON_FIELDS, Person, RawPerson

EXAMPLES = 5
"""People named for each field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One person, before and after."""

    who: str
    id: str
    old: Any
    new: Any


@dataclass(slots=True, kw_only=True)
class FieldEffect:
    """What becomes of one field."""

    field: str
    people: int = 0
    vanishes: int = 0
    """Those of them who have none afterwards."""

    examples: list[Example] = dataclasses.field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Effect:
    """How many people a mapping makes somebody else of; nothing is written."""

    read: int = 0
    changed: int = 0
    """People of whom anything is another, those who can be used no more or again included."""

    fields: Sequence[FieldEffect] = ()
    """Those that change for anybody, in the order of a person's fields."""

    leave: int = 0
    """People who are active before and not after: the next run would dismiss them."""

    return_: int = 0
    """People who are active after and not before."""

    unusable: int = 0
    """People of whom no person can be made any more."""

    usable: int = 0
    """People of whom one can be made again."""

    problems: list[Example] = dataclasses.field(default_factory=list)
    """Some of the unusable, with the problem as what is new."""


class EffectCounter:
    """Maps everyone by two mappings, and keeps counts and a few examples."""

    def __init__(
        self, source: str, before: PersonMapping | None, after: PersonMapping, now: datetime
    ) -> None:
        """Have seen nobody yet; without a mapping before, everybody can be used again."""
        self._source, self._now = source, now
        self._before, self._after = before, after
        self._effect = Effect()
        self._fields: dict[str, FieldEffect] = {}

    def see(self, raw: RawPerson) -> None:
        """Count one person."""
        effect = self._effect
        effect.read += 1
        old, _ = self._mapped(self._before, raw) if self._before else (None, "")
        new, problem = self._mapped(self._after, raw)
        if old == new:
            return
        effect.changed += 1
        who = (old or new or _Nobody).display_name
        if new is None:
            effect.unusable += 1
            if len(effect.problems) < EXAMPLES:
                effect.problems.append(Example(who=who, id=raw.anchor, old=None, new=problem))
            return
        if old is None:
            effect.usable += 1
            return
        was, is_ = old.is_active_at(self._now), new.is_active_at(self._now)
        effect.leave += was and not is_
        effect.return_ += is_ and not was
        self._compare(old.to_json(), new.to_json(), who, raw.anchor)

    @property
    def effect(self) -> Effect:
        """What was counted."""
        self._effect.fields = [self._fields[name] for name in PERSON_FIELDS if name in self._fields]
        return self._effect

    def _mapped(self, mapping: PersonMapping, raw: RawPerson) -> tuple[Person | None, str]:
        try:
            return mapping.person(self._source, raw, self._now), ""
        except MappingError as error:
            return None, str(error)

    def _compare(
        self, old: Mapping[str, Any], new: Mapping[str, Any], who: str, anchor: str
    ) -> None:
        for name in PERSON_FIELDS:
            was, is_ = old.get(name), new.get(name)
            if was == is_:
                continue
            found = self._fields.setdefault(name, FieldEffect(field=name))
            found.people += 1
            found.vanishes += is_ is None
            if len(found.examples) < EXAMPLES:
                found.examples.append(Example(who=who, id=anchor, old=was, new=is_))


class _Nobody:
    display_name = ""
