"""Good tokens that were turned away all the same: without the scope, or too often.

They are noted on the token by the thread that writes the inbound log: no request waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from provisioning.services.context import ServiceContext
from provisioning.services.inbound_rows import InboundRequest
from provisioning.services.token_checks import TOUCH_EVERY, note_rejection

log = structlog.get_logger(__name__)


class TokenRejections:
    """Notes when each token was last turned away, and why; once a minute in each process."""

    def __init__(self, context: ServiceContext) -> None:
        """Begin with nobody turned away."""
        self._context = context
        self._noted: dict[str, datetime] = {}

    def note(self, entries: Iterable[InboundRequest]) -> None:
        """Note the first of every token that was turned away, unless it was just noted."""
        due: dict[str, InboundRequest] = {}
        for entry in entries:
            if entry.rejected and entry.token_id and self._is_due(entry):
                due.setdefault(entry.token_id, entry)
        if not due:
            return
        try:
            with self._context.database.write() as session:
                for id_, entry in due.items():
                    address, why = entry.remote_address or "", entry.rejected or ""
                    note_rejection(session, {id_}, entry.at, address, why)
        except SQLAlchemyError as error:
            # The log has the requests; the next one that is turned away is noted.
            log.warning("token_rejections_not_noted", reason=type(error).__name__)
            return
        newest = max(entry.at for entry in due.values())
        kept = {id_: at for id_, at in self._noted.items() if newest - at < TOUCH_EVERY}
        self._noted = kept | {id_: entry.at for id_, entry in due.items()}

    def _is_due(self, entry: InboundRequest) -> bool:
        last = self._noted.get(entry.token_id or "")
        return last is None or entry.at - last >= TOUCH_EVERY
