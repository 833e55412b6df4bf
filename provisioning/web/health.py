"""Whether the process lives, and whether it can work: for load balancers and supervisors.

what is so                                   /healthz  /readyz
-------------------------------------------  --------  -------
all is well                                  200       200
the database does not answer                 200       503: starting anew would not help
the database has another revision            200       503: as above
the schedule of `usher serve` stopped alone  503       200: pages and SCIM work, a new start helps
"""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from provisioning.services.container import Services
from provisioning.storage.migrate import is_current

log = structlog.get_logger(__name__)


def create_health_blueprint(services: Services) -> Blueprint:
    """Return `/healthz`, true while the process lives, and `/readyz`, true while it can work."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> ResponseReturnValue:
        try:
            scheduler = services.nodes.ours()
        except SQLAlchemyError:
            return {"status": "ok"}
        if scheduler is not None and not scheduler.lives:
            log.error("scheduler_silent", since=scheduler.beat_at.isoformat())
            return _not("the schedule of this process stopped; start it anew")
        return {"status": "ok"}

    @health.get("/readyz")
    def readyz() -> ResponseReturnValue:
        try:
            current = is_current(services.context.database)
        except SQLAlchemyError as error:
            log.warning("not_ready", reason=type(error).__name__)
            return _not("the database does not answer")
        if not current:
            log.warning("not_ready", reason="revision")
            return _not("the database has another revision than this program: usher db upgrade")
        return {"status": "ok"}

    return health


def _not(status: str) -> ResponseReturnValue:
    return {"status": status}, HTTPStatus.SERVICE_UNAVAILABLE
