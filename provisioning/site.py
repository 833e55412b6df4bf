"""The web application: pages for administrators and employees, SCIM and health on one port."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from provisioning.accounts.joining import create_accounts_blueprint
from provisioning.scim.fast_lane import add_fast_lane
from provisioning.scim.gate import Gate
from provisioning.scim.limits import ScimLimits
from provisioning.scim.oauth import create_oauth_blueprint
from provisioning.scim.provider import PREFIX, create_scim_blueprint, make_users
from provisioning.services.container import Services
from provisioning.services.jobs import JobDesk
from provisioning.web.errors import add_error_pages
from provisioning.web.health import create_health_blueprint
from provisioning.web.pages import create_admin_blueprint
from provisioning.web.security import harden, security_headers


def create_site(
    services: Services,
    *,
    public_url: str,
    trusted_hosts: Sequence[str],
    requests_per_second: int,
    body_bytes: int,
    jobs: JobDesk,
) -> Flask:
    """Return the web application over composed services.

    Args:
        services: The use cases of one intranet.
        public_url: Where people and providers reach it.
        trusted_hosts: Further names it answers to.
        requests_per_second: Of one SCIM token.
        body_bytes: The largest SCIM request.
        jobs: Where the schedule is looked at, and held.
    """
    app = Flask(__name__, static_folder=None)
    csrf = harden(
        app,
        public_url=public_url,
        secret_key=services.context.secret_key,
        trusted_hosts=trusted_hosts,
    )
    limits = ScimLimits(requests_per_second=requests_per_second, body_bytes=body_bytes)
    gate, users = Gate(services.tokens, limits), make_users(services, public_url=public_url)
    for machines in (
        create_scim_blueprint(services, gate, limits, users, public_url=public_url),
        create_oauth_blueprint(services, gate),
    ):
        csrf.exempt(machines)
        app.register_blueprint(machines)
    app.register_blueprint(create_admin_blueprint(services, jobs))
    app.register_blueprint(create_accounts_blueprint(services))
    app.register_blueprint(create_health_blueprint(services))
    add_error_pages(app)
    add_fast_lane(app, PREFIX, gate, users, services, security_headers(public_url))
    return app
