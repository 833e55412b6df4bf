"""/Groups: create, read, list, replace, patch and delete groups of one source (RFC 7644 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection

from provisioning.scim.asking import Answer, Asked, resource_uuid
from provisioning.scim.errors import client_input
from provisioning.scim.filters import group_condition, group_order
from provisioning.scim.group_documents import (
    group_write,
    parse_group,
    patch_group,
)
from provisioning.scim.listing import Listed, Listing
from provisioning.scim.member_changes import notice_effects, split_operations
from provisioning.scim.projecting import Projection
from provisioning.scim.rendering import group_document
from provisioning.scim.resources import ResourceType
from provisioning.scim.retrying import started_over
from provisioning.services.container import Services
from provisioning.services.scim_groups import ScimGroupWrite
from provisioning.services.scim_members import MemberChange, MemberVerb
from provisioning.storage.models.scim import ScimCounterRecord, ScimGroupRecord
from provisioning.storage.scim_rows import GROUPS as GROUPS_OF_SOURCE
from provisioning.storage.scim_rows import (
    GroupRow,
    find_group,
    has_more_members_than,
    members_of,
)

SHOWN_MEMBERS = 1_000
"""Members up to which a PATCH is answered with the group; above, with 204 (RFC 7644 3.5.2)."""

GROUPS = Listed(
    select=GROUPS_OF_SOURCE,
    row=GroupRow,
    condition=group_condition,
    order=group_order,
    id=ScimGroupRecord.id,
    seq=ScimGroupRecord.seq,
    counted=ScimCounterRecord.groups,
)


class Groups(ResourceType[GroupRow]):
    """The resource type Group; deleting one changes nobody's state."""

    name, endpoint = "group", "Groups"

    def __init__(self, services: Services, base_url: str) -> None:
        """Keep the services and where resources live at hand."""
        super().__init__(services, base_url, services.scim_groups)

    def create(self, asked: Asked) -> Answer:
        """POST: the group and its members; unknown members are left out: 201."""
        caller = asked.caller
        with client_input():
            document, members = parse_group(asked.body, replacing=False)

        changes = [MemberChange(MemberVerb.ADD, members or [])]

        def build(id_: UUID) -> ScimGroupWrite:
            return group_write(document, id_)

        row = started_over(
            self.name,
            lambda: self._services.scim_groups.create(
                caller.source_id, build, changes, caller.actor
            ),
        )
        notice_effects(changes)
        return self._answer(row, asked, HTTPStatus.CREATED)

    def replace(self, resource_id: str, asked: Asked) -> Answer:
        """PUT: the whole group; one without `members` is empty: canaille's last one leaves so."""
        with client_input():
            document, members = parse_group(asked.body, replacing=True)
        changes = [MemberChange(MemberVerb.REPLACE, members or [])]
        row = self._change(resource_id, asked, lambda _stored: document, changes)
        return self._answer(row, asked, HTTPStatus.OK)

    def patch(self, resource_id: str, asked: Asked) -> Answer:
        """PATCH: every operation or none; parallel ones queue up and none is lost."""
        own, changes = split_operations(asked.body)

        def patched(stored: dict[str, Any]) -> dict[str, Any]:
            with client_input():
                return patch_group(stored, own)

        row = self._change(resource_id, asked, patched, changes)
        if not asked.is_part_of_bulk and not asked.names("attributes"):
            large = self._database.look(
                lambda connection: has_more_members_than(connection, row.id, SHOWN_MEMBERS)
            )
            if large:
                return Answer(status=HTTPStatus.NO_CONTENT, version=row.version)
        return self._answer(row, asked, HTTPStatus.OK)

    def _change(
        self,
        resource_id: str,
        asked: Asked,
        change: Callable[[dict[str, Any]], dict[str, Any]],
        members: Sequence[MemberChange],
    ) -> GroupRow:
        id_, caller = resource_uuid("group", resource_id), asked.caller
        version = asked.expected_version

        def rewrite(stored: bytes, id_: UUID) -> ScimGroupWrite:
            return group_write(change(orjson.loads(stored)), id_)

        row = started_over(
            self.name,
            lambda: self._services.scim_groups.change(
                caller.source_id, id_, rewrite, members, caller.actor, expected_version=version
            ),
            version=version,
        )
        notice_effects(members)
        return row

    def _find(self, connection: Connection, asked: Asked, id_: UUID) -> GroupRow | None:
        return find_group(connection, asked.caller.source_id, id_)

    def _page(self, connection: Connection, asked: Asked) -> Listing:
        return GROUPS.page(connection, asked.caller.source_id, asked.arguments)

    def _documents(
        self, connection: Connection, rows: Sequence[GroupRow], projection: Projection
    ) -> Sequence[bytes]:
        """Render rows, with their members if those are wanted."""
        shown = projection.shows("members")
        members = members_of(connection, [row.id for row in rows]) if shown else {}
        return [
            projection.of_document(
                group_document(row, self._base_url, members.get(row.id, []) if shown else None)
            )
            for row in rows
        ]
