"""Between Flask and the resource types: a request becomes Asked, an Answer a response."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request

from provisioning.scim.asking import Answer, Asked, etag
from provisioning.scim.auth import current_caller
from provisioning.scim.bodies import read_body
from provisioning.scim.errors import CONTENT_TYPE

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def asked_now(max_bytes: int) -> Asked:
    """Return the current request as the resource types see it.

    Raises:
        ScimError: Its body is no JSON object, or larger than `max_bytes`.
    """
    return Asked(
        caller=current_caller(),
        body=read_body(max_bytes) if request.method in _WITH_BODY else {},
        arguments=request.args,
        if_match=request.headers.get("If-Match", ""),
        if_none_match=request.headers.get("If-None-Match", ""),
    )


def answering(view: Callable[..., Answer], max_bytes: int) -> Callable[..., Response]:
    """Return a Flask view for a resource type's method."""
    return lambda **names: response_of(view(*names.values(), asked_now(max_bytes)))


def response_of(answer: Answer) -> Response:
    """Return an answer as HTTP says it."""
    response = Response(answer.body, answer.status.value)
    if answer.body:
        response.content_type = CONTENT_TYPE
    if answer.version is not None:
        response.headers["ETag"] = etag(answer.version)
    if answer.status is HTTPStatus.CREATED and answer.location:
        response.headers["Location"] = answer.location
    return response


def json_response(document: dict[str, Any]) -> Response:
    """Return a document that is made here."""
    return Response(orjson.dumps(document), content_type=CONTENT_TYPE)
