"""Work that starts over when somebody else wrote first, or held what it needed."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from provisioning.domain.errors import StaleWriteError
from provisioning.scim.errors import ScimError
from provisioning.storage.locks import was_deadlock

T = TypeVar("T")
TRIES = 3


def started_over(what: str, work: Callable[[], T], *, version: int | None = None) -> T:
    """Do the work, and start over when somebody else wrote the same row first.

    A client that named a version loses to whoever wrote before it; one that named none is
    asked to come again (RFC 7644 3.14).

    Args:
        what: What the work writes, for the sentence: "user" or "group".
        work: The work.
        version: What the client named.
    """
    for _ in range(TRIES - 1):
        try:
            return work()
        except StaleWriteError:
            continue
        except OperationalError as error:
            if not was_deadlock(error):
                raise
    try:
        return work()
    except StaleWriteError as error:
        if version is not None:
            raise
        raise ScimError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"Others are changing the same {what} right now; nothing was changed.",
        ) from error
