"""The SCIM service provider at /scim/v2: routes, and what goes before and after each."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from provisioning.domain.errors import ProvisioningError
from provisioning.scim.auth import authenticate
from provisioning.scim.discovery import resource_types, schemas, service_provider_config
from provisioning.scim.errors import CONTENT_TYPE, STATUS, ScimError, error_response
from provisioning.scim.users import Users
from provisioning.services.container import Services
from provisioning.services.tokens import TokenService

log = structlog.get_logger(__name__)

PREFIX = "/scim/v2"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_KNOWN = re.compile(r"^(Users(/[^/]+)?|(ServiceProviderConfig|Schemas|ResourceTypes)(/[^/]+)?)/?$")
_OURS = re.compile(rf"^{PREFIX}(/|$)")
_NO_DATABASE = (OperationalError, InterfaceError, PoolTimeoutError)
_LATER = re.compile(r"^(Groups(/.*)?|Bulk|\.search|Users/\.search)/?$")


def create_scim_blueprint(services: Services, *, public_url: str) -> Blueprint:
    """Return the service provider of one intranet.

    Args:
        services: The use cases.
        public_url: Where resources live; never taken from a request.
    """
    scim = Blueprint("scim", __name__, url_prefix=PREFIX)
    base_url = public_url.rstrip("/") + PREFIX
    users = Users(services, base_url)
    scim.record_once(_never_redirect)
    scim.before_request(lambda: authenticate(services.tokens))
    scim.before_app_request(lambda: _unrouted(services.tokens))
    scim.register_error_handler(ScimError, _refused)
    scim.register_error_handler(ProvisioningError, _failed)
    for kind in _NO_DATABASE:
        scim.register_error_handler(kind, _without_database)
    scim.register_error_handler(Exception, _broken)
    _add_users(scim, users)
    _add_discovery(scim, base_url)
    scim.add_url_rule("/Me", "me", _me, methods=_METHODS, strict_slashes=False)
    scim.add_url_rule("/", "root", _unknown, methods=_METHODS, strict_slashes=False)
    scim.add_url_rule("/<path:path>", "unknown", _unknown, methods=_METHODS)
    return scim


def _add_users(scim: Blueprint, users: Users) -> None:
    one = "/Users/<user_id>"
    for path, method, view in (
        ("/Users", "POST", users.create),
        ("/Users", "GET", users.list),
        (one, "GET", users.read),
        (one, "PUT", users.replace),
        (one, "PATCH", users.patch),
        (one, "DELETE", users.delete),
    ):
        name = f"{view.__name__}_user"
        scim.add_url_rule(path, name, view, methods=[method], strict_slashes=False)


def _add_discovery(scim: Blueprint, base_url: str) -> None:
    def add(path: str, name: str, view: Callable[..., Response]) -> None:
        scim.add_url_rule(path, name, view, methods=["GET"], strict_slashes=False)

    types = {kind["id"]: kind for kind in resource_types(base_url)}
    found = schemas(base_url)
    add(
        "/ServiceProviderConfig",
        "service_provider_config",
        lambda: _json(service_provider_config(base_url)),
    )
    add("/ResourceTypes", "resource_types", lambda: _list(list(types.values())))
    add("/ResourceTypes/<name>", "resource_type", lambda name: _one(types, name, "resource type"))
    add("/Schemas", "schemas", lambda: _list(list(found.values())))
    add("/Schemas/<urn>", "schema", lambda urn: _one(found, urn, "schema"))


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), content_type=CONTENT_TYPE)


def _list(resources: list[dict[str, Any]]) -> Response:
    return _json(
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
    return _json(found[key])


def _me() -> Response:
    raise ScimError(HTTPStatus.NOT_IMPLEMENTED, "This token speaks for a source, not a person.")


def _unknown(path: str = "") -> Response:
    """Answer what no route serves; only those with a token come here."""
    if _LATER.match(path):
        raise ScimError(
            HTTPStatus.NOT_IMPLEMENTED,
            "Usher takes people only, one at a time: switch groups, search by POST and bulk off.",
        )
    if _KNOWN.match(path):
        raise ScimError(
            HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not possible for /{path[:80]}."
        )
    raise ScimError(HTTPStatus.NOT_FOUND, f"There is nothing at /{path[:80]}.")


def _unrouted(tokens: TokenService) -> Response | None:
    """Answer what no rule takes, a method nobody has heard of for one: no page, and no secrets."""
    error = request.routing_exception
    if error is None or not _OURS.match(request.path):
        return None
    try:
        authenticate(tokens)
    except ScimError as refusal:
        return _refused(refusal)
    except _NO_DATABASE as broken:
        return _without_database(broken)
    return _broken(error)


def _never_redirect(state: BlueprintSetupState) -> None:
    """A client would send its token after a redirect, or lose its body."""
    state.app.url_map.merge_slashes = False


def _refused(error: ScimError) -> Response:
    return error_response(error.status, error.detail, error.scim_type)


def _failed(error: ProvisioningError) -> Response:
    for kind in type(error).__mro__:
        if kind in STATUS:
            status, scim_type = STATUS[kind]
            return error_response(status, str(error), scim_type)
    return _broken(error)


def _without_database(_error: Exception) -> Response:
    log.warning("scim_without_database", path=request.path)
    return error_response(
        HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer; nothing was changed."
    )


def _broken(error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.code:
        return error_response(HTTPStatus(error.code), error.description or error.name)
    log.error("scim_broke", path=request.path, exc_info=error)
    return error_response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Usher failed here; nothing was changed. Its log says more.",
    )
