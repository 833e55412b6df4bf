"""POST /oauth/token: OAuth 2 client credentials (RFC 6749 4.4), beside long-lived tokens."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

import structlog
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload
from authlib.oauth2.rfc6749 import (
    InvalidClientError,
    InvalidScopeError,
    OAuth2Request,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from flask import Blueprint, Request, Response, jsonify, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from provisioning.domain.errors import TokenError
from provisioning.scim.errors import ScimError
from provisioning.scim.gate import Gate, require_pace
from provisioning.scim.limits import FAILURES
from provisioning.scim.logging_access import AccessNotes, credentials_of
from provisioning.scim.observations import speaks_for, turned_away
from provisioning.services.access_tokens import AccessTokenService
from provisioning.services.container import Services
from provisioning.services.inbound_rows import ACCESS_PATH
from provisioning.services.rates import RateLimiter
from provisioning.services.token_checks import Caller

log = structlog.get_logger(__name__)

LONGEST_BODY = 1 << 14


def create_oauth_blueprint(services: Services, gate: Gate) -> Blueprint:
    """Return the token endpoint of one intranet.

    Args:
        services: Recognise clients, give them access, and note who asked.
        gate: Counts failures together with those of the service provider.
    """
    oauth = Blueprint("oauth", __name__)
    server = _Server(services.access_tokens, gate)
    AccessNotes(services).add_to(oauth)

    def token() -> Response:
        request.max_content_length = LONGEST_BODY
        answer: Response = server.create_token_response()
        return answer

    oauth.add_url_rule(ACCESS_PATH, "token", token, methods=["POST"])
    oauth.register_error_handler(ScimError, _too_often)
    oauth.register_error_handler(HTTPException, _unreadable)
    for kind in (OperationalError, InterfaceError, PoolTimeoutError):
        oauth.register_error_handler(kind, _without_database)
    return oauth


class _Client:
    """A client that has proven itself, as the library asks about it."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def check_grant_type(self, grant_type: str) -> bool:
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)


class _TokenRequest(OAuth2Request):
    """The request as it came; whether it came over TLS only the proxy in front of us knows."""

    def __init__(self, came: Request) -> None:
        super().__init__(came.method, f"https://{came.host}{ACCESS_PATH}", headers=came.headers)
        self.payload = FlaskOAuth2Payload(came)
        self._form = came.form

    @property
    def form(self) -> Any:
        return self._form


class _Server(AuthorizationServer):
    """The library's endpoint over our clients and tokens."""

    def __init__(self, access_tokens: AccessTokenService, gate: Gate) -> None:
        super().__init__()
        self._access_tokens = access_tokens
        self._gate = gate
        self._issued = RateLimiter(FAILURES, seconds=60)
        self.register_grant(ClientCredentialsGrant)
        self.register_token_generator("default", self._issue)

    def create_oauth2_request(self, _request: object) -> OAuth2Request:
        return _TokenRequest(request)

    def get_token_grant(self, came: OAuth2Request) -> Any:
        """Return the one grant there is; any other is refused with a sentence."""
        try:
            return super().get_token_grant(came)
        except UnsupportedGrantTypeError as error:
            error.description = (
                "grant_type has to be client_credentials, there is no other. No access was given."
            )
            raise

    def authenticate_client(
        self, _came: OAuth2Request, _methods: object, _endpoint: str = "token"
    ) -> _Client:
        """Recognise a client by its secret, in the header or in the form (RFC 6749 2.3.1)."""
        shown, address = credentials_of(request), request.remote_addr or ""
        caller = self._access_tokens.client(shown.client_id, shown.secret, address)
        if caller is None:
            require_pace(self._gate.failures.check(address), "Too many wrong client secrets came.")
            _refuse_client()
        speaks_for(caller)
        require_pace(
            self._issued.check(caller.token_id),
            f"Client {caller.token_id} fetches access too often: use an access token for an hour.",
        )
        return _Client(caller)

    def save_token(self, _token: object, _request: object) -> None:
        """Do nothing: what is issued is kept already."""

    def _issue(
        self, *, client: _Client, scope: str | None = None, **_others: object
    ) -> dict[str, Any]:
        caller = client.caller
        wanted = frozenset((scope or "").split()) or caller.scopes
        if wanted - caller.scopes:
            turned_away("asks for a scope it lacks")
            mine = " ".join(sorted(caller.scopes))
            raise InvalidScopeError(description=f"This client may ask for: {mine}.")
        try:
            made = self._access_tokens.issue(caller, wanted)
        except TokenError:
            _refuse_client()
        return {
            "access_token": made.secret,
            "token_type": "Bearer",
            "expires_in": int(made.lifetime.total_seconds()),
            "scope": " ".join(sorted(wanted)),
        }


def _refuse_client() -> NoReturn:
    raise InvalidClientError(
        status_code=HTTPStatus.UNAUTHORIZED.value,
        description="The client is unknown, its secret is wrong, or it expired or was revoked. "
        "usher token create --client makes one.",
    )


def _too_often(error: ScimError) -> Response:
    return _error("temporarily_unavailable", error.detail, error.status, error.headers)


def _unreadable(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.BAD_REQUEST)
    return _error("invalid_request", f"{error.description or error.name}", status)


def _without_database(_cause: Exception) -> Response:
    log.warning("oauth_without_database")
    sentence = "The database does not answer; no token was given."
    later = {"Retry-After": "5"}
    return _error("temporarily_unavailable", sentence, HTTPStatus.SERVICE_UNAVAILABLE, later)


def _error(
    error: str, description: str, status: HTTPStatus, headers: Mapping[str, str] | None = None
) -> Response:
    response = jsonify(error=error, error_description=description)
    response.status_code = status.value
    response.headers.update({"Cache-Control": "no-store", **(headers or {})})
    return response
