"""Every request for access is noted for the inbound log: which client asked, what came of it.

No secret is in a row: the body and the query are never kept, an id only if it can be one, and no
sentence of the endpoint repeats what was sent.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import NamedTuple

from flask import Blueprint, Request, Response, request
from werkzeug.exceptions import HTTPException

from provisioning.scim.observations import begin_observing, end_observing
from provisioning.services.container import Services
from provisioning.services.inbound_rows import ACCESS_PATH

_CLIENT_ID = re.compile(r"[0-9a-f]{8,16}")


class Credentials(NamedTuple):
    """What a client shows of itself; "" for what it does not."""

    client_id: str
    secret: str


def credentials_of(came: Request) -> Credentials:
    """Return a client's id and secret from the header or the form (RFC 6749 2.3.1).

    Raises:
        HTTPException: The form cannot be read.
    """
    header = came.authorization
    if header is not None and header.type == "basic":
        return Credentials(header.username or "", header.password or "")
    return Credentials(came.form.get("client_id", ""), came.form.get("client_secret", ""))


class AccessNotes:
    """What goes before and after every request for access, for the log."""

    def __init__(self, services: Services) -> None:
        """Keep the log at hand."""
        self._services = services

    def add_to(self, oauth: Blueprint) -> None:
        """Stand before and after the endpoint."""
        oauth.before_request(self._begin)
        oauth.after_request(self._note)

    def _begin(self) -> None:
        begin_observing()

    def _note(self, response: Response) -> Response:
        if request.method != "POST":
            return response
        observed = end_observing()
        entry = observed.entry(
            request.environ,
            at=self._services.context.now(),
            path=ACCESS_PATH,
            status=response.status_code,
            shown=None if observed.caller else _shown_id(),
        )
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            told = response.get_json(silent=True) or {}
            entry.scim_type = told.get("error")
            entry.detail = told.get("error_description")
        self._services.inbound.note(entry)
        return response


def _shown_id() -> str | None:
    """Return which client it says it is, if that can be one: some send a secret in its place."""
    try:
        shown = credentials_of(request)
    except HTTPException:
        return None
    return shown.client_id if _CLIENT_ID.fullmatch(shown.client_id) else None
