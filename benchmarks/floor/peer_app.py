"""scim2-server's own server in memory, as its command makes it, for granian: one process only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from scim2_models import ScimProvider
from scim2_server.applications.wsgi import TenantDispatcher
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_provider = ScimProvider.from_discovery(
    load_default_schemas().values(),
    load_default_resource_types().values(),
    config=load_default_service_provider_config(),
)
# Tenant "scim" lives at /scim/v2, so that it is asked like the others.
_tenants = TenantDispatcher(
    lambda _tenant: BearerTokenApplication(InMemoryStorage(), _provider, bearer_tokens=["bench"])
)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer; the body is as long as its header says, for granian cannot read to the end by -1."""
    environ.pop("wsgi.input_terminated", None)
    return _tenants(environ, start_response)
