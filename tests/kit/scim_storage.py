"""A served Usher as scim2-server sees a storage, so that its contract can be put to Usher."""

from __future__ import annotations

from typing import Any

from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Resource, ResourceType, SearchRequest
from scim2_server.storage import ScimStorage, SearchPage


class ServedStorage(ScimStorage):
    """Every call is a request; what only the server of a storage adds is taken off again."""

    supports_cursors = True

    def __init__(self, client: SyncSCIMClient) -> None:
        """Talk through a client that has read /Schemas."""
        self._client = client

    def get(self, resource_type, resource_id, *, response_parameters=None):
        """GET one."""
        return _bare(
            self._client.query(
                self._model(resource_type), resource_id, query_parameters=response_parameters
            )
        )

    def search(self, resource_types, search_request, *, position=None):
        """GET one resource type, or search all of them at once."""
        if position is not None:
            search_request = search_request.model_copy(update={"cursor": position})
        page = (
            self._client.query(self._model(resource_types[0]), query_parameters=search_request)
            if len(resource_types) == 1
            else self._client.search(search_request)
        )
        return SearchPage(
            page.total_results,
            [_bare(resource) for resource in page.resources or []],
            page.next_cursor,
            page.previous_cursor,
        )

    def create(self, resource_type, resource):
        """POST."""
        return _bare(self._client.create(resource))

    def update(self, resource_type, resource, *, expected_version=None):
        """PUT; a version of the resource itself is no condition."""
        unconditional = resource.model_copy(update={"meta": None})
        return _bare(self._client.replace(unconditional, **_only_if(expected_version)))

    def delete(self, resource_type, resource_id, *, expected_version=None):
        """DELETE."""
        self._client.delete(self._model(resource_type), resource_id, **_only_if(expected_version))

    def empty(self, resource_types: list[ResourceType]) -> None:
        """DELETE whatever is there."""
        for resource_type in resource_types:
            everything = SearchRequest(attributes=["id"])
            for found in self.search([resource_type], everything).resources:
                self.delete(resource_type, found.id)

    def _model(self, resource_type: ResourceType) -> type[Resource[Any]]:
        model = self._client.provider.model_for(resource_type)
        assert model is not None
        return model


def _only_if(version: str | None) -> dict[str, Any]:
    return {"headers": {"If-Match": version}} if version else {}


def _bare(resource: Any) -> Any:
    if resource.meta is not None:
        resource.meta.location = None
    return resource
