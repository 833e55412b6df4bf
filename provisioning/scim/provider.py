"""The SCIM service provider at /scim/v2: routes, and what goes before and after each."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from provisioning.scim.asking import Answer, ResourceHandler
from provisioning.scim.auth import authenticate
from provisioning.scim.bulk import Bulk
from provisioning.scim.discovery import resource_types, schemas, service_provider_config
from provisioning.scim.errors import NO_DATABASE, ScimError, error_response, refusal_of
from provisioning.scim.gate import Gate
from provisioning.scim.groups import Groups
from provisioning.scim.http import answering, json_response
from provisioning.scim.limits import MAX_BYTES, ScimLimits
from provisioning.scim.logging_requests import RequestNotes
from provisioning.scim.searching import search_all, searching
from provisioning.scim.users import Users
from provisioning.services.container import Services

PREFIX = "/scim/v2"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_KNOWN = re.compile(
    r"^((Users|Groups)(/[^/]+)?|Bulk|\.search|"
    r"(ServiceProviderConfig|Schemas|ResourceTypes)(/[^/]+)?)/?$"
)
_OURS = re.compile(rf"^{PREFIX}(/|$)")


def make_users(services: Services, *, public_url: str) -> Users:
    """Return the resource type User.

    Args:
        services: The use cases.
        public_url: Where resources live; never taken from a request.
    """
    return Users(services, public_url.rstrip("/") + PREFIX)


def create_scim_blueprint(
    services: Services, gate: Gate, limits: ScimLimits, users: Users, *, public_url: str
) -> Blueprint:
    """Return the service provider of one intranet.

    Args:
        services: The use cases.
        gate: Who may pass.
        limits: How much a request may ask for.
        users: The resource type that a fast lane may serve, too.
        public_url: Where resources live; never taken from a request.
    """
    scim = Blueprint("scim", __name__, url_prefix=PREFIX)
    base_url = public_url.rstrip("/") + PREFIX
    groups = Groups(services, base_url)
    scim.record_once(_never_redirect)
    RequestNotes(services, PREFIX).add_to(scim)
    scim.before_request(lambda: authenticate(gate, PREFIX))
    scim.before_app_request(lambda: _unrouted(gate))
    scim.register_error_handler(Exception, lambda error: error_response(refusal_of(error)))
    _add_resources(scim, "Users", users, MAX_BYTES)
    _add_resources(scim, "Groups", groups, limits.body_bytes)
    bulk = Bulk({"Users": users, "Groups": groups}, base_url)
    _add(scim, "/Bulk", "POST", bulk.run, limits.body_bytes)
    everything = partial(search_all, (users, groups))
    _add(scim, "/.search", "POST", lambda asked: everything(searching(asked)), MAX_BYTES)
    _add_discovery(scim, base_url, limits)
    scim.add_url_rule("/Me", "me", _me, methods=_METHODS, strict_slashes=False)
    scim.add_url_rule("/", "root", _unknown, methods=_METHODS, strict_slashes=False)
    scim.add_url_rule("/<path:path>", "unknown", _unknown, methods=_METHODS)
    return scim


def _add_resources(scim: Blueprint, name: str, handler: ResourceHandler, max_bytes: int) -> None:
    every, one = f"/{name}", f"/{name}/<resource_id>"
    _add(scim, every, "POST", handler.create, max_bytes)
    _add(scim, every, "GET", handler.list, max_bytes)
    _add(scim, f"{every}/.search", "POST", lambda asked: handler.list(searching(asked)), MAX_BYTES)
    _add(scim, one, "GET", handler.read, max_bytes)
    _add(scim, one, "PUT", handler.replace, max_bytes)
    _add(scim, one, "PATCH", handler.patch, max_bytes)
    _add(scim, one, "DELETE", handler.delete, max_bytes)


def _add(
    scim: Blueprint, path: str, method: str, view: Callable[..., Answer], max_bytes: int
) -> None:
    scim.add_url_rule(
        path,
        f"{method} {path}".replace(".", ""),
        answering(view, max_bytes),
        methods=[method],
        strict_slashes=False,
    )


def _add_discovery(scim: Blueprint, base_url: str, limits: ScimLimits) -> None:
    def add(path: str, name: str, view: Callable[..., Response]) -> None:
        scim.add_url_rule(path, name, view, methods=["GET"], strict_slashes=False)

    types = {kind["id"]: kind for kind in resource_types(base_url)}
    found = schemas(base_url)
    add(
        "/ServiceProviderConfig",
        "service_provider_config",
        lambda: json_response(service_provider_config(base_url, limits, request.user_agent.string)),
    )
    add("/ResourceTypes", "resource_types", lambda: _list(list(types.values())))
    add("/ResourceTypes/<name>", "resource_type", lambda name: _one(types, name, "resource type"))
    add("/Schemas", "schemas", lambda: _list(list(found.values())))
    add("/Schemas/<urn>", "schema", lambda urn: _one(found, urn, "schema"))


def _list(resources: list[dict[str, Any]]) -> Response:
    return json_response(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": len(resources),
            "itemsPerPage": len(resources),
            "startIndex": 1,
            "Resources": resources,
        }
    )


def _one(found: Any, key: str, what: str) -> Response:
    if key not in found:
        raise ScimError(HTTPStatus.NOT_FOUND, f"There is no {what} {key[:80]}.")
    return json_response(found[key])


def _me() -> Response:
    raise ScimError(HTTPStatus.NOT_IMPLEMENTED, "This token speaks for a source, not a person.")


def _unknown(path: str = "") -> Response:
    """Answer what no route serves; only those with a token come here."""
    if _KNOWN.match(path):
        raise ScimError(
            HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not possible for /{path[:80]}."
        )
    raise ScimError(HTTPStatus.NOT_FOUND, f"There is nothing at /{path[:80]}.")


def _unrouted(gate: Gate) -> Response | None:
    """Answer what no rule takes, a method nobody has heard of for one: no page, and no secrets."""
    error = request.routing_exception
    if error is None or not _OURS.match(request.path):
        return None
    try:
        authenticate(gate, PREFIX)
    except (ScimError, *NO_DATABASE) as refusal:
        return error_response(refusal_of(refusal))
    return error_response(refusal_of(error))


def _never_redirect(state: BlueprintSetupState) -> None:
    """A client would send its token after a redirect, or lose its body."""
    state.app.url_map.merge_slashes = False
