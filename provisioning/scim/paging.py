"""Pages by index (RFC 7644 3.4.2.4) and by cursor (RFC 9865): a stable order, the real number."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from provisioning.scim.errors import ScimError
from provisioning.scim.limits import MAX_COUNT

DEFAULT_COUNT = 100
_LARGEST = 2**31


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    start: int
    count: int
    by_cursor: bool = False
    after: tuple[Any, ...] = ()
    """By cursor: the key of the last resource the client has, as written; empty at first."""

    @property
    def offset(self) -> int:
        """How many resources come before it, by index."""
        return self.start - 1


def page_of(arguments: Mapping[str, str]) -> Page:
    """Read startIndex, count and cursor; too small numbers mean 1 and 0, too large ones our most.

    Raises:
        ScimError: 400 invalidValue or invalidCount: a number is none; 400 invalidCursor: the
            cursor is not one of ours, or belongs to another question.
    """
    by_cursor = "cursor" in arguments
    start = _number(arguments, "startIndex", 1, "invalidValue")
    count = _number(
        arguments, "count", DEFAULT_COUNT, "invalidCount" if by_cursor else "invalidValue"
    )
    count = min(max(count, 0), MAX_COUNT)
    if by_cursor:
        return Page(1, count, by_cursor=True, after=_read_cursor(arguments))
    return Page(min(max(start, 1), _LARGEST), count)


def cursor_after(arguments: Mapping[str, str], key: Sequence[Any]) -> str:
    """Return the cursor of the page after a resource.

    It holds a key and no place, so that nobody is seen twice or missed while others come and
    go, and it needs no memory here: it never expires.
    """
    text = orjson.dumps([_question(arguments), *key])
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _read_cursor(arguments: Mapping[str, str]) -> tuple[Any, ...]:
    given = arguments["cursor"]
    if not given:
        return ()
    try:
        padded = given.encode("ascii") + b"=" * (-len(given) % 4)
        question, *key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError, TypeError, ValueError):
        raise bad_cursor("The cursor is not one of ours; begin again with an empty one.") from None
    if question != _question(arguments):
        raise bad_cursor(
            "The cursor belongs to another filter or order; begin again with an empty one."
        )
    return tuple(key)


def _question(arguments: Mapping[str, str]) -> str:
    """Return what a cursor is good for: the same filter in the same order."""
    parts = [arguments.get(name, "") for name in ("filter", "sortBy", "sortOrder")]
    return hashlib.blake2s(orjson.dumps(parts), digest_size=8).hexdigest()


def bad_cursor(detail: str) -> ScimError:
    """Return the refusal of a cursor."""
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidCursor")


def _number(arguments: Mapping[str, str], name: str, default: int, scim_type: str) -> int:
    text = arguments.get(name, "")
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise ScimError(
            HTTPStatus.BAD_REQUEST, f"{name} has to be a number, not {text[:40]!r}", scim_type
        ) from None
