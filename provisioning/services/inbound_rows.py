"""Requests of identity providers as they are noted, and as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from provisioning.services.redaction import redacted_query, redacted_text, storable
from provisioning.storage.base import Database
from provisioning.storage.core import add_rows
from provisioning.storage.models.inbound import InboundRequestRecord
from provisioning.storage.models.scim import ScimUserRecord

log = structlog.get_logger(__name__)

ACCESS_PATH = "/oauth/token"
"""Where OAuth clients fetch access (RFC 6749 4.4)."""

_LONGEST_NAME = 100


@dataclass(slots=True, kw_only=True)
class InboundRequest:
    """One request as it is noted; not changed afterwards.

    `query` and `detail` are redacted when they are written, `body` has to be already.
    """

    source_id: UUID | None
    """None when no good token came with it."""

    token_id: str | None
    """The public part of the token, good or not."""

    at: datetime
    """When it was answered."""

    method: str
    path: str
    """Below /scim/v2; whole where it is not below it, or reads as if it were not."""

    status: int
    duration_ms: float
    query: str = ""
    """As it came, percent-encoded."""

    body: str | None = None
    """Already redacted: see services/redaction.py."""

    scim_type: str | None = None
    """The error's own code; that of RFC 6749 for a request for access."""

    detail: str | None = None
    """The sentence of the error, if it is one."""

    scim_user_id: UUID | None = None
    scim_group_id: UUID | None = None
    employee_id: UUID | None = None
    quirks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Attributes that were sent and ignored."""

    remote_address: str | None = None
    rejected: str | None = None
    """Why a good token was turned away; noted on the token, and not in the row."""


def row_of(entry: InboundRequest, intranet_id: UUID) -> dict[str, Any]:
    """Return a request as a row; the last look at its texts before they are kept."""
    return {
        "intranet_id": intranet_id,
        "source_id": entry.source_id,
        "token_id": entry.token_id,
        "remote_address": entry.remote_address,
        "at": entry.at,
        "method": storable(entry.method[:_LONGEST_NAME]),
        "path": storable(redacted_text(entry.path)),
        "query": storable(redacted_query(entry.query)) if entry.query else None,
        "body": entry.body,
        "outcome": entry.status,
        "failed": entry.status >= HTTPStatus.BAD_REQUEST,
        "scim_type": entry.scim_type,
        "detail": storable(redacted_text(entry.detail)) if entry.detail else None,
        "duration_ms": entry.duration_ms,
        "quirks": list(entry.quirks) or None,
        "unknown": [storable(name[:_LONGEST_NAME]) for name in entry.unknown] or None,
        "scim_user_id": entry.scim_user_id,
        "scim_group_id": entry.scim_group_id,
        "employee_id": entry.employee_id,
        "dropped": 0,
    }


def gap_of(dropped: int, at: datetime, intranet_id: UUID) -> dict[str, Any]:
    """Return the row that says how many requests could not be noted."""
    nothing = InboundRequest(
        source_id=None, token_id=None, at=at, method="", path="", status=0, duration_ms=0
    )
    return row_of(nothing, intranet_id) | {"failed": True, "dropped": dropped}


def write_rows(database: Database, rows: Sequence[dict[str, Any]]) -> int:
    """Write rows in one transaction; returns how many requests the database never takes.

    Raises:
        SQLAlchemyError: It takes nothing at the moment.
    """
    try:
        with database.write() as session:
            _name_employees(session, rows)
            add_rows(session, InboundRequestRecord, rows)
    except StatementError as error:
        # A row may be about a source that is gone; a lost connection is no row's fault.
        if not isinstance(error, IntegrityError | DataError) and type(error) is not StatementError:
            raise
        if len(rows) == 1:
            log.warning("inbound_request_not_kept", reason=str(error.orig))
            return 0 if rows[0]["dropped"] else 1
        half = len(rows) // 2
        return write_rows(database, rows[:half]) + write_rows(database, rows[half:])
    return 0


def _name_employees(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Say whom a resource is about where the request did not: it was refused, or deleted it."""
    open_ = {row["scim_user_id"] for row in rows if row["employee_id"] is None} - {None}
    if not open_:
        return
    found = dict(
        session.execute(
            select(ScimUserRecord.id, ScimUserRecord.employee_id).where(
                ScimUserRecord.id.in_(open_)
            )
        ).all()
    )
    for row in rows:
        row["employee_id"] = row["employee_id"] or found.get(row["scim_user_id"])
