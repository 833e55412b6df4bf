"""Marks: where the changes after a reading begin, and for whom they are good."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

from provisioning.domain.errors import MarkError

MOST_CANDIDATES = 2_000
"""More changes are a jump - a foreign mark, a restored server, a bulk change - or a complete
reading costs no more than asking for each of them: everyone is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in the history of one server, as one account sees one scope of it."""

    way: str
    """How the server is asked, as `changes.ways` calls it."""

    scope: str
    """A digest of what was asked and by whom: a mark says nothing about another question."""

    beside: str
    """A digest of what decides about people beside their entries; see `changes.beside`."""

    value: Mapping[str, str]
    """The server's own words, by what they are about."""

    def to_text(self) -> str:
        """Return what the services keep."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a mark back.

        Raises:
            MarkError: It is none of ours.
        """
        try:
            mark = cls(**json.loads(text))
            words = (mark.way, mark.scope, mark.beside, *dict(mark.value).values())
        except (ValueError, TypeError) as error:
            raise MarkError(f"{text[:40]!r} is no mark of this connector") from error
        if not all(isinstance(each, str) for each in words):
            raise MarkError(f"{text[:40]!r} is no mark of this connector")
        return mark


def require_no_jump(candidates: int) -> None:
    """Refuse more changes than are likely.

    Raises:
        MarkError: There are too many.
    """
    if candidates > MOST_CANDIDATES:
        raise MarkError(
            f"{candidates:,} changes at once are a jump; {MOST_CANDIDATES:,} are believed"
        )
