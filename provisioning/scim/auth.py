"""Who is asking: checked on every route, before anything is looked up (safety 9)."""

from __future__ import annotations

from http import HTTPStatus

from flask import g, request

from provisioning.scim.errors import ScimError
from provisioning.services.tokens import Caller, TokenService

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def authenticate(tokens: TokenService) -> None:
    """Let a request in that carries a good token, and remember whom it speaks for.

    Raises:
        ScimError: 401 without a good token, 403 without the scope.
    """
    caller = tokens.check(
        _token(request.headers.get("Authorization", "")), request.remote_addr or ""
    )
    if caller is None:
        raise ScimError(
            HTTPStatus.UNAUTHORIZED,
            "The token is missing, unknown, expired or revoked. Send it as "
            '"Authorization: Bearer usher_..."; `usher token create` makes one.',
        )
    scope = f"users:{'read' if request.method in _READS else 'write'}"
    if scope not in caller.scopes:
        raise ScimError(HTTPStatus.FORBIDDEN, f"This token lacks the scope {scope}.")
    g.scim_caller = caller


def current_caller() -> Caller:
    """Return whom the request's token speaks for."""
    caller: Caller = g.scim_caller
    return caller


def _token(header: str) -> str:
    """Return the token of a header; some providers send it bare."""
    scheme, _, rest = header.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else header.strip()
