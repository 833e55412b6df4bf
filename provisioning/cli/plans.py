"""plan, plan-show, apply, approve, reject, sync, release, runs."""

from __future__ import annotations

import click

from provisioning.cli.on_demand import end_by_trace, show_trace
from provisioning.cli.output import CHANGES, HELD, Screen, command, pass_screen
from provisioning.cli.showing_plans import show_drifted, show_plan
from provisioning.cli.wiring import actor
from provisioning.domain.actions import ActionKind
from provisioning.services.action_rows import ActionRow
from provisioning.services.run_reports import PlanReport

PARTIAL = 4
RUN = click.IntRange(1, 2**53 - 1)


def _said(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Refuse a reason that says nothing."""
    if not value.strip():
        raise click.BadParameter("say why: it stays with the run")
    return value.strip()


@click.command()
@click.argument("source")
@click.option("--person", help="Only this one, with every step: id, DN, user name, mail, number.")
@click.option("--detailed-exitcode", is_flag=True, help="0 nothing to do, 1 error, 2 changes.")
@command
@pass_screen
def plan(screen: Screen, source: str, *, person: str | None, detailed_exitcode: bool) -> None:
    """Read SOURCE and show what would happen; nothing is changed."""
    services = screen.wiring.services()
    if person is not None:
        trace = services.on_demand.trace(source, person, actor())
        show_trace(screen, trace)
        if detailed_exitcode and trace.does_something:
            raise SystemExit(CHANGES)
        end_by_trace(trace)
        return
    report = services.run_reports.plan(services.runs.plan(source, actor()))
    show_plan(screen, report)
    if not screen.json:
        todo = _next(report) if report.actions else "There is nothing to do."
        screen.say(f"Nothing has been changed.   {todo}")
    if detailed_exitcode and report.actions:
        raise SystemExit(CHANGES)
    if report.held:
        raise SystemExit(HELD)


@click.command("plan-show")
@click.argument("run", type=RUN)
@click.option("--kind", type=click.Choice([kind.value for kind in ActionKind]), help="Only these.")
@click.option("--held", "only_held", is_flag=True, help="Only what waits for approval.")
@command
@pass_screen
def plan_show(screen: Screen, run: int, *, kind: str | None, only_held: bool) -> None:
    """Show every action of RUN with its reason."""
    wanted = ActionKind(kind) if kind else None
    report = screen.wiring.services().run_reports.plan(run, kind=wanted, only_held=only_held)
    show_plan(screen, report)
    if screen.json:
        return
    rows = [
        (a.action, a.person, a.because, a.held or "", a.status, _changes(a)) for a in report.actions
    ]
    screen.table(("action", "person", "because", "held", "status", "changes"), rows)
    for one in report.actions:
        if one.left_behind and str(one.left_behind):
            screen.say(f"{one.person} leaves behind: {one.left_behind}")
    screen.say(f"Digest {report.digest}", _next(report) if report.actions else "")


@click.command()
@click.argument("run", type=RUN)
@command
@pass_screen
def apply(screen: Screen, run: int) -> None:
    """Plan afresh and do what RUN and the fresh plan have in common."""
    services = screen.wiring.services()
    services.runs.apply(run, actor(), screen.progress("applying"))
    _ended(screen, run)


@click.command()
@click.argument("run", type=RUN)
@click.option("--comment", required=True, callback=_said, help="Why; it stays with the run.")
@click.option("--digest", help="Approve only the plan with this digest.")
@command
@pass_screen
def approve(screen: Screen, run: int, *, comment: str, digest: str | None) -> None:
    """Approve what RUN holds, and apply it."""
    services = screen.wiring.services()
    progress = screen.progress("applying")
    services.runs.approve(run, actor(), digest=digest, comment=comment, progress=progress)
    _ended(screen, run)


@click.command()
@click.argument("run", type=RUN)
@click.option("--comment", required=True, callback=_said, help="Why; it stays with the run.")
@command
@pass_screen
def reject(screen: Screen, run: int, *, comment: str) -> None:
    """Refuse what RUN has not done."""
    services = screen.wiring.services()
    services.runs.reject(run, actor(), comment)
    show_plan(screen, services.run_reports.plan(run))


@click.command()
@click.argument("run", type=RUN)
@click.option("--apply", "at_once", is_flag=True, help="Apply the plan too, except what is held.")
@command
@pass_screen
def undo(screen: Screen, run: int, *, at_once: bool) -> None:
    """Plan what takes RUN back, for 30 days after it; nothing is changed without --apply."""
    services = screen.wiring.services()
    made = services.undoing.plan(run, actor())
    report = services.run_reports.plan(made)
    if at_once and any(report.counts.values()):
        services.runs.apply(made, actor(), screen.progress("applying"))
        _ended(screen, made)
        return
    show_plan(screen, report)
    show_drifted(screen, report)
    if not screen.json:
        todo = _next(report) if any(report.counts.values()) else "There is nothing to take back."
        screen.say(f"Nothing has been changed.   {todo}")
    if report.held:
        raise SystemExit(HELD)


@click.command()
@click.argument("source")
@click.option("--dry-run", is_flag=True, help="Plan only.")
@click.option("--person", help="Only this one, with every step: id, DN, user name, mail, number.")
@command
@pass_screen
def sync(screen: Screen, source: str, *, dry_run: bool, person: str | None) -> None:
    """Read SOURCE and apply what no guard holds."""
    services = screen.wiring.services()
    if person is not None:
        alone = services.on_demand
        trace = (alone.trace if dry_run else alone.run)(source, person, actor())
        show_trace(screen, trace)
        end_by_trace(trace)
    elif dry_run:
        _ended(screen, services.runs.plan(source, actor()), planned_only=True)
    else:
        _ended(screen, services.runs.sync(source, actor(), screen.progress("applying")))


@click.command()
@click.argument("source")
@command
@pass_screen
def release(screen: Screen, source: str) -> None:
    """Let the first letters of SOURCE leave, after their grace."""
    letters = screen.wiring.services().invitations.release(source, actor())
    if screen.json:
        screen.document({"source": source, "letters": letters})
    screen.say(
        f"{source} is released: its runs may be applied, and {letters} letter(s) that were held "
        "leave after the grace."
    )


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True)
@click.option("--source", help="Only of this source.")
@command
@pass_screen
def runs(screen: Screen, *, limit: int, source: str | None) -> None:
    """List the latest runs, newest first."""
    found = screen.wiring.services().run_reports.runs(limit=limit, source=source)
    if screen.json:
        screen.document({"runs": list(found)})
        return
    rows = [
        (
            row.run, row.source, row.state, f"{row.started_at:%Y-%m-%d %H:%M}", row.read,
            ", ".join(f"{kind} {n}" for kind, n in row.counts.items() if n), row.held or "",
            row.error or (f"usher plan-show {row.run} --held" if row.state == "held" else ""),
        )
        for row in found
    ]  # fmt: skip
    screen.table(("run", "source", "state", "started (UTC)", "read", "plan", "held", "why"), rows)
    for one in screen.wiring.services().connections():
        if one.quarantined_until and source in (None, one.name):
            screen.say(
                f"{one.name} is in quarantine until {one.quarantined_until:%Y-%m-%d %H:%M} UTC "
                f"after {one.failures} failures; `usher sync {one.name}` reads it now."
            )


def _ended(screen: Screen, run: int, *, planned_only: bool = False) -> None:
    """Show how a run ended, and say so by the exit code."""
    report = screen.wiring.services().run_reports.plan(run)
    show_plan(screen, report)
    show_drifted(screen, report)
    failed = [action for action in report.actions if action.error and action.status == "failed"]
    for action in failed:
        screen.say(f"  failed: {action.person}: {action.error}")
    if planned_only:
        screen.say("Nothing has been changed.")
    elif report.undone or report.rules_changed:
        why, what = (
            f"the mapping or the scope of {report.source} is another than in the last run (R8)",
            "the difference",
        )
        if report.undone:
            why = (
                f"run {report.undone} was undone, and this plan would do again what was taken "
                "back (D8)"
            )
            what = "it"
        decide = "approve" if report.held else "apply"
        screen.say(
            f"Nothing has been changed: {why}.",
            f"Look at {what} with `usher plan-show {run}`, then `usher {decide} {run}`.",
        )
        raise SystemExit(HELD)
    elif report.state == "ready" and not report.undoes:
        screen.say(
            f"Nothing has been changed: the first run of {report.source} waits for its release.",
            f"Look at `usher plan-show {run}`, then `usher release {report.source}`.",
        )
        raise SystemExit(HELD)
    if report.state == "held":
        screen.say(
            f'See who: usher plan-show {run} --held   Approve: usher approve {run} --comment "..."'
        )
        raise SystemExit(HELD)
    if report.state == "partial":
        raise SystemExit(PARTIAL)


def _next(report: PlanReport) -> str:
    """Return what can be done with a plan, if anything can."""
    following = {
        "ready": f"Next: usher apply {report.run}",
        "held": f"Next: usher approve {report.run} --comment WHY",
    }
    return following.get(report.state, "")


def _changes(action: ActionRow) -> str:
    return ", ".join(
        f"{change['field']}: {change['old'] or '-'} -> {change['new'] or '-'}"
        for change in action.changes
    )
