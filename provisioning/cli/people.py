"""people, person, mismatches, seats, waitlist."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.domain.employees import EmployeeState
from provisioning.domain.findings import FindingKind
from provisioning.services.reports import EmployeeRow, FindingRow, Reports

PAGE = 500
FINDING_COLUMNS = ("id", "kind", "severity", "person", "reason", "evidence", "remedy", "opened")


@click.command()
@click.option("--state", type=click.Choice([state.value for state in EmployeeState]))
@click.option("--search", default="", help="Part of a name, an address, a user name or an id.")
@click.option("--attention", is_flag=True, help="Only people with an open finding.")
@command
@pass_screen
def people(screen: Screen, *, state: str | None, search: str, attention: bool) -> None:
    """List employees; the dismissed only when asked for."""
    wanted = EmployeeState(state) if state else None
    found = list(_everyone(screen.wiring.services().reports, wanted, search, attention=attention))
    if screen.json:
        screen.document({"people": found})
        return
    rows = [
        (p.number, p.display_name, p.state, p.contact_email, p.department, p.findings or "")
        for p in found
    ]
    screen.table(("number", "name", "state", "contact", "department", "findings"), rows)
    screen.say(f"{len(found):,} people")


@click.command()
@click.argument("key")
@click.option("--why", is_flag=True, help="Only the sentence.")
@command
@pass_screen
def person(screen: Screen, key: str, *, why: bool) -> None:
    """Show one employee by KEY: number, id, user name, name or address."""
    services = screen.wiring.services()
    report = services.person(services.reports.find(key))
    if screen.json:
        screen.document({"name": report.display_name, "why": report.why} if why else report)
        return
    screen.say(f"{report.display_name} ({report.number}) is {report.why}")
    if why:
        return
    screen.table(
        ("address", "value", "differs from the directory mail", "note"),
        [(line.role, line.value, line.difference, line.note) for line in report.addresses],
    )
    screen.table(
        ("when (UTC)", "what", "because", "by"),
        [
            (f"{line.at:%Y-%m-%d %H:%M}", line.kind, line.because, line.actor)
            for line in report.timeline
        ],
    )


@click.command()
@click.option("--kind", type=click.Choice([kind.value for kind in FindingKind]))
@click.option("--format", "shape", type=click.Choice(["table", "csv", "json"]), default="table")
@command
@pass_screen
def mismatches(screen: Screen, *, kind: str | None, shape: str) -> None:
    """List what somebody should look at, with what helps."""
    reports = screen.wiring.services().reports
    found = list(_findings(reports, FindingKind(kind) if kind else None))
    if screen.json or shape == "json":
        screen.document({"mismatches": found})
    elif shape == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(FINDING_COLUMNS)
        writer.writerows([neutral(cell) for cell in finding_cells(row)] for row in found)
    else:
        screen.table(FINDING_COLUMNS, [finding_cells(row) for row in found])
        screen.say(f"{len(found):,} open")


@click.command()
@command
@pass_screen
def seats(screen: Screen) -> None:
    """Show the licence: taken, free, waiting."""
    report = screen.wiring.services().reports.seats()
    if screen.json:
        screen.document(report)
        return
    limit = "unlimited" if report.limit is None else f"{report.limit:,}"
    screen.say(
        f"{report.taken:,} of {limit} seats are taken: {report.active:,} active, "
        f"{report.invited:,} invited. {report.waiting:,} wait, {report.dismissed:,} are dismissed."
    )


@click.command()
@command
@pass_screen
def waitlist(screen: Screen) -> None:
    """Show who waits, in the order in which seats are given."""
    found = screen.wiring.services().reports.waitlist()
    if screen.json:
        screen.document({"waitlist": list(found)})
        return
    rows = [(row.position or "-", row.display_name, row.reason, row.because) for row in found]
    screen.table(("position", "name", "reason", "because"), rows)


def finding_cells(row: FindingRow) -> tuple[str, ...]:
    """Return a finding as one line of a table or file."""
    evidence = "; ".join(f"{name}: {value}" for name, value in row.evidence.items())
    opened = f"{row.opened_at:%Y-%m-%d}"
    return (
        str(row.id), row.kind, row.severity, row.person, row.reason, evidence, row.remedy, opened,
    )  # fmt: skip


def neutral(cell: str) -> str:
    """Return a cell no spreadsheet takes for a formula (E9)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _everyone(
    reports: Reports, state: EmployeeState | None, search: str, *, attention: bool
) -> Iterator[EmployeeRow]:
    after = 0
    while rows := reports.people(
        state=state, search=search, attention=attention, after=after, limit=PAGE
    ):
        yield from rows
        after = rows[-1].number


def _findings(reports: Reports, kind: FindingKind | None) -> Iterator[FindingRow]:
    after = 0
    while rows := reports.mismatches(kind=kind, after=after, limit=PAGE):
        yield from rows
        after = rows[-1].id
