"""Pages by index (RFC 7644 3.4.2.4): 1-based, in a stable order, with the real number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from provisioning.scim.errors import ScimError

DEFAULT_COUNT = 100
MAX_COUNT = 200
_LARGEST = 2**31


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    start: int
    count: int

    @property
    def offset(self) -> int:
        """How many resources come before it."""
        return self.start - 1


def page_of(arguments: Mapping[str, str]) -> Page:
    """Read startIndex and count; too small ones mean 1 and 0, too large ones our most.

    Raises:
        ScimError: 400 invalidValue: one of them is no number.
    """
    start = _number(arguments, "startIndex", 1)
    count = _number(arguments, "count", DEFAULT_COUNT)
    return Page(min(max(start, 1), _LARGEST), min(max(count, 0), MAX_COUNT))


def _number(arguments: Mapping[str, str], name: str, default: int) -> int:
    text = arguments.get(name, "")
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise ScimError(
            HTTPStatus.BAD_REQUEST, f"{name} has to be a number, not {text[:40]!r}", "invalidValue"
        ) from None
