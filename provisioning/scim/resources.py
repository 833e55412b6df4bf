"""What every resource type answers alike: one, a page of them, what was written, and deletion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from provisioning.domain.errors import NotFoundError
from provisioning.scim.asking import Answer, Asked, resource_uuid
from provisioning.scim.listing import Listing
from provisioning.scim.projecting import Projection
from provisioning.scim.rendering import list_document
from provisioning.scim.retrying import started_over
from provisioning.services.container import Services
from provisioning.services.context import Actor
from provisioning.storage.scim_rows import GroupRow, UserRow, uuid_text

Row = TypeVar("Row", UserRow, GroupRow)


class Deleting(Protocol):
    """The use case behind DELETE."""

    def delete(
        self, source_id: UUID, id: UUID, actor: Actor, *, expected_version: int | None = None
    ) -> None:
        """Delete a resource of a source."""


class ResourceType(ABC, Generic[Row]):
    """A resource type over its rows; how one is found and rendered is its own."""

    name: ClassVar[str]
    """What errors call a resource."""

    endpoint: ClassVar[str]

    def __init__(self, services: Services, base_url: str, deleting: Deleting) -> None:
        """Keep the services and where resources live at hand."""
        self._services = services
        self._database = services.context.database
        self._base_url = base_url
        self._deleting = deleting

    @abstractmethod
    def _find(self, connection: Connection, asked: Asked, id_: UUID) -> Row | None:
        """Return one visible resource of the caller's source."""

    @abstractmethod
    def _page(self, connection: Connection, asked: Asked) -> Listing:
        """Return the page that is asked for."""

    @abstractmethod
    def _documents(
        self, connection: Connection, rows: Sequence[Row], projection: Projection
    ) -> Sequence[bytes]:
        """Render rows with what stands elsewhere, if it is wanted."""

    def read(self, resource_id: str, asked: Asked) -> Answer:
        """GET one: the stored text, spliced."""
        id_ = resource_uuid(self.name, resource_id)

        def look(connection: Connection) -> Answer:
            row = self._find(connection, asked, id_)
            if row is None:
                raise NotFoundError(self.name, id_)
            if asked.has_already(row.version):
                return Answer(status=HTTPStatus.NOT_MODIFIED, version=row.version)
            document = self._documents(connection, [row], Projection.of(asked))[0]
            return Answer(body=document, version=row.version)

        return self._database.look(look)

    def list(self, asked: Asked) -> Answer:
        """GET all, or those a filter names, a page at a time."""

        def look(connection: Connection) -> Answer:
            found = self._page(connection, asked)
            resources = self._documents(connection, found.rows, Projection.of(asked))
            return Answer(
                body=list_document(resources, found.total, start=found.start, cursors=found.cursors)
            )

        return self._database.look(look)

    def delete(self, resource_id: str, asked: Asked) -> Answer:
        """DELETE: 204."""
        id_, caller = resource_uuid(self.name, resource_id), asked.caller
        version = asked.expected_version
        started_over(
            self.name,
            lambda: self._deleting.delete(
                caller.source_id, id_, caller.actor, expected_version=version
            ),
            version=version,
        )
        return Answer(status=HTTPStatus.NO_CONTENT)

    def _answer(self, row: Row, asked: Asked, status: HTTPStatus) -> Answer:
        """Answer what the request wrote, whatever others have written since."""
        location = f"{self._base_url}/{self.endpoint}/{uuid_text(row.id)}"
        if asked.is_part_of_bulk:
            return Answer(status=status, version=row.version, location=location)
        projection = Projection.of(asked)
        document = self._database.look(
            lambda connection: self._documents(connection, [row], projection)[0]
        )
        return Answer(status=status, body=document, version=row.version, location=location)
