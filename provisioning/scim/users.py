"""/Users: create, read, list, replace, patch and delete people of one source (RFC 7644 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import SERVED_BY_ITSELF, EmployeeState
from provisioning.scim.asking import Answer, Asked, resource_uuid
from provisioning.scim.documents import parse_user, patch_user, write_of
from provisioning.scim.errors import client_input
from provisioning.scim.filters import user_condition, user_order
from provisioning.scim.gate import reads_registry
from provisioning.scim.listing import Listed, Listing
from provisioning.scim.observations import about_user
from provisioning.scim.paging import page_of
from provisioning.scim.projecting import Projection
from provisioning.scim.quirks import normalise_patch, normalise_user
from provisioning.scim.registry import Registry
from provisioning.scim.rendering import outcome_of, user_document, wait_of
from provisioning.scim.resources import ResourceType
from provisioning.scim.retrying import started_over
from provisioning.scim.urns import EXTENSION
from provisioning.services.container import Services
from provisioning.services.scim_resources import ScimUserWrite
from provisioning.services.waiting_report import waiting_positions
from provisioning.storage.models.scim import ScimCounterRecord, ScimUserRecord
from provisioning.storage.scim_rows import USERS as VISIBLE_USERS
from provisioning.storage.scim_rows import USERS_WITH_OUTCOME as VISIBLE_USERS_WITH_OUTCOME
from provisioning.storage.scim_rows import (
    UserRow,
    find_user,
    find_user_named,
    groups_of_users,
    uuid_text,
)

USERS = Listed(
    select=VISIBLE_USERS,
    row=UserRow,
    condition=user_condition,
    order=user_order,
    id=ScimUserRecord.id,
    seq=ScimUserRecord.seq,
    counted=ScimCounterRecord.users,
)

USERS_WITH_OUTCOME = replace(USERS, select=VISIBLE_USERS_WITH_OUTCOME)

BY_NAME = re.compile(r'userName eq "([!#-\[\]-~]{1,500})"', re.IGNORECASE)
"""Printable ASCII without blanks, quotes and escapes: nothing that could be folded two ways."""

_PLAIN = frozenset({"filter", "startIndex", "count", "attributes", "excludedAttributes"})


class Users(ResourceType[UserRow]):
    """The resource type User; deleting one dismisses and hides."""

    name, endpoint = "user", "Users"

    def __init__(self, services: Services, base_url: str) -> None:
        """Keep the services and where resources live at hand."""
        super().__init__(services, base_url, services.scim_users)
        self._registry = Registry(services.context, base_url)

    def create(self, asked: Asked) -> Answer:
        """POST: correlate, then invite, let wait or hire back: 201."""
        payload, caller = normalise_user(asked.body), asked.caller
        with client_input():
            document = parse_user(payload, replacing=False)

        def build(id_: UUID) -> ScimUserWrite:
            return write_of(document, id_, caller.source, None)

        row = started_over(
            self.name,
            lambda: self._services.scim_users.create(
                caller.source_id, build, caller.actor, with_outcome=_asks_for_outcome(asked)
            ),
        )
        return self._answer(row, asked, HTTPStatus.CREATED)

    def read(self, resource_id: str, asked: Asked) -> Answer:
        """GET one; a reader of the registry gets an employee."""
        if reads_registry(asked.caller):
            return self._registry.read(resource_id, asked)
        return super().read(resource_id, asked)

    def list(self, asked: Asked) -> Answer:
        """GET many; a reader of the registry gets employees."""
        if reads_registry(asked.caller):
            return self._registry.list(asked)
        return super().list(asked)

    def replace(self, resource_id: str, asked: Asked) -> Answer:
        """PUT: the whole user; `active` absent or null changes nothing."""
        payload = normalise_user(asked.body)
        with client_input():
            document = parse_user(payload, replacing=True)

        def replaced(stored: dict[str, Any]) -> dict[str, Any]:
            if "active" in document or "active" not in stored:
                return document
            return document | {"active": stored["active"]}

        return self._change(resource_id, asked, replaced)

    def patch(self, resource_id: str, asked: Asked) -> Answer:
        """PATCH: every operation or none, under the row's lock."""
        payload = normalise_patch(asked.body)

        def patched(stored: dict[str, Any]) -> dict[str, Any]:
            with client_input():
                return patch_user(stored, payload)

        return self._change(resource_id, asked, patched)

    def _change(
        self,
        resource_id: str,
        asked: Asked,
        change: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> Answer:
        id_, caller = resource_uuid("user", resource_id), asked.caller
        version = asked.expected_version

        def rewrite(stored: bytes, id_: UUID, was_active: bool) -> ScimUserWrite:  # noqa: FBT001
            before = orjson.loads(stored)
            return write_of(change(before), id_, caller.source, before, was_active=was_active)

        row = started_over(
            self.name,
            lambda: self._services.scim_users.change(
                caller.source_id,
                id_,
                rewrite,
                caller.actor,
                expected_version=version,
                with_outcome=_asks_for_outcome(asked),
            ),
            version=version,
        )
        return self._answer(row, asked, HTTPStatus.OK)

    def _find(self, connection: Connection, asked: Asked, id_: UUID) -> UserRow | None:
        told = _asks_for_outcome(asked)
        return find_user(connection, asked.caller.source_id, id_, with_outcome=told)

    def _page(self, connection: Connection, asked: Asked) -> Listing:
        found = _named(connection, asked)
        if found is not None:
            return found
        users = USERS_WITH_OUTCOME if _asks_for_outcome(asked) else USERS
        return users.page(connection, asked.caller.source_id, asked.arguments)

    def _documents(
        self, connection: Connection, rows: Sequence[UserRow], projection: Projection
    ) -> Sequence[bytes]:
        """Render rows with what stands elsewhere and is wanted: groups, and what became of them."""
        if len(rows) == 1:
            about_user(rows[0].id, rows[0].employee_id)
        with_groups = projection.shows("groups")
        groups = groups_of_users(connection, rows) if with_groups else {}
        outcomes = self._outcomes(connection, rows, asked=projection.asks_for(EXTENSION))
        return [
            projection.of_document(
                user_document(row, self._base_url, groups.get(row.id, ()), outcomes.get(row.id))
            )
            for row in rows
        ]

    def _outcomes(
        self,
        connection: Connection,
        rows: Sequence[UserRow],
        *,
        asked: bool,
    ) -> Mapping[Any, Mapping[str, Any]]:
        """Return what became of people: of all if it was asked for, else of those in the line."""
        told, render = (rows, outcome_of) if asked else (_in_line(rows), wait_of)
        places = self._places(connection, told)
        return {row.id: render(row, places.get(row.id)) for row in told}

    def _places(self, connection: Connection, rows: Sequence[UserRow]) -> Mapping[Any, int]:
        """Return the places in the waiting list of those who are in it, by resource."""
        waiting = {
            UUID(uuid_text(row.employee_id)): row.id
            for row in rows
            if row.state == EmployeeState.WAITING
        }
        if not waiting:
            return {}
        places = waiting_positions(connection, self._services.context, waiting)
        return {waiting[employee_id]: place for employee_id, place in places.items()}


def _in_line(rows: Sequence[UserRow]) -> Sequence[UserRow]:
    """Return those who wait for a seat; almost always nobody."""
    return [
        row for row in rows if row.state == EmployeeState.WAITING and row.reason in SERVED_BY_ITSELF
    ]


def _asks_for_outcome(asked: Asked) -> bool:
    return Projection.of(asked).asks_for(EXTENSION)


def _named(connection: Connection, asked: Asked) -> Listing | None:
    """Answer the one filter every provider asks before it writes, without reading its grammar.

    None if it is any other; the answer is the same (a test compares them).
    """
    arguments = asked.arguments
    found = BY_NAME.fullmatch(arguments.get("filter", ""))
    if found is None or not _PLAIN.issuperset(arguments) or _asks_for_outcome(asked):
        return None
    page = page_of(arguments)
    if page.start != 1 or not page.count:
        return None
    row = find_user_named(connection, asked.caller.source_id, address_key(found[1]))
    rows = [] if row is None else [row]
    return Listing(rows, len(rows), page.start, {})
