"""people, person, invite, mismatches."""

from __future__ import annotations

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.cli.wiring import actor
from provisioning.domain.employees import EmployeeState
from provisioning.domain.findings import FindingKind
from provisioning.services.files import FINDING_COLUMNS, csv_lines, finding_cells
from provisioning.services.kept_letters import send_kept


@click.command()
@click.option("--state", type=click.Choice([state.value for state in EmployeeState]))
@click.option("--search", default="", help="Part of a name, an address, a user name or an id.")
@click.option("--attention", is_flag=True, help="Only people with an open finding.")
@click.option("--manager", type=int, help="Only people whose manager has this number.")
@command
@pass_screen
def people(
    screen: Screen, *, state: str | None, search: str, attention: bool, manager: int | None
) -> None:
    """List employees; the dismissed only when asked for."""
    wanted = EmployeeState(state) if state else None
    reports = screen.wiring.services().reports
    found = list(
        reports.everyone(state=wanted, search=search, attention=attention, manager=manager)
    )
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
@click.option(
    "--why", is_flag=True, help="Only why: the state, what is held, and whose word counts."
)
@command
@pass_screen
def person(screen: Screen, key: str, *, why: bool) -> None:
    """Show one employee by KEY: number, id, user name, name or address."""
    services = screen.wiring.services()
    report = services.person(services.reports.find(key))
    if screen.json:
        said = {"name": report.display_name, "why": report.why, "said": report.said}
        screen.document(said if why else report)
        return
    screen.say(f"{report.display_name} ({report.number}) is {report.why}")
    for row in report.held:
        screen.say(f"Held ({row.id}): {row.because}. Why: {row.held_because}.")
    for line in report.said:
        screen.say(f"{line.attribute}: {line}.")
    if why:
        return
    if report.manager:
        screen.say(f"Manager: {report.manager}")
    if str(report.left_behind):
        verb = "Left behind" if report.state == "dismissed" else "Would leave behind"
        screen.say(f"{verb}: {report.left_behind}")
    if report.manages:
        names = ", ".join(f"{one.display_name} ({one.number})" for one in report.manages)
        more = report.manages_people - len(report.manages)
        screen.say(
            f"Manages {report.manages_people:,}: {names}{f' and {more:,} more' * (more > 0)}"
        )
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
@click.argument("key", required=False)
@click.option("--kept", is_flag=True, help="Send all letters that were kept before SMTP was set.")
@command
@pass_screen
def invite(screen: Screen, key: str | None, *, kept: bool) -> None:
    """Invite the employee KEY again: lapsed, taken out of the line, or the letter got lost."""
    services = screen.wiring.services()
    if kept == (key is not None):
        raise click.UsageError("name one employee, or say --kept")
    if key is None:
        letters = send_kept(services.context, services.mailer)
        if screen.json:
            screen.document({"letters": letters})
        screen.say(f"{letters:,} letter(s) that were kept leave now.")
        return
    employee_id = services.reports.find(key)
    services.invite_again(employee_id, actor())
    report = services.person(employee_id)
    if screen.json:
        screen.document({"name": report.display_name, "state": report.state, "why": report.why})
    screen.say(f"{report.display_name} ({report.number}) is {report.why}")


@click.command()
@click.option("--kind", type=click.Choice([kind.value for kind in FindingKind]))
@click.option("--format", "shape", type=click.Choice(["table", "csv", "json"]), default="table")
@command
@pass_screen
def mismatches(screen: Screen, *, kind: str | None, shape: str) -> None:
    """List what somebody should look at, with what helps."""
    reports = screen.wiring.services().reports
    found = list(reports.all_mismatches(kind=FindingKind(kind) if kind else None))
    if screen.json or shape == "json":
        screen.document({"mismatches": found})
    elif shape == "csv":
        for line in csv_lines(FINDING_COLUMNS, map(finding_cells, found)):
            click.echo(line, nl=False)
    else:
        screen.table(FINDING_COLUMNS, [finding_cells(row) for row in found])
        screen.say(f"{len(found):,} open")
