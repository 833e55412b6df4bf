"""What a page says when something is refused or breaks: a sentence, never a traceback."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from provisioning.domain.errors import NotFoundError, ProvisioningError, SourceError

log = structlog.get_logger(__name__)


def add_error_pages(app: Flask) -> None:
    """Give every failure of a page a sentence; SCIM answers in its own way."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(ProvisioningError, _failed)
    app.register_error_handler(OperationalError, _without_database)
    app.register_error_handler(Exception, _broken)


def _refused(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    if isinstance(error, SecurityError):
        # A foreign Host: there is no name to build the links of a page with.
        return "This is not the name of this site.", HTTPStatus.BAD_REQUEST
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return _page(status, error.description or error.name)


def _failed(error: ProvisioningError) -> ResponseReturnValue:
    if isinstance(error, NotFoundError):
        return _page(HTTPStatus.NOT_FOUND, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    if request.method == "POST" and request.view_args:
        flash(str(error), "danger")
        return redirect(request.path.rsplit("/", 1)[0], HTTPStatus.SEE_OTHER)
    bad = HTTPStatus.BAD_GATEWAY if isinstance(error, SourceError) else HTTPStatus.CONFLICT
    return _page(bad, str(error))


def _without_database(error: OperationalError) -> ResponseReturnValue:
    log.warning("page_without_database", path=request.path, reason=type(error).__name__)
    sentence = "The database does not answer; nothing was changed. Try again in a minute."
    return _page(HTTPStatus.SERVICE_UNAVAILABLE, sentence)


def _broken(error: Exception) -> ResponseReturnValue:
    log.error("page_broke", path=request.path, exc_info=error)
    sentence = "Usher failed here; what was not finished was not changed. Its log says more."
    return _page(HTTPStatus.INTERNAL_SERVER_ERROR, sentence)


def _page(status: HTTPStatus, sentence: str) -> ResponseReturnValue:
    page = render_template("admin/error.html", status=status, sentence=sentence)
    return make_response(page, status)
