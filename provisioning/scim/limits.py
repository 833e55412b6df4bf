"""How much a request may ask for: read by bodies, filters, lists, bulk and the discovery."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 1 << 20
"""Of a body that describes one person, or a search."""

MAX_DEPTH = 32
"""Lists and objects inside one another in a body."""

MAX_OPERATIONS = 1_000
"""Operations of one PATCH, and of one bulk request."""

MAX_FILTER = 4_000
"""Characters of a filter."""

MAX_COUNT = 200
"""Resources on one page."""

WINDOW = 10
"""Seconds over which a token's requests are counted: so many seconds' worth may come at once."""

FAILURES = 600
"""Requests without a good token from one address in a minute, and access tokens fetched by one
client; far above what a provider with an old token does, far below what guesses anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimLimits:
    """What an administrator may set."""

    requests_per_second: int = 3_000
    """Of one token, in one process."""

    body_bytes: int = 16 << 20
    """Of a group, which may name a hundred thousand members, and of a bulk request."""
