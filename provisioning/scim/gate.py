"""Who may pass: a good token, the scope its request needs, and not too often (safety 9).

Nothing here knows the web framework: whatever speaks SCIM asks the same gate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus

from provisioning.scim.errors import ScimError
from provisioning.scim.limits import FAILURES, WINDOW, ScimLimits
from provisioning.scim.observations import Quirk, speaks_for, turned_away, used
from provisioning.services.rates import RateLimiter
from provisioning.services.token_checks import Caller
from provisioning.services.tokens import TokenService

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_SEARCH = ".search"
REGISTRY = "registry:read"
"""Instead of the scopes of users: who has it sees all employees, and may change nobody."""


class Gate:
    """Lets requests in and counts them; one for each process."""

    def __init__(
        self,
        tokens: TokenService,
        limits: ScimLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nobody counted; the clock tells seconds that only grow."""
        self._tokens = tokens
        amount = limits.requests_per_second * WINDOW
        self.requests = RateLimiter(amount, seconds=WINDOW, clock=clock)
        """By token id."""

        self.failures = RateLimiter(FAILURES, seconds=60, clock=clock)
        """By remote address. It never keeps a good token out: behind a proxy everybody has the
        same address, and a stranger could lock the identity provider out."""

    def admit(self, authorization: str, address: str, method: str, path: str) -> Caller:
        """Return whom a request speaks for.

        Args:
            authorization: The header; "" without one.
            address: Where it came from.
            method: Its method.
            path: Its path below the service provider, such as "Users/2819c223".

        Raises:
            ScimError: 401 without a good token, 403 without the scope, 429 too often.
        """
        caller = self._tokens.check(_token(authorization), address)
        if caller is None:
            require_pace(
                self.failures.check(address), "Too many requests came without a good token."
            )
            raise ScimError(
                HTTPStatus.UNAUTHORIZED,
                "The token is missing, unknown, expired or revoked. Send it as "
                '"Authorization: Bearer usher_..."; `usher token create` makes one.',
            )
        speaks_for(caller)
        require_pace(
            self.requests.check(caller.token_id),
            f"Token {caller.token_id} asks too often (scim.requests_per_second).",
        )
        needed = needed_scopes(method, path)
        if not (reads_registry(caller) and needed == ("users:read",)):
            require_scopes(caller, needed)
        return caller


def reads_registry(caller: Caller) -> bool:
    """Whether a token sees the employees of the intranet instead of its source's users."""
    return REGISTRY in caller.scopes and not {"users:read", "users:write"} & caller.scopes


def needed_scopes(method: str, path: str) -> tuple[str, ...]:
    """Return the scopes a request needs.

    Bulk needs what its operations need, which only its body tells; what describes the service
    provider itself is for every good token.

    >>> needed_scopes("GET", "Users/1"), needed_scopes("PATCH", "Groups/1")
    (('users:read',), ('groups:write',))
    >>> needed_scopes("POST", "Users/.search"), needed_scopes("POST", ".search")
    (('users:read',), ('users:read', 'groups:read'))
    >>> needed_scopes("POST", "Bulk"), needed_scopes("GET", "Schemas")
    ((), ())
    """
    parts = path.strip("/").split("/")
    verb = "read" if method in _READS or parts[-1] == _SEARCH else "write"
    if parts[0] == _SEARCH:
        return ("users:read", "groups:read")
    if parts[0] in ("Users", "Groups"):
        return (f"{parts[0].lower()}:{verb}",)
    return ()


def require_scopes(caller: Caller, scopes: Iterable[str]) -> None:
    """Refuse a caller who may not do it.

    Raises:
        ScimError: 403; the sentence names the first scope that is missing.
    """
    for scope in scopes:
        if scope not in caller.scopes:
            turned_away(f"lacks the scope {scope}")
            mine = " ".join(sorted(caller.scopes)) or "none"
            raise ScimError(
                HTTPStatus.FORBIDDEN,
                f"This token lacks the scope {scope}; it has: {mine}. Nothing was changed. "
                f"`usher token create {caller.source} --scope {scope}` makes one that has it.",
                headers={
                    "WWW-Authenticate": f'Bearer realm="Usher", error="insufficient_scope", '
                    f'scope="{scope}"'
                },
            )


def require_pace(seconds: int | None, sentence: str) -> None:
    """Refuse who has to wait.

    Args:
        seconds: What a RateLimiter said.
        sentence: What there is too much of.

    Raises:
        ScimError: 429, with Retry-After.
    """
    if seconds is not None:
        turned_away("asks too often")
        raise ScimError(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"{sentence} Nothing was changed; try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )


def _token(header: str) -> str:
    """Return the token of a header; some providers send it bare."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if header.strip():
        used(Quirk.BARE_TOKEN)
    return header.strip()
