"""/.search: a list asked for by POST, of one resource type or of all (RFC 7644 3.4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import orjson

from provisioning.scim.asking import Answer, Asked, ResourceHandler
from provisioning.scim.bodies import named
from provisioning.scim.errors import ScimError
from provisioning.scim.paging import page_of
from provisioning.scim.rendering import list_document

_ARGUMENTS = (
    "attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count",
    "cursor",
)  # fmt: skip


def searching(asked: Asked) -> Asked:
    """Return a SearchRequest as the query string it stands for.

    Raises:
        ScimError: 400 invalidValue: a member has another type.
    """
    arguments: dict[str, str] = {}
    for name in _ARGUMENTS:
        value = named(asked.body, name.lower())
        if value is None:
            continue
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            value = ",".join(value)
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise ScimError(HTTPStatus.BAD_REQUEST, f"{name} has another type.", "invalidValue")
        arguments[name] = str(value)
    return replace(asked, body={}, arguments=arguments)


def search_all(types: Sequence[ResourceHandler], asked: Asked) -> Answer:
    """Answer a search over all resource types: one list after the other, by index.

    A type that lacks an attribute of the filter has nothing that matches; what no type has is
    refused.

    Raises:
        ScimError: 400: the filter is none for any of them, or a cursor is asked for.
    """
    if "cursor" in asked.arguments:
        raise ScimError(
            HTTPStatus.BAD_REQUEST,
            "A search over all resource types pages by startIndex; a cursor needs /Users/.search "
            "or /Groups/.search.",
            "invalidCursor",
        )
    page = page_of(asked.arguments)
    resources: list[bytes] = []
    refusals: list[ScimError] = []
    total = 0
    for each in types:
        start, room = max(page.start - total, 1), page.count - len(resources)
        try:
            found = _part(each, asked, start, room)
        except ScimError as refusal:
            if refusal.scim_type != "invalidFilter":
                raise
            refusals.append(refusal)
            continue
        total += found["totalResults"]
        resources.extend(orjson.dumps(resource) for resource in found["Resources"])
    if len(refusals) == len(types):
        raise refusals[0]
    return Answer(body=list_document(resources, total, start=page.start, cursors={}))


def _part(handler: ResourceHandler, asked: Asked, start: int, count: int) -> Mapping[str, Any]:
    arguments = {**asked.arguments, "startIndex": str(start), "count": str(count)}
    document: Mapping[str, Any] = orjson.loads(
        handler.list(replace(asked, arguments=arguments)).body
    )
    return document
