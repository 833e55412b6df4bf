"""The inbound log as pages and commands show it, and what clients send that is ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import Row, Select, func, select, true

from provisioning.domain.errors import ConfigurationError, NotFoundError
from provisioning.services.context import ServiceContext
from provisioning.services.inbound_rows import ACCESS_PATH
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.inbound import InboundRequestRecord
from provisioning.storage.models.intranets import SourceRecord

_BATCH = 500
_RECENT = 1_000
"""Requests with unknown attributes that are looked through: the newest of a source."""

_PERIOD = re.compile(r"([0-9]{1,5})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

OUTCOMES = {
    HTTPStatus.OK: "answered",
    HTTPStatus.CREATED: "created",
    HTTPStatus.NO_CONTENT: "done",
    HTTPStatus.NOT_MODIFIED: "unchanged",
    HTTPStatus.BAD_REQUEST: "not understood",
    HTTPStatus.UNAUTHORIZED: "no good token",
    HTTPStatus.FORBIDDEN: "refused",
    HTTPStatus.NOT_FOUND: "not there",
    HTTPStatus.METHOD_NOT_ALLOWED: "not possible",
    HTTPStatus.CONFLICT: "taken already",
    HTTPStatus.PRECONDITION_FAILED: "out of date",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "not JSON",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "failed here",
    HTTPStatus.NOT_IMPLEMENTED: "not offered",
    HTTPStatus.SERVICE_UNAVAILABLE: "asked to come again",
}
"""What a status means, in words."""

_OF_ACCESS = OUTCOMES | {HTTPStatus.OK: "access given", HTTPStatus.UNAUTHORIZED: "no good client"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRow:
    """One request of the log, or how many could not be noted."""

    id: int
    at: datetime
    source: str | None
    """None when no good token came with it."""

    token: str | None
    """The public part of the token, or the id of the client, good or not."""

    remote_address: str | None
    method: str
    path: str
    """Below /scim/v2; whole where it is not below it, or reads as if it were not."""

    query: str | None
    status: int
    outcome: str
    failed: bool
    scim_type: str | None
    detail: str | None
    duration_ms: float
    quirks: Sequence[str]
    unknown: Sequence[str]
    """Attributes that were sent and ignored."""

    scim_user_id: UUID | None
    scim_group_id: UUID | None
    employee: UUID | None
    person: str | None
    body: str | None
    dropped: int
    """Requests that could not be noted; then this row is about none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAttribute:
    """Something a client sends and nothing here understands."""

    name: str
    requests: int
    last_at: datetime


