"""Whether the process lives, and whether it can work: for load balancers and supervisors."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from provisioning.services.container import Services

log = structlog.get_logger(__name__)


def create_health_blueprint(services: Services) -> Blueprint:
    """Return `/healthz`, true while the process answers, and `/readyz`, true while it can work."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"status": "ok"}

    @health.get("/readyz")
    def readyz() -> ResponseReturnValue:
        try:
            with services.context.database.read() as session:
                session.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            log.warning("not_ready", reason=type(error).__name__)
            return {"status": "the database does not answer"}, HTTPStatus.SERVICE_UNAVAILABLE
        return {"status": "ok"}

    return health
