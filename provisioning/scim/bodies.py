"""Bodies: bounded before they are read, parsed before anything is believed (safety 18)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import orjson
from flask import request

from provisioning.scim.errors import CONTENT_TYPE, ScimError
from provisioning.scim.limits import MAX_BYTES, MAX_DEPTH, MAX_OPERATIONS
from provisioning.scim.observations import came_with

_TYPES = (CONTENT_TYPE, "application/json")
_DISCARDED, _PIECE = 64 << 20, 1 << 16
"""Bytes of a body that is too large which are read all the same, and of them at once."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The one character JSON can say and PostgreSQL cannot keep, as JSON has to write it."""


def read_body(max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the request's JSON object.

    Args:
        max_bytes: How long it may be.

    Raises:
        ScimError: 413 too large, 415 another type, 400 invalidSyntax no JSON object.
    """
    if request.mimetype not in _TYPES:
        raise ScimError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Send {CONTENT_TYPE} or application/json, not {request.mimetype or 'nothing'}.",
        )
    body = _bounded(max_bytes)
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _invalid(f"The body is not JSON: {error.msg}.") from None
    if not isinstance(payload, dict):
        raise _invalid("The body has to be a JSON object.")
    if _depth(payload) > MAX_DEPTH:
        raise _invalid(f"The body is nested deeper than {MAX_DEPTH} levels, the limit.")
    came_with(payload)
    if _NUL.search(body):
        raise ScimError(
            HTTPStatus.BAD_REQUEST, "A text contains the character NUL (\\u0000).", "invalidValue"
        )
    operations = named(payload, "operations")
    if isinstance(operations, list) and len(operations) > MAX_OPERATIONS:
        raise _too_large(
            f"The request has {len(operations):,} operations; the limit is {MAX_OPERATIONS:,}."
        )
    return payload


def _bounded(limit: int) -> bytes:
    request.max_content_length = limit
    length = request.content_length
    if (length or 0) > limit:
        _discard()
        raise _too_large(f"The body has {length:,} bytes; the limit is {limit:,}.")
    body = request.get_data(cache=False)
    if length is None and len(body) >= limit:
        # A body without a length is cut at the limit, without a word.
        _discard()
        raise _too_large(f"The body has {limit:,} bytes or more, the limit.")
    return body


def _discard() -> None:
    """Read on: who is still sending does not hear an answer. Only those with a token come here."""
    stream = request.environ["wsgi.input"]
    for _ in range(_DISCARDED // _PIECE):
        if not stream.read(_PIECE):
            return


def named(payload: dict[str, Any], name: str) -> Any:
    """Return a member whose name is written in any case (RFC 7643 2.1), or None."""
    return next((value for key, value in payload.items() if key.lower() == name), None)


def _depth(value: Any) -> int:
    """Return how deep lists and objects are nested, without recursing into a bomb."""
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def _invalid(detail: str) -> ScimError:
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidSyntax")


def _too_large(detail: str) -> ScimError:
    return ScimError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{detail} Nothing was changed.")
