"""One page of one resource type: filter, order and page become one query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from provisioning.scim.paging import Page, cursor_after, page_of
from provisioning.storage.models.scim import ScimCounterRecord


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page is made of."""

    rows: Sequence[Any]
    total: int
    start: int | None
    """None on a page by cursor."""

    cursors: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """How a resource type is listed."""

    select: Callable[[UUID], Select[Any]]
    """All rows of a source."""

    row: Callable[..., Any]
    """Makes one row of its columns, with `id` and `seq` among them."""

    condition: Callable[[str], ColumnElement[bool]]
    id: InstrumentedAttribute[UUID]
    seq: InstrumentedAttribute[int]
    counted: InstrumentedAttribute[int]
    """The kept number of all."""

    def page(self, session: Session, source_id: UUID, arguments: Mapping[str, str]) -> Listing:
        """Return the page that is asked for.

        Raises:
            ScimError: The filter, the order or the page is none.
        """
        page = page_of(arguments)
        query = self.select(source_id)
        if "filter" in arguments:
            query = query.where(self.condition(arguments["filter"].strip()))
        rows = self._rows(session, query, page)
        more = len(rows) > page.count
        rows = rows[: page.count]
        cursors = {}
        if page.by_cursor and more and rows:
            cursors["nextCursor"] = cursor_after(arguments, (rows[-1].seq,))
        total = self._total(session, source_id, query, page, rows, "filter" in arguments)
        return Listing(rows, total, None if page.by_cursor else page.start, cursors)

    def _rows(self, session: Session, query: Select[Any], page: Page) -> Sequence[Any]:
        """Return the page's rows; by cursor one more, which tells whether there is another page."""
        if not page.count:
            return []
        query = query.order_by(self.seq)
        if page.by_cursor:
            if page.after:
                query = query.where(self.seq > page.after[0])
            return self._read(session, query.limit(page.count + 1))
        if page.offset:
            # The way to a deep page leads over the narrow index; whole rows are read at its end.
            passed = query.with_only_columns(self.seq, maintain_column_froms=True)
            first = passed.offset(page.offset).limit(1).scalar_subquery()
            query = query.where(self.seq >= first)
        return self._read(session, query.limit(page.count))

    def _read(self, session: Session, query: Select[Any]) -> Sequence[Any]:
        return [self.row(*columns) for columns in session.execute(query)]

    def _total(
        self,
        session: Session,
        source_id: UUID,
        query: Select[Any],
        page: Page,
        rows: Sequence[Any],
        filtered: bool,  # noqa: FBT001 - a fact, not a mode
    ) -> int:
        if not filtered:
            counter = select(self.counted).where(ScimCounterRecord.source_id == source_id)
            return session.scalar(counter) or 0
        if page.start == 1 and not page.after and 0 < len(rows) < page.count:
            return len(rows)
        matching = query.with_only_columns(self.id, maintain_column_froms=True).order_by(None)
        return session.scalar(select(func.count()).select_from(matching.subquery())) or 0
