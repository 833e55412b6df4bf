"""The inbound log as pages and commands show it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, select, true, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from provisioning.domain.errors import ConfigurationError, NotFoundError
from provisioning.services.context import ServiceContext
from provisioning.services.inbound_words import outcome_words
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.inbound import InboundRequestRecord
from provisioning.storage.models.intranets import SourceRecord

_BATCH = 500
_PERIOD = re.compile(r"([0-9]{1,5})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


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
        ignored: str = "",
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[InboundRow]:
        """Return a page of requests, newest first.

        Args:
            source: Only of this source, by name.
            failed: Only those that were refused or failed, and what could not be noted.
            person: Only about this employee.
            ignored: Only those that sent this attribute, which was ignored.
            since: Nothing that was answered earlier.
            before: The last number of the page before.
            limit: Rows at most.

        Raises:
            NotFoundError: There is no such source.
        """
        conditions = self._conditions(source=source, failed=failed, person=person, ignored=ignored)
        query = (
            self._query().where(*conditions).order_by(InboundRequestRecord.id.desc()).limit(limit)
        )
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
        ignored: str = "",
        since: datetime | None = None,
    ) -> Iterator[InboundRow]:
        """Yield every request `requests` would show, page after page."""
        before = None
        while rows := self.requests(
            source=source,
            failed=failed,
            person=person,
            ignored=ignored,
            since=since,
            before=before,
            limit=_BATCH,
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

    def numbers(self, *, after: int, **chosen: Any) -> Sequence[int]:
        """Return the numbers above one of requests, lowest first.

        Args:
            after: The number.
            chosen: Which requests: source, failed, person and ignored, as `requests` takes them.

        Raises:
            NotFoundError: There is no such source.
        """
        query = (
            select(InboundRequestRecord.id)
            .where(InboundRequestRecord.id > after, *self._conditions(**chosen))
            .order_by(InboundRequestRecord.id)
        )
        with self._context.database.read() as session:
            return session.scalars(query).all()

    def by_number(self, numbers: Sequence[int]) -> Sequence[InboundRow]:
        """Return these requests, lowest number first."""
        query = self._query().where(InboundRequestRecord.id.in_(numbers))
        with self._context.database.read() as session:
            return [_row(row) for row in session.execute(query.order_by(InboundRequestRecord.id))]

    def last_number(self, *, before: datetime) -> int:
        """Return the number of the last request that was answered before a moment; 0 if none."""
        query = (
            select(InboundRequestRecord.id)
            .where(*self._conditions(), InboundRequestRecord.at < before)
            .order_by(InboundRequestRecord.id.desc())
            .limit(1)
        )
        with self._context.database.read() as session:
            return session.scalar(query) or 0

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
            .where(*self._conditions())
        )

    def _conditions(
        self,
        *,
        source: str = "",
        failed: bool = False,
        person: UUID | None = None,
        ignored: str = "",
    ) -> Sequence[ColumnElement[bool]]:
        conditions = [InboundRequestRecord.intranet_id == self._context.intranet_id]
        if source:
            conditions.append(InboundRequestRecord.source_id == self._source(source))
        if failed:
            conditions.append(InboundRequestRecord.failed == true())
        if person is not None:
            conditions.append(InboundRequestRecord.employee_id == person)
        if ignored:
            conditions.append(self._ignores(ignored))
        return conditions

    def _ignores(self, name: str) -> ColumnElement[bool]:
        """Return the condition that an attribute is among those that were ignored."""
        names = InboundRequestRecord.unknown
        if not self._context.database.is_sqlite:
            return and_(names.is_not(None), type_coerce(names, JSONB).contains([name]))
        each = func.json_each(names).table_valued("value")
        return and_(names.is_not(None), exists().where(each.c.value == name))

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
        outcome=outcome_words(noted.path, noted.outcome, noted.dropped),
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
