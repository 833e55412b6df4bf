"""Rows as files: CSV no spreadsheet runs, JSON any program reads (E9)."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from provisioning.services.hold_reports import HeldRow
from provisioning.services.inbound_report import InboundRow
from provisioning.services.match_reports import MatchRow
from provisioning.services.reports import EmployeeRow, FindingRow
from provisioning.services.waiting_report import WaitingRow

PEOPLE_COLUMNS = ("number", "name", "state", "contact", "department", "title", "findings", "why")
FINDING_COLUMNS = ("id", "kind", "severity", "person", "reason", "evidence", "remedy", "opened")
WAITING_COLUMNS = ("place", "number", "name", "department", "reason", "because", "starts", "since")
HELD_COLUMNS = ("number", "source", "action", "person", "is", "reason", "because", "held")
MATCH_COLUMNS = (
    "id", "source", "directory id", "name", "user name", "mail", "number", "may be", "why",
    "decision", "decided by", "opened",
)  # fmt: skip
INBOUND_COLUMNS = (
    *("id", "at", "source", "request", "status", "outcome", "error", "person", "ms"),
    *("quirks", "ignored"),
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def people_cells(row: EmployeeRow) -> tuple[str, ...]:
    """Return an employee as one line of a table or file; see PEOPLE_COLUMNS."""
    return (
        str(row.number), row.display_name, row.state, row.contact_email or "",
        row.department or "", row.title or "", str(row.findings or ""), row.because,
    )  # fmt: skip


def finding_cells(row: FindingRow) -> tuple[str, ...]:
    """Return a finding as one line of a table or file; see FINDING_COLUMNS."""
    evidence = "; ".join(f"{name}: {value}" for name, value in row.evidence.items())
    opened = f"{row.opened_at:%Y-%m-%d}"
    return (
        str(row.id), row.kind, row.severity, row.person, row.reason, evidence, row.remedy, opened,
    )  # fmt: skip


def waiting_cells(row: WaitingRow) -> tuple[str, ...]:
    """Return somebody who waits as one line of a table or file; see WAITING_COLUMNS."""
    starts = f"{row.starts_at:%Y-%m-%d}" if row.starts_at else ""
    since = f"{row.waiting_since:%Y-%m-%d %H:%M}" if row.waiting_since else ""
    return (
        str(row.position or ""), str(row.number), row.display_name, row.department or "",
        row.reason, row.because, starts, since,
    )  # fmt: skip


def held_cells(row: HeldRow) -> tuple[str, ...]:
    """Return a held effect as one line of a table or file; see HELD_COLUMNS."""
    return (
        str(row.id), row.source, row.action, row.display_name, row.state, row.held_because,
        row.because, f"{row.held_at:%Y-%m-%d %H:%M}",
    )  # fmt: skip


def match_cells(row: MatchRow) -> tuple[str, ...]:
    """Return a question of the matching queue as one line of a table or file; MATCH_COLUMNS."""
    maybe = "; ".join(f"{one.name} ({one.state}): {', '.join(one.keys)}" for one in row.candidates)
    decision = (row.decision or "").replace("_", " ")
    if row.decided_employee:
        decision += f": {row.decided_employee.name}"
    return (
        str(row.id), row.source, row.directory_id, row.name, row.user_name, row.mail or "",
        row.employee_number or "", maybe, row.because, decision, row.decided_by or "",
        f"{row.opened_at:%Y-%m-%d}",
    )  # fmt: skip


def inbound_cells(row: InboundRow) -> tuple[str, ...]:
    """Return a request of the inbound log as one line of a table or file; see INBOUND_COLUMNS."""
    request = f"{row.method} {row.path}{'?' if row.query else ''}{row.query or ''}".strip()
    return (
        str(row.id), f"{row.at:%Y-%m-%d %H:%M:%S}", row.source or "", request,
        str(row.status or ""), row.outcome, row.detail or "", row.person or "",
        f"{row.duration_ms:.1f}", " ".join(row.quirks), " ".join(row.unknown),
    )  # fmt: skip


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a CSV file (RFC 4180) line by line, headings first."""
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line([neutral(cell) for cell in row])


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def neutral(cell: str) -> str:
    """Return a cell no spreadsheet takes for a formula (E9).

    >>> neutral("=1+1"), neutral("Anna"), neutral(" @x")
    ("'=1+1", 'Anna', "' @x")
    """
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: dates in ISO 8601, dataclasses as objects."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
