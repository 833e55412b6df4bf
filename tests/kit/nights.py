"""What the tests of nights share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from provisioning.services.context import Actor

ME = Actor("anna", "cli")


class KilledError(BaseException):
    """The process ends here."""


def killed_after(actions: int) -> Callable[[int, int], None]:
    """What is told of a run's progress, and ends the process after so many actions."""

    def progress(done: int, _everyone: int) -> None:
        if done == actions:
            raise KilledError

    return progress


def kinds(plan: Any) -> dict[str, int]:
    """The counts of a plan without zeros."""
    return {kind: count for kind, count in plan.counts.items() if count}


def count(world: Any, table: Any) -> int:
    """How many rows a table has."""
    with world.services.context.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
