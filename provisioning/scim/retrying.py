"""What a client is told when others wrote the same row every time."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from provisioning.domain.errors import StaleWriteError
from provisioning.scim.errors import ScimError
from provisioning.services import retrying

T = TypeVar("T")


def started_over(what: str, work: Callable[[], T], *, version: int | None = None) -> T:
    """Do the work, and start over when somebody else wrote the same row first.

    A client that named a version loses to whoever wrote before it; one that named none is
    asked to come again (RFC 7644 3.14).

    Args:
        what: What the work writes, for the sentence: "user" or "group".
        work: The work.
        version: What the client named.
    """
    try:
        return retrying.started_over(work)
    except StaleWriteError as error:
        if version is not None:
            raise
        raise ScimError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"Others are changing the same {what} right now; nothing was changed.",
        ) from error
