"""The two requests a provider sends before every write, answered in front of the framework.

GET of one user and the look-up by userName go through the same gate, the same resource type and
the same errors as every other request; what is left out is routing. Whatever is not as plain as
that goes the whole way. A test compares the two ways byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from flask import Flask, Response
from werkzeug.sansio.utils import host_is_trusted

from provisioning.scim.asking import Asked
from provisioning.scim.errors import error_response, refusal_of
from provisioning.scim.gate import Gate
from provisioning.scim.http import response_of
from provisioning.scim.logging_requests import RequestNotes
from provisioning.scim.observations import begin_observing
from provisioning.scim.users import BY_NAME, Users
from provisioning.services.container import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ONE = re.compile(r"Users/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_LOOKUP = re.compile(r"filter=([^&;]+)")


class FastLane:
    """A WSGI application in front of another."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        prefix: str,
        gate: Gate,
        users: Users,
        notes: RequestNotes,
        trusted_hosts: Sequence[str],
        headers: Mapping[str, str],
    ) -> None:
        """Stand in front of an application.

        Args:
            application: Answers everything else.
            prefix: Where the service provider is, such as "/scim/v2".
            gate: Who may pass.
            users: The resource type.
            notes: Told of every request answered here.
            trusted_hosts: Names a request may ask for; any other goes the whole way.
            headers: What every response carries.
        """
        self._application = application
        self._prefix = f"{prefix}/"
        self._gate = gate
        self._users = users
        self._notes = notes
        self._trusted_hosts = trusted_hosts
        self._headers = headers

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer, or pass on."""
        if environ["REQUEST_METHOD"] != "GET" or not self._is_ours(environ):
            return self._application(environ, start)
        path, query = environ["PATH_INFO"][len(self._prefix) :], environ.get("QUERY_STRING", "")
        one = _ONE.fullmatch(path) if not query else None
        arguments = _lookup(query) if path == "Users" else None
        if one is None and arguments is None:
            return self._application(environ, start)
        begin_observing()
        response = self._answer(environ, path, one and one[1], arguments or {})
        self._notes.note(environ, response)
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        return response(environ, start)

    def _is_ours(self, environ: WSGIEnvironment) -> bool:
        return environ["PATH_INFO"].startswith(self._prefix) and host_is_trusted(
            environ.get("HTTP_HOST"), self._trusted_hosts
        )

    def _answer(
        self,
        environ: WSGIEnvironment,
        path: str,
        resource_id: str | None,
        arguments: Mapping[str, str],
    ) -> Response:
        address = environ.get("REMOTE_ADDR", "")
        try:
            authorization = environ.get("HTTP_AUTHORIZATION", "")
            asked = Asked(
                caller=self._gate.admit(authorization, address, "GET", path),
                arguments=arguments,
                if_none_match=environ.get("HTTP_IF_NONE_MATCH", ""),
            )
            if resource_id is not None:
                return response_of(self._users.read(resource_id, asked))
            return response_of(self._users.list(asked))
        except Exception as error:  # noqa: BLE001 - the provider's own handler does the same
            return error_response(refusal_of(error))


def add_fast_lane(
    app: Flask,
    prefix: str,
    gate: Gate,
    users: Users,
    services: Services,
    headers: Mapping[str, str],
) -> None:
    """Put a fast lane in front of an application that is otherwise complete.

    Args:
        app: The application, with its trusted hosts.
        prefix: Where the service provider is, such as "/scim/v2".
        gate: Who may pass.
        users: The resource type.
        services: Their log is told of every request answered here.
        headers: What every response carries.
    """
    lane = FastLane(
        app.wsgi_app,
        prefix=prefix,
        gate=gate,
        users=users,
        notes=RequestNotes(services, prefix),
        trusted_hosts=app.config["TRUSTED_HOSTS"],
        headers=headers,
    )
    # Flask's own documentation wraps it so; its type says that one may not.
    app.wsgi_app = lane  # type: ignore[assignment, method-assign]


def _lookup(query: str) -> Mapping[str, str] | None:
    """Return the arguments of a look-up by userName; None if it is anything else."""
    found = _LOOKUP.fullmatch(query)
    if found is None:
        return None
    wanted = unquote_plus(found[1])
    return {"filter": wanted} if BY_NAME.fullmatch(wanted) else None
