"""SCIM errors: which of ours a client may cause, and how it is told (RFC 7644 3.12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

import orjson
from flask import Response
from pydantic import ValidationError
from scim2_models import Error, SCIMException

from provisioning.domain.errors import (
    DatabaseUnavailableError,
    NotFoundError,
    ProvisioningError,
    SeatLimitError,
    StaleWriteError,
    UniquenessError,
)

CONTENT_TYPE = "application/scim+json"
SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"

STATUS: Mapping[type[ProvisioningError], tuple[HTTPStatus, str | None]] = {
    UniquenessError: (HTTPStatus.CONFLICT, "uniqueness"),
    NotFoundError: (HTTPStatus.NOT_FOUND, None),
    SeatLimitError: (HTTPStatus.FORBIDDEN, None),
    StaleWriteError: (HTTPStatus.PRECONDITION_FAILED, None),
    DatabaseUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, None),
}
"""Errors a client may cause, with their SCIM type. Any other is ours, and answers 500."""


class ScimError(Exception):
    """A refusal of the protocol layer itself."""

    def __init__(self, status: HTTPStatus, detail: str, scim_type: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.scim_type = scim_type


def error_response(status: HTTPStatus, detail: str, scim_type: str | None = None) -> Response:
    """Return an error a human can act on, in the protocol's own form."""
    body: dict[str, object] = {"schemas": [SCHEMA], "status": str(status.value), "detail": detail}
    if scim_type:
        body["scimType"] = scim_type
    response = Response(orjson.dumps(body), status.value, content_type=CONTENT_TYPE)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Usher"'
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "5"
    return response


@contextmanager
def client_input() -> Iterator[None]:
    """Blame the client for what fails to parse inside; elsewhere it is our bug."""
    try:
        yield
    except ValidationError as error:
        first = Error.from_validation_errors(error)[0]
        raise ScimError(
            HTTPStatus(int(first.status or 400)), first.detail or "", first.scim_type
        ) from error
    except SCIMException as error:
        said = error.to_error()
        # A value that fails to validate comes as a report of several lines.
        cause = error.__cause__
        if isinstance(cause, ValidationError):
            said.detail = Error.from_validation_errors(cause)[0].detail
        raise ScimError(
            HTTPStatus(int(said.status or 400)), said.detail or "", said.scim_type
        ) from error
