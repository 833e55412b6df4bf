"""What this service provider can do, and what its resources look like (RFC 7643 5-7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from scim2_models import Context, EnterpriseUser, Group, User

from provisioning.scim.extension import UsherUser
from provisioning.scim.limits import MAX_COUNT, MAX_FILTER, MAX_OPERATIONS, ScimLimits
from provisioning.scim.paging import DEFAULT_COUNT
from provisioning.scim.quirks import refuses_pagination
from provisioning.scim.urns import CORE, ENTERPRISE, EXTENSION, GROUP


def service_provider_config(base_url: str, limits: ScimLimits, user_agent: str) -> dict[str, Any]:
    """Return /ServiceProviderConfig, in the form its reader understands."""
    unsupported = {"supported": False}
    config = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": MAX_OPERATIONS,
            "maxPayloadSize": limits.body_bytes,
        },
        "filter": {"supported": True, "maxResults": MAX_COUNT},
        "changePassword": unsupported,
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_COUNT,
            "maxPageSize": MAX_COUNT,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": f"usher token create; filters up to {MAX_FILTER} characters",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            },
            {
                "type": "oauth2",
                "name": "OAuth 2 client credentials",
                "description": "usher token create --client; POST /oauth/token gives access "
                "tokens for an hour",
                "specUri": "https://www.rfc-editor.org/info/rfc6749",
                "primary": False,
            },
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{base_url}/ServiceProviderConfig",
        },
    }
    if refuses_pagination(user_agent):
        del config["pagination"]
    return config


def resource_types(base_url: str) -> Sequence[dict[str, Any]]:
    """Return /ResourceTypes."""
    return [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": "User",
            "name": "User",
            "endpoint": "/Users",
            "description": "A person as this source describes them",
            "schema": CORE,
            "schemaExtensions": [
                {"schema": ENTERPRISE, "required": False},
                {"schema": EXTENSION, "required": False},
            ],
            "meta": {
                "resourceType": "ResourceType",
                "location": f"{base_url}/ResourceTypes/User",
            },
        },
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": "Group",
            "name": "Group",
            "endpoint": "/Groups",
            "description": "A department or a team of this source",
            "schema": GROUP,
            "schemaExtensions": [],
            "meta": {
                "resourceType": "ResourceType",
                "location": f"{base_url}/ResourceTypes/Group",
            },
        },
    ]


@cache
def schemas(base_url: str) -> Mapping[str, dict[str, Any]]:
    """Return /Schemas by id: what is stored and answered, and `password`.

    A password is taken and forgotten: canaille sends one and gives up where none is declared.
    """
    found = {}
    for model in (User, EnterpriseUser, Group, UsherUser):
        document = model.to_schema().model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
        found[document["id"]] = document
    # Nobody's name but the member's own is shown.
    members = next(each for each in found[GROUP]["attributes"] if each["name"] == "members")
    for each in members["subAttributes"]:
        if each["name"] == "display":
            each["mutability"] = "readOnly"
    for urn, document in found.items():
        location = f"{base_url}/Schemas/{urn}"
        document["meta"] = {"resourceType": "Schema", "location": location}
    return found
