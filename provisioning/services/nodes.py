"""Which processes run the schedule, and whether they still do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, delete, select

from provisioning.services.context import ServiceContext
from provisioning.services.jobs import Node
from provisioning.storage.models.runs import NodeRecord
from provisioning.storage.workers import is_gone, parent_name, worker_name

FORGET_AFTER = timedelta(days=1)


class NodeService:
    """Keeps a row for every scheduler while it lives."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def beat(self) -> None:
        """Say that the schedule of this process runs; forget those that ended long ago."""
        key, now = (self._context.intranet_id, worker_name()), self._context.now()
        with self._context.database.write() as session:
            row = session.get(NodeRecord, key)
            if row is None:
                row = NodeRecord(intranet_id=key[0], name=key[1], started_at=now)
                session.add(row)
            row.beat_at = now
            for other in session.scalars(self._mine()):
                if is_gone(other.name) or now - other.beat_at > FORGET_AFTER:
                    session.delete(other)

    def leave(self) -> None:
        """Say that the schedule of this process ended in good order."""
        with self._context.database.write() as session:
            session.execute(
                delete(NodeRecord).where(
                    NodeRecord.intranet_id == self._context.intranet_id,
                    NodeRecord.name == worker_name(),
                )
            )

    def nodes(self) -> Sequence[Node]:
        """Return every scheduler that said so within a day."""
        now = self._context.now()
        with self._context.database.read() as session:
            return [Node.of(row, now) for row in session.scalars(self._mine())]

    def ours(self) -> Node | None:
        """Return the scheduler of the process that started this one, if it runs one."""
        return next((node for node in self.nodes() if node.name == parent_name()), None)

    def _mine(self) -> Select[NodeRecord]:
        here = NodeRecord.intranet_id == self._context.intranet_id
        return select(NodeRecord).where(here).order_by(NodeRecord.started_at, NodeRecord.name)
