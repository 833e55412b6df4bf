"""One page of one resource type: filter, order and page become one query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from provisioning.scim import keysets
from provisioning.scim.filters import is_descending
from provisioning.scim.paging import Page, bad_cursor, cursor_after, page_of
from provisioning.scim.quirks import with_quotes
from provisioning.storage.compiled import run
from provisioning.storage.core import this
from provisioning.storage.models.scim import ScimCounterRecord


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page is made of."""

    rows: Sequence[Any]
    total: int
    start: int | None
    """None on a page by cursor."""

    cursors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Asking:
    """Where a page is looked up, and for whom."""

    connection: Connection
    source_id: UUID

    def rows(self, query: Select[Any], **values: int) -> Sequence[Any]:
        named = {"this_source_id": self.source_id, **values}
        return self.connection.execute(query, named).all()

    def compiled(self, query: Select[Any], **values: int) -> Sequence[Any]:
        return run(self.connection, query, {"this_source_id": self.source_id, **values})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """How a resource type is listed."""

    select: Select[Any]
    """All rows of the source bound as `this_source_id`."""

    row: Callable[..., Any]
    """Makes one row of its columns, with `id` and `seq` among them."""

    condition: Callable[[str], ColumnElement[bool]]
    order: Callable[..., Sequence[Any]]
    """What resources are ordered by, given sortBy and `descending`."""

    id: InstrumentedAttribute[UUID]
    seq: InstrumentedAttribute[int]
    counted: InstrumentedAttribute[int]
    """The kept number of all."""

    def page(
        self, connection: Connection, source_id: UUID, arguments: Mapping[str, str]
    ) -> Listing:
        """Return the page that is asked for.

        Raises:
            ScimError: The filter, the order or the page is none.
        """
        page = page_of(arguments)
        order = self._order(arguments)
        query, asking = self.select, _Asking(connection, source_id)
        filtered = "filter" in arguments
        if filtered:
            query = query.where(self.condition(with_quotes(arguments["filter"].strip())))
        cursors: Mapping[str, str] = {}
        deep = page.offset > 0
        if page.by_cursor:
            rows, cursors = self._after(asking, query, page, order, arguments)
        elif not page.count:
            rows = []
        elif filtered or len(order) > 1:
            rows = asking.rows(self.at(query, order, page.count, deep=deep), offset=page.offset)
        else:
            rows = asking.compiled(_unfiltered(self, page.count, deep=deep), offset=page.offset)
        total = self._total(asking, query, page, len(rows), filtered)
        found = [self.row(*columns) for columns in rows]
        return Listing(found, total, None if page.by_cursor else page.start, cursors)

    def _order(self, arguments: Mapping[str, str]) -> Sequence[Any]:
        descending = is_descending(arguments.get("sortOrder", ""))
        by = arguments.get("sortBy", "").strip()
        return self.order(by, descending=descending) if by else (self.seq.asc(),)

    def at(
        self, query: Select[Any], order: Sequence[Any], count: int, *, deep: bool
    ) -> Select[Any]:
        """Return the query for a page by index, after `offset` if it is deep.

        The count is part of its text: a planner that does not know it reads for a tenth of all.
        """
        query = query.order_by(*order)
        offset = bindparam("offset", type_=Integer())
        if deep and len(order) == 1:
            # The way to a deep page leads over the narrow index; whole rows are read at its end.
            passed = query.with_only_columns(self.seq, maintain_column_froms=True)
            query = query.where(self.seq >= passed.offset(offset).limit(1).scalar_subquery())
        elif deep:
            query = query.offset(offset)
        return query.limit(literal_column(str(count), Integer()))

    def _after(
        self,
        asking: _Asking,
        query: Select[Any],
        page: Page,
        order: Sequence[Any],
        arguments: Mapping[str, str],
    ) -> tuple[Sequence[Any], Mapping[str, str]]:
        """Return the rows after a cursor, and the next one if there are more."""
        if page.after:
            try:
                query = query.where(keysets.after(order, keysets.read(page.after, order)))
            except (ValueError, IndexError, TypeError):
                raise bad_cursor("The cursor is not one of ours; begin again.") from None
        if not page.count:
            return [], {}
        keyed = query.add_columns(*keysets.compared(order)).order_by(*order)
        found = asking.rows(keyed.limit(page.count + 1))
        shown = found[: page.count]
        rows = [columns[: -len(order)] for columns in shown]
        if len(found) == len(shown):
            return rows, {}
        key = keysets.written(shown[-1][-len(order) :])
        return rows, {"nextCursor": cursor_after(arguments, key)}

    def _total(
        self,
        asking: _Asking,
        query: Select[Any],
        page: Page,
        found: int,
        filtered: bool,  # noqa: FBT001 - a fact, not a mode
    ) -> int:
        if not filtered:
            return _number(asking.compiled(_counted(self)))
        if page.start == 1 and not page.after and 0 < found < page.count:
            return found
        matching = query.with_only_columns(self.id, maintain_column_froms=True)
        return _number(asking.rows(select(func.count()).select_from(matching.subquery())))


@lru_cache(maxsize=100)
def _unfiltered(listed: Listed, count: int, *, deep: bool) -> Select[Any]:
    """Return the query every provider pages with, the same object every time."""
    return listed.at(listed.select, (listed.seq.asc(),), count, deep=deep)


@cache
def _counted(listed: Listed) -> Select[Any]:
    return select(listed.counted).where(this(ScimCounterRecord.source_id))


def _number(rows: Sequence[Any]) -> int:
    return int(rows[0][0]) if rows else 0
