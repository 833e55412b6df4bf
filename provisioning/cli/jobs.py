"""jobs list, run, pause, resume, history: the schedule, told and held."""

from __future__ import annotations

from datetime import datetime

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.cli.wiring import actor
from provisioning.services.jobs import HISTORY_COLUMNS, JobReport, JobRun, history_cells

COLUMNS = ("job", "does", "next", "last", "state", "node", "took", "error")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_context
def jobs(context: click.Context, *, as_json: bool) -> None:
    """List the scheduled jobs; run, pause or resume one."""
    if context.invoked_subcommand is None:
        context.invoke(jobs_list, as_json=as_json, quiet=False)


@jobs.command("list")
@command
@pass_screen
def jobs_list(screen: Screen) -> None:
    """List every job: what it does, when it comes next, how it went the last time."""
    desk = screen.wiring.jobs()
    found, nodes = desk.jobs(), desk.nodes()
    if screen.json:
        screen.document({"jobs": {job.name: job for job in found}, "nodes": list(nodes)})
        return
    screen.table(COLUMNS, [_cells(screen, job) for job in found])
    living = [node.name for node in nodes if node.lives]
    screen.say(
        f"The schedule runs on {', '.join(living)}."
        if living
        else "No scheduler runs: nothing happens by itself. `usher serve` or `usher scheduler` "
        "starts one."
    )


@jobs.command("run")
@click.argument("name")
@command
@pass_screen
def jobs_run(screen: Screen, name: str) -> None:
    """Do the job NAME here and now, due or not."""
    done = "\n".join([f"{name}: done", *screen.wiring.jobs().run(name, actor())])
    if screen.json:
        screen.document({"job": name, "done": done})
    screen.say(done)


@jobs.command("pause")
@click.argument("name")
@click.option("--comment", required=True, help="Why; everybody sees it.")
@command
@pass_screen
def jobs_pause(screen: Screen, name: str, *, comment: str) -> None:
    """Stop the job NAME on every node until it is resumed."""
    changed = screen.wiring.jobs().pause(name, actor(), comment)
    if screen.json:
        screen.document({"job": name, "paused": True, "changed": changed})
    screen.say(
        f"{name} is paused: it runs on no node until `usher jobs resume {name}`."
        if changed
        else f"{name} was paused before; by whom and why, `usher jobs list` says."
    )


@jobs.command("resume")
@click.argument("name")
@command
@pass_screen
def jobs_resume(screen: Screen, name: str) -> None:
    """Let the job NAME run again; what was due meanwhile is done within a minute."""
    changed = screen.wiring.jobs().resume(name, actor())
    if screen.json:
        screen.document({"job": name, "paused": False, "changed": changed})
    screen.say(f"{name} runs again." if changed else f"{name} was not paused.")


@jobs.command("history")
@click.argument("name", required=False)
@click.option("--limit", default=50, show_default=True, help="How many, newest first.")
@command
@pass_screen
def jobs_history(screen: Screen, name: str | None, *, limit: int) -> None:
    """Show what ran, of every job or of NAME."""
    found = screen.wiring.jobs().history(name, limit=limit)
    if screen.json:
        screen.document({"history": [{"number": number, "run": run} for number, run in found]})
        return
    zone = screen.wiring.services().context.time_zone
    rows = [history_cells(number, run, zone) for number, run in found]
    screen.table(HISTORY_COLUMNS, rows)


def _cells(screen: Screen, job: JobReport) -> tuple[object, ...]:
    last, on = job.last, job.paused or job.stopped
    when = _local(screen, job.next_run)
    if on is not None:
        what = "paused" if job.paused else "read-only"
        when = f"{what} since {_local(screen, on.since)} by {on.by}: {on.comment}"
    if last is None:
        return job.name, job.words, when, None, None, None, None, None
    began = _local(screen, last.started_at)
    return job.name, job.words, when, began, last.state, last.node, _took(last), last.error


def _took(run: JobRun) -> str:
    return "" if run.seconds is None else f"{run.seconds:.1f} s"


def _local(screen: Screen, moment: datetime | None) -> str:
    if moment is None:
        return ""
    zone = screen.wiring.services().context.time_zone
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
