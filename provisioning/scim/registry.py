"""All employees of the intranet, for a token that may read the registry and nothing else.

They look like users; whatever source vouches for them, and whether they are there or not. The
list is whole: there is no filter and no order but the one in which they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from sqlalchemy import Connection

from provisioning.domain.employees import EmployeeState
from provisioning.domain.errors import NotFoundError
from provisioning.scim.asking import Answer, Asked, resource_uuid
from provisioning.scim.errors import ScimError
from provisioning.scim.paging import bad_cursor, cursor_after, page_of
from provisioning.scim.projecting import Projection
from provisioning.scim.rendering import list_document, outcome_of, user_document
from provisioning.scim.urns import CORE, ENTERPRISE, EXTENSION
from provisioning.services.context import ServiceContext
from provisioning.storage.registry_rows import (
    Found,
    find_employee,
    number_of_employees,
    page_of_employees,
)
from provisioning.storage.scim_rows import UserRow, uuid_text

_LARGEST = 1 << 31


class Registry:
    """Employees as users that can only be read."""

    def __init__(self, context: ServiceContext, base_url: str) -> None:
        """Keep the intranet and where resources live at hand."""
        self._context = context
        self._base_url = base_url

    def read(self, resource_id: str, asked: Asked) -> Answer:
        """GET one employee by their own id."""
        id_, intranet_id = resource_uuid("employee", resource_id), self._context.intranet_id
        found = self._context.database.look(
            lambda connection: find_employee(connection, intranet_id, id_)
        )
        if found is None:
            raise NotFoundError("employee", id_)
        row = _user_row(found)
        if asked.has_already(row.version):
            return Answer(status=HTTPStatus.NOT_MODIFIED, version=row.version)
        return Answer(body=self._document(row, asked), version=row.version)

    def list(self, asked: Asked) -> Answer:
        """GET everybody, a page at a time."""
        _refuse(asked.arguments)
        page = page_of(asked.arguments)
        after = _place(page.after) if page.after else 0
        intranet_id = self._context.intranet_id

        def look(connection: Connection) -> Answer:
            total = number_of_employees(connection, intranet_id)
            found = page_of_employees(
                connection, intranet_id, after=after, offset=page.offset, count=page.count + 1
            )
            rows = [_user_row(each) for each in found[: page.count]]
            cursors = {}
            if page.by_cursor and rows and len(found) > page.count:
                cursors["nextCursor"] = cursor_after(asked.arguments, [rows[-1].seq])
            start = None if page.by_cursor else page.start
            documents = [self._document(row, asked) for row in rows]
            return Answer(body=list_document(documents, total, start=start, cursors=cursors))

        return self._context.database.look(look)

    def _document(self, row: UserRow, asked: Asked) -> bytes:
        projection = Projection.of(asked)
        outcome = outcome_of(row) if projection.asks_for(EXTENSION) else None
        return projection.of_document(user_document(row, self._base_url, outcome=outcome))


def _user_row(found: Found) -> UserRow:
    """Return an employee in the form a user is rendered from."""
    employee, outcome = found
    row = UserRow(
        employee.id, employee.seq, b"", employee.version, employee.created_at,
        employee.state_since, False, *outcome,
    )  # fmt: skip
    document: dict[str, Any] = {
        "schemas": [
            CORE,
            *([ENTERPRISE] if employee.department else []),
            *([EXTENSION] if row.mailbox else []),
        ],
        "id": uuid_text(employee.id),
        "userName": row.login or row.contact_email or uuid_text(employee.id),
        "displayName": employee.display_name,
        "active": row.state != EmployeeState.DISMISSED,
    }
    if employee.title:
        document["title"] = employee.title
    if row.contact_email:
        document["emails"] = [{"value": row.contact_email, "type": "work", "primary": True}]
    if employee.department:
        document[ENTERPRISE] = {"department": employee.department}
    if row.mailbox:
        document[EXTENSION] = {"mailbox": row.mailbox}
    return row._replace(document=orjson.dumps(document))


def _refuse(arguments: Mapping[str, str]) -> None:
    """Refuse what the list does not offer, instead of answering with everybody."""
    for name, scim_type in (("filter", "invalidFilter"), ("sortBy", "invalidValue")):
        if arguments.get(name):
            raise ScimError(
                HTTPStatus.BAD_REQUEST,
                f"The registry is listed whole and in one order: leave {name} out.",
                scim_type,
            )


def _place(key: tuple[Any, ...]) -> int:
    place = key[0] if len(key) == 1 else None
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < _LARGEST:
        raise bad_cursor("The cursor is not one of ours; begin again with an empty one.")
    return place
