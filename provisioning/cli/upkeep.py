"""serve, scheduler, demo, check, config, db."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import click

from provisioning.cli.mapping import with_saved
from provisioning.cli.output import Screen, command, fail, pass_screen
from provisioning.domain.errors import NotFoundError
from provisioning.ports import CheckOutcome, CheckReport, CheckStep

PROBLEMS = 5
MARKS = {CheckOutcome.OK: "ok", CheckOutcome.WARNING: "!", CheckOutcome.FAILED: "FAILED"}


@click.command()
@click.option("--no-scheduler", is_flag=True, help="Only pages and SCIM.")
@command
@pass_screen
def serve(screen: Screen, *, no_scheduler: bool) -> None:
    """Serve pages, SCIM and the schedule on one port, until SIGTERM."""
    screen.wiring.serve(scheduler=not no_scheduler)


@click.command()
@command
@pass_screen
def scheduler(screen: Screen) -> None:
    """Run only the schedule, until SIGTERM."""
    screen.wiring.run_scheduler()


@click.command()
@click.option("--serve", "and_serve", is_flag=True, help="And serve it.")
@click.option("--clear", is_flag=True, help="Take the demo people away.")
@command
@pass_screen
def demo(screen: Screen, *, and_serve: bool, clear: bool) -> None:
    """Load 40 people of an imaginary company."""
    screen.wiring.demo(clear=clear, serve=and_serve)


@click.command()
@click.argument("what", default="all")
@command
@pass_screen
def check(screen: Screen, what: str) -> None:
    """Look at WHAT: a source by name or type (ldap, ldif), mail, a webhook, db, or all."""
    services = screen.wiring.services()
    looks: dict[str, tuple[str, Callable[[], CheckReport]]] = {
        name: (source.kind, partial(services.check, name))
        for name, source in services.sources.items()
        if source.directory is not None
    }
    looks["mail"] = "mail", services.mailer.check
    looks |= {name: ("webhook", webhook.check) for name, webhook in services.webhooks.items()}
    looks["db"] = "db", lambda: _database(screen)
    found = {name: look() for name, (kind, look) in looks.items() if what in ("all", name, kind)}
    if not found:
        hint = f"there are: {', '.join(looks)}, all; LDAP_URI makes a source called ldap"
        raise NotFoundError("source or service", f'"{what}"', hint=hint)
    if screen.json:
        screen.document({"checks": {name: _plain(report) for name, report in found.items()}})
    else:
        for name, report in found.items():
            _print(screen, name, report)
    if any(report.failed for report in found.values()):
        raise SystemExit(PROBLEMS)


@click.group()
def config() -> None:
    """Settings."""


@config.command("show")
@click.option("--origin", is_flag=True, help="And where each value came from.")
@command
@pass_screen
def config_show(screen: Screen, *, origin: bool) -> None:
    """Show every setting; secrets are masked."""
    rows = screen.wiring.shown_settings()
    rows = with_saved(screen, rows) if origin else rows
    if screen.json:
        screen.document({name: {"value": value, "origin": where} for name, value, where in rows})
        return
    columns = ("setting", "value", "origin") if origin else ("setting", "value")
    screen.table(columns, [row[: len(columns)] for row in rows])


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@command
@pass_screen
def db_upgrade(screen: Screen) -> None:
    """Bring the database to the schema of this version."""
    done = screen.wiring.upgrade_database()
    if screen.json:
        screen.document({"done": done})
    screen.say(done)


@db.command("check")
@command
@pass_screen
def db_check(screen: Screen) -> None:
    """Compare the migrated database with the tables in the code."""
    differences = screen.wiring.schema_differences()
    if screen.json:
        screen.document({"differences": differences})
    if differences:
        fail(screen, "schema", f"a migration is missing: {'; '.join(differences)}", 1)
    screen.say("the history leads to the tables of the code")


def _database(screen: Screen) -> CheckReport:
    screen.wiring.services().reports.seats()
    step = CheckStep(name="database", outcome=CheckOutcome.OK, detail="answers, schema is current")
    return CheckReport(steps=[step])


def _plain(report: CheckReport) -> dict[str, object]:
    return {"failed": report.failed, "steps": list(report.steps), "same_as": report.same_as}


def _print(screen: Screen, name: str, report: CheckReport) -> None:
    screen.say(f"{name}")
    for step in report.steps:
        mark = MARKS[step.outcome]
        screen.say(f"  {step.name:10}{mark:8}{step.detail}   {step.seconds:.1f} s")
    if report.same_as:
        screen.say(f"  same as:  {report.same_as}")
