"""What came of a request, in words."""

from __future__ import annotations

from http import HTTPStatus

from provisioning.services.inbound_rows import ACCESS_PATH

_OUTCOMES = {
    HTTPStatus.OK: "answered",
    HTTPStatus.CREATED: "created",
    HTTPStatus.NO_CONTENT: "done",
    HTTPStatus.NOT_MODIFIED: "unchanged",
    HTTPStatus.BAD_REQUEST: "not understood",
    HTTPStatus.UNAUTHORIZED: "no good token",
    HTTPStatus.FORBIDDEN: "refused",
    HTTPStatus.NOT_FOUND: "not there",
    HTTPStatus.METHOD_NOT_ALLOWED: "not possible",
    HTTPStatus.CONFLICT: "taken already",
    HTTPStatus.PRECONDITION_FAILED: "out of date",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "not JSON",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "failed here",
    HTTPStatus.NOT_IMPLEMENTED: "not offered",
    HTTPStatus.SERVICE_UNAVAILABLE: "asked to come again",
}
"""What a status means, in words."""

_OF_ACCESS = _OUTCOMES | {HTTPStatus.OK: "access given", HTTPStatus.UNAUTHORIZED: "no good client"}


def outcome_words(path: str, status: int, dropped: int) -> str:
    """Return what came of a request, or how many could not be noted."""
    if dropped:
        return f"{dropped:,} requests could not be noted: more came than could be written"
    words = _OF_ACCESS if path == ACCESS_PATH else _OUTCOMES
    try:
        return words.get(HTTPStatus(status), HTTPStatus(status).phrase.lower())
    except ValueError:
        return str(status)
