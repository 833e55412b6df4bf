"""seats, seats stale, waitlist, waitlist move, remove, reset."""

from __future__ import annotations

from dataclasses import asdict

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.cli.wiring import actor


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_context
def seats(context: click.Context, *, as_json: bool) -> None:
    """Show the licence, and when it runs out; or look at stale invitations."""
    if context.invoked_subcommand is None:
        context.invoke(seats_show, as_json=as_json, quiet=False)


@seats.command("show")
@command
@pass_screen
def seats_show(screen: Screen) -> None:
    """Show the licence: taken, free, waiting, and when seats run out."""
    reports = screen.wiring.services().reports
    report, stale, outlook = reports.seats(), len(reports.stale()), reports.outlook()
    if screen.json:
        said = {"outlook": outlook.kind, "runs_out": outlook.day}
        screen.document({**asdict(report), "stale": stale, **said})
        return
    limit = "unlimited" if report.limit is None else f"{report.limit:,}"
    screen.say(
        f"{report.taken:,} of {limit} seats are taken: {report.active:,} active, "
        f"{report.invited:,} invited. {report.waiting:,} wait, {report.dismissed:,} are dismissed."
    )
    if report.over:
        screen.say(
            f"That is {report.over:,} over the limit: nobody is dismissed for it, and nobody new "
            "is invited until it fits."
        )
    if report.free == 0 and stale:
        screen.say(
            f"{stale:,} invitation(s) that nobody accepted for long hold seats: "
            "see `usher seats stale`."
        )
    if outlook.sentence:
        screen.say(outlook.sentence)


@seats.command("stale")
@click.option("--remove", is_flag=True, help="Remove them; their seats go to those who wait.")
@command
@pass_screen
def seats_stale(screen: Screen, *, remove: bool) -> None:
    """List invitations that nobody accepted for long; who joined is never among them."""
    services = screen.wiring.services()
    found = services.reports.stale()
    removed = services.remove_stale_invitations(actor()) if remove else 0
    if screen.json:
        screen.document({"stale": list(found), "removed": removed})
        return
    rows = [(row.number, row.display_name, row.address, f"{row.sent_at:%Y-%m-%d}") for row in found]
    screen.table(("number", "name", "invited at", "letter left"), rows)
    if remove:
        screen.say(f"{removed:,} removed. They wait, and can be invited again: usher invite KEY")
    elif found:
        screen.say("Free their seats: usher seats stale --remove")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_context
def waitlist(context: click.Context, *, as_json: bool) -> None:
    """Show who waits for a seat, or change the line."""
    if context.invoked_subcommand is None:
        context.invoke(waitlist_show, as_json=as_json, quiet=False)


@waitlist.command("show")
@command
@pass_screen
def waitlist_show(screen: Screen) -> None:
    """Show who waits, in the order in which seats are given."""
    found = screen.wiring.services().reports.waitlist()
    if screen.json:
        screen.document({"waitlist": list(found)})
        return
    rows = [
        (row.position or "-", row.number, row.display_name, row.reason, row.because)
        for row in found
    ]
    screen.table(("position", "number", "name", "reason", "because"), rows)


@waitlist.command("move")
@click.argument("key")
@click.option("--to", "position", type=click.IntRange(1, 2**31 - 1), required=True, help="From 1.")
@command
@pass_screen
def waitlist_move(screen: Screen, key: str, *, position: int) -> None:
    """Give the employee KEY another place in the line."""
    services = screen.wiring.services()
    place = services.line.move(services.reports.find(key), position, actor())
    if screen.json:
        screen.document({"position": place})
    screen.say(f"Place {place:,}. The order of the rules comes back with: usher waitlist reset")


@waitlist.command("remove")
@click.argument("key")
@click.option("--comment", required=True, help="Why; it stays with the person.")
@command
@pass_screen
def waitlist_remove(screen: Screen, key: str, *, comment: str) -> None:
    """Take the employee KEY out of the line; no seat is for them until you invite them."""
    services = screen.wiring.services()
    employee_id = services.reports.find(key)
    services.line.take_out(employee_id, actor(), comment)
    report = services.person(employee_id)
    if screen.json:
        screen.document({"name": report.display_name, "state": report.state, "why": report.why})
    screen.say(f"{report.display_name} ({report.number}) is {report.why}")


@waitlist.command("reset")
@command
@pass_screen
def waitlist_reset(screen: Screen) -> None:
    """Forget every place that was given by hand: the rules order the line again."""
    placed = screen.wiring.services().line.forget_places(actor())
    if screen.json:
        screen.document({"placed": placed})
    screen.say(f"{placed:,} place(s) given by hand are forgotten.")
