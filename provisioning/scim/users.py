"""/Users: create, read, list, replace, patch and delete people of one source (RFC 7644 3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

import orjson
from flask import Response, request
from sqlalchemy import Row, Select, func, select

from provisioning.domain.errors import NotFoundError, StaleWriteError
from provisioning.scim.auth import current_caller
from provisioning.scim.bodies import read_body
from provisioning.scim.documents import (
    etag,
    parse_user,
    patch_user,
    projected,
    rendered,
    write_of,
)
from provisioning.scim.errors import CONTENT_TYPE, ScimError, client_input
from provisioning.scim.filters import condition
from provisioning.scim.paging import Page, page_of
from provisioning.scim.quirks import normalise_patch, normalise_user
from provisioning.services.container import Services
from provisioning.services.scim_resources import ScimUserView, ScimUserWrite
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.scim import ScimCounterRecord, ScimUserRecord

T = TypeVar("T")
TRIES = 3
"""Times a request starts over when somebody else wrote the same employee first."""

_ETAG = re.compile(r'^(?:W/)?"(\d+)"$')
_LIST_HEAD = (
    b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],'
    b'"totalResults":%d,"itemsPerPage":%d,"startIndex":%d,"Resources":['
)


class Users:
    """The resource type User."""

    def __init__(self, services: Services, base_url: str) -> None:
        """Keep the services and where resources live at hand."""
        self._services = services
        self._base_url = base_url

    def create(self) -> Response:
        """POST: correlate, then invite, let wait or hire back: 201."""
        payload = normalise_user(read_body())
        caller = current_caller()
        with client_input():
            document = parse_user(payload, replacing=False)

        def build(id_: UUID) -> ScimUserWrite:
            return write_of(document, id_, caller.source, None)

        view = _started_over(
            lambda: self._services.scim_users.create(caller.source_id, build, caller.actor)
        )
        response = self._answer(view, HTTPStatus.CREATED)
        response.headers["Location"] = self._location(view.id)
        return response

    def read(self, user_id: str) -> Response:
        """GET one: the stored text, spliced."""
        row = self._row(_uuid(user_id))
        tag = etag(row.ScimUserRecord.version)
        if tag in request.headers.get("If-None-Match", ""):
            return Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
        return self._respond(self._document(row), HTTPStatus.OK, row.ScimUserRecord.version)

    def list(self) -> Response:
        """GET all, or those a filter names, a page at a time."""
        page, wanted = page_of(request.args), request.args.get("filter", "").strip()
        query = self._visible()
        with self._services.context.database.read() as session:
            if wanted:
                query = query.where(condition(wanted))
                counted = select(func.count()).select_from(query.subquery())
            else:
                counted = select(ScimCounterRecord.users).where(
                    ScimCounterRecord.source_id == current_caller().source_id
                )
            total = session.scalar(counted) or 0
            rows = session.execute(self._paged(query, page)).all() if page.count else []
        resources = [_projected(self._document(row)) for row in rows]
        head = _LIST_HEAD % (total, len(resources), page.start)
        return Response(head + b",".join(resources) + b"]}", content_type=CONTENT_TYPE)

    def replace(self, user_id: str) -> Response:
        """PUT: the whole user; `active` absent or null changes nothing."""
        payload = normalise_user(read_body())
        with client_input():
            document = parse_user(payload, replacing=True)
        return self._change(user_id, lambda _stored: document)

    def patch(self, user_id: str) -> Response:
        """PATCH: every operation or none, under the row's lock."""
        payload = normalise_patch(read_body())

        def patched(stored: dict[str, Any]) -> dict[str, Any]:
            with client_input():
                return patch_user(stored, payload)

        return self._change(user_id, patched)

    def delete(self, user_id: str) -> Response:
        """DELETE: dismiss and hide: 204."""
        id_, caller = _uuid(user_id), current_caller()
        version = self._expected_version(id_)
        _started_over(
            lambda: self._services.scim_users.delete(
                caller.source_id, id_, caller.actor, expected_version=version
            ),
            once=version is not None,
        )
        return Response(status=HTTPStatus.NO_CONTENT)

    def _change(self, user_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
        id_, caller = _uuid(user_id), current_caller()
        version = self._expected_version(id_)

        def rewrite(stored: bytes, resource_id: UUID) -> ScimUserWrite:
            before = orjson.loads(stored)
            return write_of(change(before), resource_id, caller.source, before)

        view = _started_over(
            lambda: self._services.scim_users.change(
                caller.source_id, id_, rewrite, caller.actor, expected_version=version
            ),
            once=version is not None,
        )
        return self._answer(view, HTTPStatus.OK)

    def _expected_version(self, id_: UUID) -> int | None:
        """Return the version If-Match names; any visible one for `*`; None without the header."""
        given = request.headers.get("If-Match", "").strip()
        if not given:
            return None
        if given == "*":
            return int(self._row(id_).ScimUserRecord.version)
        found = _ETAG.match(given)
        if found is None:
            raise ScimError(
                HTTPStatus.PRECONDITION_FAILED, f'If-Match has to be like W/"3", not {given[:40]}'
            )
        return int(found[1])

    def _visible(self) -> Select[ScimUserRecord, EmployeeRecord]:
        return (
            select(ScimUserRecord, EmployeeRecord)
            .outerjoin(EmployeeRecord, EmployeeRecord.id == ScimUserRecord.employee_id)
            .where(
                ScimUserRecord.source_id == current_caller().source_id,
                ScimUserRecord.hidden_at.is_(None),
            )
        )

    def _paged(
        self, query: Select[ScimUserRecord, EmployeeRecord], page: Page
    ) -> Select[ScimUserRecord, EmployeeRecord]:
        return query.order_by(ScimUserRecord.seq).offset(page.offset).limit(page.count)

    def _row(self, id_: UUID) -> Row[ScimUserRecord, EmployeeRecord]:
        with self._services.context.database.read() as session:
            row = session.execute(self._visible().where(ScimUserRecord.id == id_)).one_or_none()
        if row is None:
            raise NotFoundError("user", id_)
        return row

    def _answer(self, view: ScimUserView, status: HTTPStatus) -> Response:
        return self._respond(self._document(self._row(view.id)), status, view.version)

    def _document(self, row: Row[ScimUserRecord, EmployeeRecord]) -> bytes:
        record = row.ScimUserRecord
        return rendered(
            record.document,
            location=self._location(record.id),
            version=record.version,
            created=record.created_at,
            modified=record.modified_at,
            extension=_extension(row.EmployeeRecord),
        )

    def _location(self, id_: UUID) -> str:
        return f"{self._base_url}/Users/{id_}"

    def _respond(self, document: bytes, status: HTTPStatus, version: int) -> Response:
        response = Response(_projected(document), status, content_type=CONTENT_TYPE)
        response.headers["ETag"] = etag(version)
        return response


def _projected(document: bytes) -> bytes:
    return projected(
        document,
        _names(request.args.get("attributes", "")),
        _names(request.args.get("excludedAttributes", "")),
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _extension(employee: EmployeeRecord | None) -> dict[str, Any]:
    """Return what became of the client's wish, from the employee's own columns."""
    if employee is None:
        return {"state": "none", "because": "nobody is invited for this resource yet"}
    facts = {
        "state": employee.state.value,
        "reason": employee.state_reason or None,
        "because": employee.because,
        "contactEmail": employee.contact_email,
        "mailbox": employee.mailbox,
        "acceptedAt": employee.accepted_at.isoformat() if employee.accepted_at else None,
        "dismissedAt": employee.dismissed_at.isoformat() if employee.dismissed_at else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _started_over(work: Callable[[], T], *, once: bool = False) -> T:
    """Do the work; start over when somebody else wrote first, unless the client named a version."""
    for _ in range(1 if once else TRIES - 1):
        try:
            return work()
        except StaleWriteError:
            if once:
                raise
    return work()


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError("user", text[:60]) from None
