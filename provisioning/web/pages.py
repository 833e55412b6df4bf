"""The administrators' pages, put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from provisioning.services.container import Services
from provisioning.web.connections import ConnectionPages
from provisioning.web.entrance import Entrance
from provisioning.web.held import HeldPages
from provisioning.web.inbound import InboundPages
from provisioning.web.mapping import MappingPages
from provisioning.web.matching import MatchingPages
from provisioning.web.mismatches import MismatchPages
from provisioning.web.on_demand import OnDemandPages
from provisioning.web.outbox import OutboxPages
from provisioning.web.overview import OverviewPages
from provisioning.web.people import PeoplePages
from provisioning.web.plans import PlanPages
from provisioning.web.tokens import TokenPages
from provisioning.web.waiting_list import WaitingListPages


def create_admin_blueprint(services: Services, *, next_run: Callable[[], datetime]) -> Blueprint:
    """Return the administrators' pages of one intranet.

    Args:
        services: The use cases.
        next_run: Tells when the next nightly run is due.
    """
    admin = Blueprint(
        "admin",
        __name__,
        url_prefix="/admin",
        template_folder="templates",
        static_folder="static",
    )
    Entrance(services).add_to(admin)
    OverviewPages(services, next_run).add_to(admin)
    WaitingListPages(services).add_to(admin)
    PeoplePages(services).add_to(admin)
    OnDemandPages(services).add_to(admin)
    MatchingPages(services).add_to(admin)
    MismatchPages(services).add_to(admin)
    PlanPages(services).add_to(admin)
    HeldPages(services).add_to(admin)
    OutboxPages(services).add_to(admin)
    ConnectionPages(services).add_to(admin)
    MappingPages(services).add_to(admin)
    TokenPages(services).add_to(admin)
    InboundPages(services).add_to(admin)
    admin.record_once(lambda state: _filters(state, services))
    admin.after_request(_keep_out_of_caches)
    admin.context_processor(lambda: {"intranet": services.context.intranet_name})
    return admin


def _filters(state: BlueprintSetupState, services: Services) -> None:
    zone = services.context.time_zone

    def local(moment: datetime | None, shape: str = "%d %b %Y %H:%M") -> str:
        return moment.astimezone(zone).strftime(shape) if moment else ""

    state.app.jinja_env.filters["local"] = local
    state.app.jinja_env.filters["words"] = lambda text: str(text).replace("_", " ")


def _keep_out_of_caches(response: Response) -> Response:
    if request.endpoint != "admin.static":
        response.headers["Cache-Control"] = "no-store"
    return response
