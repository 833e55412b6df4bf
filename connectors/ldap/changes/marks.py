"""Marks: where the changes after a reading begin, and for whom they are good."""

from __future__ import annotations

import json
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
    """How the server is asked: syncrepl."""

    scope: str
    """A digest of what was asked and by whom: a mark says nothing about another question."""

    value: str
    """The server's own words."""

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
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise MarkError(f"{text[:40]!r} is no mark of this connector") from error


def require_no_jump(candidates: int) -> None:
    """Refuse more changes than are likely.

    Raises:
        MarkError: There are too many.
    """
    if candidates > MOST_CANDIDATES:
        raise MarkError(
            f"{candidates:,} changes at once are a jump; {MOST_CANDIDATES:,} are believed"
        )