class InboundReports:
    """Reads the log; changes nothing."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def requests(
        self,
        *,
        source: str = "",
        failed: bool = False,
        person: UUID | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[InboundRow]:
        """Return a page of requests, newest first.

        Args:
            source: Only of this source, by name.
            failed: Only those that were refused or failed, and what could not be noted.
            person: Only about this employee.
            since: Nothing that was answered earlier.
            before: The last number of the page before.
            limit: Rows at most.

        Raises:
            NotFoundError: There is no such source.
        """
        query = self._query().order_by(InboundRequestRecord.id.desc()).limit(limit)
        if source:
            query = query.where(InboundRequestRecord.source_id == self._source(source))
        if failed:
            query = query.where(InboundRequestRecord.failed == true())
        if person is not None:
            query = query.where(InboundRequestRecord.employee_id == person)
        if before is not None:
            query = query.where(InboundRequestRecord.id < before)
        with self._context.database.read() as session:
            rows = [_row(row) for row in session.execute(query)]
        # Numbers follow the time, so that the first page that is too old is the last one.
        return [row for row in rows if since is None or row.at >= since]

    def all_requests(
        self,
        *,
        source: str = "",
        failed: bool = False,
        person: UUID | None = None,
        since: datetime | None = None,
    ) -> Iterator[InboundRow]:
        """Yield every request `requests` would show, page after page."""
        before = None
        while rows := self.requests(
            source=source, failed=failed, person=person, since=since, before=before, limit=_BATCH
        ):
            yield from rows
            before = rows[-1].id

    def request(self, id_: int) -> InboundRow:
        """Return one request.

        Raises:
            NotFoundError: It is not in the log, or not any more.
        """
        with self._context.database.read() as session:
            row = session.execute(self._query().where(InboundRequestRecord.id == id_)).one_or_none()
        if row is None:
            raise NotFoundError("request", id_, hint="requests are kept for a while only")
        return _row(row)

    def dropped(self) -> int:
        """Return how many requests could not be noted in the time that is kept."""
        with self._context.database.read() as session:
            return (
                session.scalar(
                    select(func.sum(InboundRequestRecord.dropped)).where(
                        InboundRequestRecord.intranet_id == self._context.intranet_id,
                        InboundRequestRecord.failed == true(),
                        InboundRequestRecord.dropped > 0,
                    )
                )
                or 0
            )

    def sources(self) -> Sequence[str]:
        """Return the names of the sources that push."""
        with self._context.database.read() as session:
            return session.scalars(
                select(SourceRecord.name)
                .where(
                    SourceRecord.intranet_id == self._context.intranet_id,
                    SourceRecord.kind == "scim",
                )
                .order_by(SourceRecord.name)
            ).all()

    def _query(self) -> Select[InboundRequestRecord, str, UUID, str]:
        return (
            select(
                InboundRequestRecord,
                SourceRecord.name,
                EmployeeRecord.id,
                EmployeeRecord.display_name,
            )
            .outerjoin(SourceRecord, SourceRecord.id == InboundRequestRecord.source_id)
            .outerjoin(EmployeeRecord, EmployeeRecord.id == InboundRequestRecord.employee_id)
            .where(InboundRequestRecord.intranet_id == self._context.intranet_id)
        )

    def _source(self, name: str) -> UUID:
        with self._context.database.read() as session:
            found = session.scalar(
                select(SourceRecord.id).where(
                    SourceRecord.intranet_id == self._context.intranet_id,
                    SourceRecord.name == name,
                )
            )
        if found is None:
            there = ", ".join(self.sources()) or "none that pushes"
            raise NotFoundError("source", f'"{name}"', hint=f"there are: {there}")
        return found


def unknown_attributes(context: ServiceContext, source_id: UUID) -> Sequence[UnknownAttribute]:
    """Return what a source's clients sent lately that was ignored, by name."""
    query = (
        select(InboundRequestRecord.unknown, InboundRequestRecord.at)
        .where(
            InboundRequestRecord.source_id == source_id,
            InboundRequestRecord.unknown.is_not(None),
        )
        .order_by(InboundRequestRecord.id.desc())
        .limit(_RECENT)
    )
    found: dict[str, UnknownAttribute] = {}
    with context.database.read() as session:
        for names, at in session.execute(query):
            for name in names or ():
                known = found.get(name)
                found[name] = UnknownAttribute(
                    name=name,
                    requests=known.requests + 1 if known else 1,
                    last_at=max(known.last_at, at) if known else at,
                )
    return sorted(found.values(), key=lambda attribute: attribute.name)


def period(text: str) -> timedelta:
    """Return the length of time a text such as 90s, 30m, 1h or 7d means.

    >>> period("90m") == timedelta(hours=1.5)
    True

    Raises:
        ConfigurationError: It means none.
    """
    found = _PERIOD.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(f'"{text[:40]}" is no length of time: write 90s, 30m, 1h or 7d')
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _row(row: Row[InboundRequestRecord, str, UUID, str]) -> InboundRow:
    noted, source, employee, person = row
    return InboundRow(
        id=noted.id,
        at=noted.at,
        source=source,
        token=noted.token_id,
        remote_address=noted.remote_address,
        method=noted.method,
        path=noted.path,
        query=noted.query,
        status=noted.outcome,
        outcome=outcome_words(noted),
        failed=noted.failed,
        scim_type=noted.scim_type,
        detail=noted.detail,
        duration_ms=round(noted.duration_ms, 2),
        quirks=noted.quirks or (),
        unknown=noted.unknown or (),
        scim_user_id=noted.scim_user_id,
        scim_group_id=noted.scim_group_id,
        employee=employee,
        person=person,
        body=noted.body,
        dropped=noted.dropped,
    )


def outcome_words(noted: InboundRequestRecord) -> str:
    """Return what came of a request, in words."""
    if noted.dropped:
        return f"{noted.dropped:,} requests could not be noted: more came than could be written"
    words = _OF_ACCESS if noted.path == ACCESS_PATH else OUTCOMES
    try:
        return words.get(HTTPStatus(noted.outcome), HTTPStatus(noted.outcome).phrase.lower())
    except ValueError:
        return str(noted.outcome)
