"""One request to a resource type, whichever way it came: alone, in a bulk, or as a search."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol
from uuid import UUID

from provisioning.domain.errors import NotFoundError
from provisioning.scim.errors import ScimError
from provisioning.services.token_checks import Caller

_ETAG = re.compile(r'^(?:W/)?"(\d{1,18})"$', re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a client asks of a resource type."""

    caller: Caller
    body: dict[str, Any] = field(default_factory=dict)
    """The JSON object of a POST, PUT or PATCH."""

    arguments: Mapping[str, str] = field(default_factory=dict)
    """The query string, or the members of a SearchRequest as the query string says them."""

    if_match: str = ""
    if_none_match: str = ""

    is_part_of_bulk: bool = False
    """Whether what was written is told by its place and version, without the resource."""

    @property
    def expected_version(self) -> int | None:
        """The version If-Match names; None without one, and for `*`: any will do.

        Raises:
            ScimError: 412: it is no version of ours.
        """
        given = self.if_match.strip()
        if given in ("", "*"):
            return None
        found = _ETAG.match(given)
        if found is None:
            raise ScimError(
                HTTPStatus.PRECONDITION_FAILED, f'If-Match has to be like W/"3", not {given[:40]}'
            )
        return int(found[1])

    def has_already(self, version: int) -> bool:
        """Whether If-None-Match says that the client knows this version."""
        known = [each.strip() for each in self.if_none_match.split(",")]
        return "*" in known or any(
            (found := _ETAG.match(each)) and int(found[1]) == version for each in known
        )

    def names(self, argument: str) -> list[str]:
        """Return the attribute paths of `attributes` or `excludedAttributes`."""
        parts = self.arguments.get(argument, "").split(",")
        return [part.strip() for part in parts if part.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a resource type answers."""

    status: HTTPStatus = HTTPStatus.OK
    body: bytes = b""
    version: int | None = None
    """Of the one resource spoken of; sent as its ETag."""

    location: str | None = None
    """Where the one resource spoken of lives; sent as a header when it is new."""


class ResourceHandler(Protocol):
    """What every resource type can be asked (RFC 7644 3)."""

    def create(self, asked: Asked) -> Answer:
        """POST."""

    def read(self, resource_id: str, asked: Asked) -> Answer:
        """GET one."""

    def list(self, asked: Asked) -> Answer:
        """GET all, or those a filter names."""

    def replace(self, resource_id: str, asked: Asked) -> Answer:
        """PUT."""

    def patch(self, resource_id: str, asked: Asked) -> Answer:
        """PATCH."""

    def delete(self, resource_id: str, asked: Asked) -> Answer:
        """DELETE."""


def resource_uuid(what: str, text: str) -> UUID:
    """Return the id of a resource.

    Raises:
        NotFoundError: It is none of ours, so there is no such resource.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError(what, text[:60]) from None


def etag(version: int) -> str:
    """Return a version as a weak ETag."""
    return f'W/"{version}"'
