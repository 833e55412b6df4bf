"""SCIM errors: which of ours a client may cause, and how it is told (RFC 7644 3.12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType

import orjson
import structlog
from flask import Response
from pydantic import ValidationError
from scim2_models import Error, SCIMException
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from provisioning.domain.errors import (
    BrakeError,
    DatabaseUnavailableError,
    GroupLoopError,
    NotFoundError,
    ProvisioningError,
    SeatLimitError,
    StaleWriteError,
    UniquenessError,
)

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/scim+json"
SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"

STATUS: Mapping[type[ProvisioningError], tuple[HTTPStatus, str | None]] = {
    UniquenessError: (HTTPStatus.CONFLICT, "uniqueness"),
    NotFoundError: (HTTPStatus.NOT_FOUND, None),
    SeatLimitError: (HTTPStatus.FORBIDDEN, None),
    GroupLoopError: (HTTPStatus.BAD_REQUEST, "invalidValue"),
    StaleWriteError: (HTTPStatus.PRECONDITION_FAILED, None),
    DatabaseUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, None),
}
"""Errors a client may cause, with their SCIM type. Any other is ours, and answers 500."""

BRAKE_SECONDS = 300
"""When a client may ask again whether a brake is off: somebody has to let go of it."""

NO_DATABASE = (OperationalError, InterfaceError, PoolTimeoutError)


class ScimError(Exception):
    """A refusal of the protocol layer itself."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        scim_type: str | None = None,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.scim_type = scim_type
        self.headers = headers


def refusal_of(error: Exception) -> ScimError:
    """Return what a client is told about any error; what is no fault of its own is logged."""
    if isinstance(error, ScimError):
        return error
    for kind in type(error).__mro__:
        if kind in STATUS:
            return ScimError(STATUS[kind][0], str(error), STATUS[kind][1])
    if isinstance(error, BrakeError):
        return ScimError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"An administrator of Usher pulled the brake {error.brake.value} for a while; nothing "
            "was changed. Send it again later.",
            headers={"Retry-After": str(BRAKE_SECONDS)},
        )
    if isinstance(error, NO_DATABASE):
        log.warning("scim_without_database")
        return ScimError(
            HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer; nothing was changed."
        )
    if isinstance(error, HTTPException) and error.code:
        return ScimError(HTTPStatus(error.code), error.description or error.name)
    log.error("scim_broke", exc_info=error)
    return ScimError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Usher failed here; nothing was changed. Its log says more.",
    )


def error_document(refusal: ScimError) -> dict[str, object]:
    """Return an error a human can act on, in the protocol's own form."""
    body: dict[str, object] = {
        "schemas": [SCHEMA],
        "status": str(refusal.status.value),
        "detail": refusal.detail,
    }
    if refusal.scim_type:
        body["scimType"] = refusal.scim_type
    return body


def error_response(refusal: ScimError) -> Response:
    """Return an error as an answer of its own."""
    response = Response(
        orjson.dumps(error_document(refusal)), refusal.status.value, content_type=CONTENT_TYPE
    )
    if refusal.status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Usher"'
    if refusal.status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "5"
    response.headers.update(refusal.headers)
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
