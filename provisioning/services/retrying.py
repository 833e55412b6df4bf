"""Work that starts over when somebody else wrote first, or held what it needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError

from provisioning.domain.errors import StaleWriteError
from provisioning.storage.locks import was_deadlock

T = TypeVar("T")
TRIES = 3


def started_over(work: Callable[[], T]) -> T:
    """Do the work, and start over when somebody else wrote the same row first.

    Raises:
        StaleWriteError: Somebody did so every time.
        OperationalError: The last time, others held what was needed.
    """
    for _ in range(TRIES - 1):
        try:
            return work()
        except (StaleWriteError, StaleDataError):
            continue
        except OperationalError as error:
            if not was_deadlock(error):
                raise
    try:
        return work()
    except StaleDataError as error:
        raise StaleWriteError(str(error)) from error
