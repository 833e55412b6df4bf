"""matches, match: who are the people nobody could place."""

from __future__ import annotations

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.cli.wiring import actor
from provisioning.domain.matching import Decision
from provisioning.services.match_reports import CandidateRow, MatchRow


@click.command()
@click.option("--decided", is_flag=True, help="Those that were decided instead.")
@command
@pass_screen
def matches(screen: Screen, *, decided: bool) -> None:
    """List people who may be somebody who is here already, with the evidence."""
    found = list(screen.wiring.services().matches.everything(decided=decided))
    if screen.json:
        screen.document({"matches": found})
        return
    rows = [
        (row.source, row.directory_id, row.name, row.mail, _maybe(row), _decision(row))
        for row in found
    ]
    columns = ("source", "directory id", "name", "mail", "may be", "decision")
    screen.table(columns, rows)
    screen.say(f"{len(found):,} {'decided' if decided else 'to decide'}")


@click.command()
@click.argument("source")
@click.argument("person")
@click.option("--same", metavar="EMPLOYEE", help="They are this employee: number, id or address.")
@click.option("--new", is_flag=True, help="Nobody here is the same person: invite.")
@click.option("--ignore", is_flag=True, help="Do nothing about them, now and later.")
@click.option("--reopen", is_flag=True, help="Ask again about somebody who is ignored.")
@command
@pass_screen
def match(
    screen: Screen, source: str, person: str, *, same: str | None, new: bool, ignore: bool,
    reopen: bool,
) -> None:  # fmt: skip
    """Show who PERSON of SOURCE (a directory id or user name) may be, or decide it at once."""
    if sum((same is not None, new, ignore, reopen)) > 1:
        raise click.UsageError("say one of --same, --new, --ignore and --reopen")
    services = screen.wiring.services()
    match_id = services.matches.find(source, person)
    if reopen:
        services.matching.reopen(match_id, actor())
    elif same is not None:
        employee_id = services.reports.find(same)
        said = services.matching.decide(
            match_id, Decision.SAME_PERSON, actor(), employee_id=employee_id
        )
        screen.say(said)
    elif new or ignore:
        decision = Decision.NEW_PERSON if new else Decision.IGNORE
        screen.say(services.matching.decide(match_id, decision, actor()))
    row = services.matches.one(match_id)
    if screen.json:
        screen.document(row)
    elif row.decision is None:
        _show(screen, row)


def _show(screen: Screen, row: MatchRow) -> None:
    screen.say(f"{row.name} ({row.user_name}) of {row.source}: {row.because}")
    shown = [*row.candidates, *row.suggestions]
    screen.table(
        ("number", "name", "state", "contact", "department", "evidence"),
        [
            (one.number, one.name, one.state, one.contact, one.department, _evidence(one))
            for one in shown
        ],
    )
    screen.say("Decide: --same EMPLOYEE, --new or --ignore")


def _evidence(one: CandidateRow) -> str:
    if one.percent is not None:
        return f"{one.percent} % alike, which proves nothing"
    taken = "; linked to somebody else who is there" if one.taken else ""
    return f"same {', '.join(one.keys)}{taken}"


def _maybe(row: MatchRow) -> str:
    return "; ".join(f"{one.name} ({one.state}), {_evidence(one)}" for one in row.candidates)


def _decision(row: MatchRow) -> str:
    if row.decision is None:
        return ""
    words = row.decision.replace("_", " ")
    named = f" as {row.decided_employee.name}" if row.decided_employee else ""
    return f"{words}{named}, by {row.decided_by}"
