"""Every request is noted for the inbound log, whatever came of it: 401, 404, 413 and 500 too."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from flask import Blueprint, Response, request

from provisioning.scim.discovery import schemas
from provisioning.scim.observations import Observed, Quirk, begin_observing, end_observing
from provisioning.scim.unknown import KnownAttributes, unknown_names
from provisioning.services.container import Services
from provisioning.services.inbound_rows import ACCESS_PATH, InboundRequest
from provisioning.services.redaction import redacted_body, redacted_text

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_RESOURCE = re.compile(
    r"/(Users|Groups)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$", re.IGNORECASE
)
_PUBLIC_PART = re.compile(r"\busher_([0-9a-f]{8,16})_")


class RequestNotes:
    """What goes before and after every SCIM request, for the log."""

    def __init__(self, services: Services, prefix: str) -> None:
        """Keep the log at hand; nothing of a page is noted."""
        self._services = services
        self._prefix = prefix
        self._ours = re.compile(rf"^{prefix}(/|$)")
        self._known = KnownAttributes(schemas(prefix))

    def add_to(self, scim: Blueprint) -> None:
        """Stand before and after everything else, also where no route is found."""
        scim.before_app_request(self._begin)
        scim.after_app_request(self._note)

    def _begin(self) -> None:
        if self._ours.match(request.path):
            begin_observing()

    def _note(self, response: Response) -> Response:
        if self._ours.match(request.path):
            self.note(request.environ, response)
        return response

    def note(self, environ: WSGIEnvironment, response: Response) -> None:
        """Note the request that was observed, with its answer; whoever answered it calls this."""
        observed = end_observing()
        whole = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        path = whole[len(self._prefix) :] or "/"
        entry = observed.entry(
            environ,
            at=self._services.context.now(),
            # A client that looks for access below us must not seem to have found it.
            path=whole if path == ACCESS_PATH else path,
            status=response.status_code,
            shown=None if observed.caller else _public_part(environ),
        )
        entry.query = environ.get("QUERY_STRING", "")
        if path == "/Bulk":
            entry.scim_user_id = entry.employee_id = None  # it is about many
        elif observed.user_id is None:
            _find_resource(entry, path, response)
        secrets = self._add_body(entry, observed, environ.get("CONTENT_LENGTH", ""))
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            _add_error(entry, response, secrets)
        entry.quirks = tuple(sorted(observed.quirks))
        self._services.inbound.note(entry)

    def _add_body(self, entry: InboundRequest, observed: Observed, length: str) -> tuple[str, ...]:
        """Keep what may be kept of the body; returns what may not."""
        if observed.body is None:
            if length.isdecimal() and int(length):
                entry.body = f"(not kept: {int(length):,} bytes)"
            return ()
        failed = entry.status >= HTTPStatus.BAD_REQUEST
        kept = redacted_body(observed.body, with_secrets=failed)
        entry.body = kept.text
        entry.unknown = tuple(
            name
            for name in unknown_names(entry.path, observed.body, self._known)
            if name.lower().rpartition(":")[0] not in observed.kept
        )
        if entry.unknown:
            observed.quirks.add(Quirk.UNKNOWN_ATTRIBUTE)
        return kept.secrets


def _find_resource(entry: InboundRequest, path: str, response: Response) -> None:
    """Tell the resource by its address: the request's, or that of what was made."""
    found = _RESOURCE.search(path) or _RESOURCE.search(response.headers.get("Location", ""))
    if found is None:
        return
    if found[1] == "Users":
        entry.scim_user_id = UUID(found[2])
    else:
        entry.scim_group_id = UUID(found[2])


def _add_error(entry: InboundRequest, response: Response, secrets: tuple[str, ...]) -> None:
    """Take the error from the answer: what the client was told is what is noted."""
    try:
        error: Any = orjson.loads(response.get_data())
    except orjson.JSONDecodeError:
        return
    if isinstance(error, dict):
        entry.scim_type = error.get("scimType")
        entry.detail = redacted_text(str(error.get("detail", "")), secrets) or None


def _public_part(environ: WSGIEnvironment) -> str | None:
    """Return the public part of a token that was not taken: it tells which client is wrong."""
    found = _PUBLIC_PART.search(environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else None
