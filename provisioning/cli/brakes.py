"""brake list, on, off: what an administrator stops by hand, at every door."""

from __future__ import annotations

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.cli.wiring import actor
from provisioning.domain.brakes import Brake

NAME = click.Choice([brake.value for brake in Brake])


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_context
def brake(context: click.Context, *, as_json: bool) -> None:
    """Stop all changes, all invitations or all dismissals, until you let go."""
    if context.invoked_subcommand is None:
        context.invoke(brake_list, as_json=as_json, quiet=False)


@brake.command("list")
@command
@pass_screen
def brake_list(screen: Screen) -> None:
    """List every brake: whether it is on, since when, by whom, and why."""
    services = screen.wiring.services()
    found, zone = services.switches.brakes(), services.context.time_zone
    if screen.json:
        screen.document({"brakes": list(found)})
        return
    rows = [
        (one.name.value, "off", "", "", one.sentence)
        if one.on is None
        else (
            *(one.name.value, f"on since {one.on.since.astimezone(zone):%Y-%m-%d %H:%M}"),
            *(one.on.by, one.on.comment, one.sentence),
        )
        for one in found
    ]
    screen.table(("brake", "is", "by", "because", "while it is on"), rows)


@brake.command("on")
@click.argument("name", type=NAME)
@click.option("--comment", required=True, help="Why; every page shows it.")
@command
@pass_screen
def brake_on(screen: Screen, name: str, *, comment: str) -> None:
    """Pull the brake NAME: from now on, in every process."""
    pulled = Brake(name)
    changed = screen.wiring.services().switches.pull(pulled, actor(), comment)
    if screen.json:
        screen.document({"brake": name, "on": True, "changed": changed})
    was = "is on" if changed else "was on before"
    screen.say(f"The brake {name} {was}: {pulled.sentence}.")


@brake.command("off")
@click.argument("name", type=NAME)
@click.option("--comment", default="", help="Why; it stays in the audit.")
@command
@pass_screen
def brake_off(screen: Screen, name: str, *, comment: str) -> None:
    """Let go of the brake NAME: what waited goes on by itself."""
    services = screen.wiring.services()
    changed = services.let_go(Brake(name), actor(), comment)
    if screen.json:
        screen.document({"brake": name, "on": False, "changed": changed})
    screen.say(f"The brake {name} is off." if changed else f"The brake {name} was not on.")
