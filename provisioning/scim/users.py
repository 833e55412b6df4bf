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
    rendered,
    write_of,
)
from provisioning.scim.errors import CONTENT_TYPE, ScimError, client_input
from provisioning.scim.filters import is_descending, user_condition, user_order
from provisioning.scim.paging import Page, page_of
from provisioning.scim.projecting import projected
from provisioning.scim.quirks import normalise_patch, normalise_user
from provisioning.services.container import Services
from provisioning.services.scim_resources import ScimUserView, ScimUserWrite, view_of
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.scim import ScimCounterRecord, ScimUserRecord

T = TypeVar("T")
TRIES = 3
"""Times a request starts over when somebody else wrote the same employee first."""

_ETAG = re.compile(r'^(?:W/)?"(\d{1,18})"$', re.ASCII)
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
        view = self._view(_uuid(user_id))
        if request.if_none_match.contains_weak(str(view.version)):
            headers = {"ETag": etag(view.version)}
            return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return self._answer(view, HTTPStatus.OK)

    def list(self) -> Response:
        """GET all, or those a filter names, a page at a time."""
        page, wanted = page_of(request.args), request.args.get("filter")
        query = self._visible()
        with self._services.context.database.read() as session:
            if wanted is not None:
                query = query.where(user_condition(wanted.strip()))
                counted = select(func.count()).select_from(query.subquery())
            else:
                counted = select(ScimCounterRecord.users).where(
                    ScimCounterRecord.source_id == current_caller().source_id
                )
            total = session.scalar(counted) or 0
            rows = session.execute(self._paged(query, page)).all() if page.count else []
        resources = [_projected(self._document(_viewed(row))) for row in rows]
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
        version = _expected_version()
        _started_over(
            lambda: self._services.scim_users.delete(
                caller.source_id, id_, caller.actor, expected_version=version
            ),
            version=version,
        )
        return Response(status=HTTPStatus.NO_CONTENT)

    def _change(self, user_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
        id_, caller = _uuid(user_id), current_caller()
        version = _expected_version()

        def rewrite(stored: bytes, resource_id: UUID) -> ScimUserWrite:
            before = orjson.loads(stored)
            return write_of(change(before), resource_id, caller.source, before)

        view = _started_over(
            lambda: self._services.scim_users.change(
                caller.source_id, id_, rewrite, caller.actor, expected_version=version
            ),
            version=version,
        )
        return self._answer(view, HTTPStatus.OK)

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
        by = request.args.get("sortBy", "").strip()
        descending = is_descending(request.args.get("sortOrder", ""))
        order = user_order(by, descending=descending) if by else (ScimUserRecord.seq,)
        return query.order_by(*order).offset(page.offset).limit(page.count)

    def _view(self, id_: UUID) -> ScimUserView:
        with self._services.context.database.read() as session:
            row = session.execute(self._visible().where(ScimUserRecord.id == id_)).one_or_none()
        if row is None:
            raise NotFoundError("user", id_)
        return _viewed(row)

    def _answer(self, view: ScimUserView, status: HTTPStatus) -> Response:
        """Answer what the request saw or wrote, whatever others have written since."""
        response = Response(_projected(self._document(view)), status, content_type=CONTENT_TYPE)
        response.headers["ETag"] = etag(view.version)
        return response

    def _document(self, view: ScimUserView) -> bytes:
        return rendered(
            view.document,
            location=self._location(view.id),
            version=view.version,
            created=view.created_at,
            modified=view.modified_at,
            extension=_extension(view.employee),
        )

    def _location(self, id_: UUID) -> str:
        return f"{self._base_url}/Users/{id_}"


def _expected_version() -> int | None:
    """Return the version If-Match names; None without one, and for `*`: any will do."""
    given = request.headers.get("If-Match", "").strip()
    if given in ("", "*"):
        return None
    found = _ETAG.match(given)
    if found is None:
        raise ScimError(
            HTTPStatus.PRECONDITION_FAILED, f'If-Match has to be like W/"3", not {given[:40]}'
        )
    return int(found[1])


def _viewed(row: Row[ScimUserRecord, EmployeeRecord]) -> ScimUserView:
    return view_of(row.ScimUserRecord, row.EmployeeRecord)


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


def _started_over(work: Callable[[], T], *, version: int | None = None) -> T:
    """Do the work, and start over when somebody else wrote the same employee first.

    A client that named a version loses to whoever wrote before it; one that named none is
    asked to come again (RFC 7644 3.14).
    """
    for _ in range(TRIES - 1):
        try:
            return work()
        except StaleWriteError:
            continue
    try:
        return work()
    except StaleWriteError as error:
        if version is not None:
            raise
        raise ScimError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Others are changing the same person right now; nothing was changed.",
        ) from error


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError("user", text[:60]) from None
