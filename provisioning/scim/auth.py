"""Who is asking: checked on every route, before anything is looked up (safety 9)."""

from __future__ import annotations

from flask import g, request

from provisioning.scim.gate import Gate
from provisioning.services.token_checks import Caller


def authenticate(gate: Gate, prefix: str) -> None:
    """Let a request in that carries a good token, and remember whom it speaks for.

    Args:
        gate: Whom to ask.
        prefix: Where the service provider is, such as "/scim/v2".

    Raises:
        ScimError: 401 without a good token, 403 without the scope, 429 too often.
    """
    g.scim_caller = gate.admit(
        request.headers.get("Authorization", ""),
        request.remote_addr or "",
        request.method,
        request.path.removeprefix(prefix),
    )


def current_caller() -> Caller:
    """Return whom the request's token speaks for."""
    caller: Caller = g.scim_caller
    return caller
