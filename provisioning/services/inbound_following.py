"""The inbound log as it grows: each request once, soon after it is written, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from provisioning.services.context import ServiceContext
from provisioning.services.inbound_report import InboundReports, InboundRow

PATIENCE = timedelta(seconds=30)
"""How long a row may be on its way: processes write at once, and a lower number may come later."""

_BATCH = 500


class InboundFollower:
    """Remembers what was shown already; asked again and again, it tells what is new."""

    def __init__(
        self,
        context: ServiceContext,
        reports: InboundReports,
        *,
        since: datetime | None = None,
        **chosen: Any,
    ) -> None:
        """Begin now, or with what was answered since a moment.

        Args:
            context: The intranet.
            reports: Reads the log.
            since: The first moment of interest; None leaves out everything there is already.
            chosen: Which requests, as `InboundReports.numbers` takes it.

        Raises:
            NotFoundError: There is no such source.
        """
        self._context = context
        self._reports = reports
        self._since = since
        self._chosen = chosen
        self._floor = reports.last_number(before=(since or context.now()) - PATIENCE)
        self._seen: dict[int, datetime] = {}
        if since is None:
            self._seen = dict.fromkeys(self._numbers(), context.now())

    def new(self) -> Iterator[InboundRow]:
        """Yield what was written since the last time; a row is seen when it is yielded."""
        unseen = iter([number for number in self._numbers() if number not in self._seen])
        while batch := list(islice(unseen, _BATCH)):
            for row in self._reports.by_number(batch):
                self._seen[row.id] = self._context.now()
                if self._since is None or row.at >= self._since:
                    yield row
        self._forget()

    def _numbers(self) -> list[int]:
        return list(self._reports.numbers(after=self._floor, **self._chosen))

    def _forget(self) -> None:
        """Look no more at what is so old that nothing below it can still come."""
        settled = self._context.now() - PATIENCE
        old = [number for number, at in self._seen.items() if at <= settled]
        if old:
            self._floor = max(old)
            self._seen = {number: at for number, at in self._seen.items() if number > self._floor}
