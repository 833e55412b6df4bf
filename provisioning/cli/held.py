"""held list, approve, reject: what SCIM asked for and a guard stopped."""

from __future__ import annotations

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.cli.wiring import actor
from provisioning.domain.actions import HoldReason
from provisioning.services.files import HELD_COLUMNS, held_cells
from provisioning.services.holding import RULES
from provisioning.services.holds import Decided

STILL_HELD = 3
REASON = click.Choice([reason.value for reason in RULES])


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_context
def held(context: click.Context, *, as_json: bool) -> None:
    """List effects of SCIM requests that wait for approval, or decide about them."""
    if context.invoked_subcommand is None:
        context.invoke(held_list, as_json=as_json, quiet=False, source=None, reason=None)


@held.command("list")
@click.option("--source", help="Only of this source.")
@click.option("--reason", type=REASON, help="Only for this reason.")
@command
@pass_screen
def held_list(screen: Screen, *, source: str | None, reason: str | None) -> None:
    """List everybody of whom something is held, with the reason."""
    reports = screen.wiring.services().hold_reports
    rows = reports.held(source=source, reason=HoldReason(reason) if reason else None)
    groups = reports.groups()
    if screen.json:
        screen.document({"held": list(rows), "groups": list(groups)})
        return
    screen.table(HELD_COLUMNS, [held_cells(row) for row in rows])
    for group in groups:
        sentence = f"{group.source}: {group.held:,} held, {group.held_because}. {group.budget}"
        screen.say(sentence.rstrip())
    if not groups:
        screen.say("Nothing is held.")


@held.command("approve")
@click.argument("number", type=click.IntRange(1))
@click.option("--comment", required=True, help="Why; it stays with the person.")
@command
@pass_screen
def held_approve(screen: Screen, number: int, *, comment: str) -> None:
    """Do now what is held under NUMBER, if it is still true."""
    end = screen.wiring.services().holds.approve(number, actor(), comment)
    if screen.json:
        screen.document({"held": number, "end": end.value})
    screen.say(f"What was held under {number} is {end.value}.")


@held.command("reject")
@click.argument("number", type=click.IntRange(1))
@click.option("--comment", required=True, help="Why; it stays with the person.")
@command
@pass_screen
def held_reject(screen: Screen, number: int, *, comment: str) -> None:
    """Refuse what is held under NUMBER: the resource goes back to what is in effect."""
    screen.wiring.services().holds.reject(number, actor(), comment)
    if screen.json:
        screen.document({"held": number, "end": "rejected"})
    screen.say(f"What was held under {number} is rejected; nothing was changed for the person.")


@held.command("approve-all")
@click.argument("source")
@click.option("--reason", type=REASON, default="breaker", show_default=True)
@click.option("--number", required=True, type=click.IntRange(1), help="How many are held.")
@click.option("--comment", required=True, help="Why; it stays with the people.")
@command
@pass_screen
def held_approve_all(
    screen: Screen, source: str, *, reason: str, number: int, comment: str
) -> None:
    """Do everything held of SOURCE for one reason; this releases its breaker."""
    holds = screen.wiring.services().holds
    _decided(screen, holds.approve_all(source, HoldReason(reason), number, actor(), comment))


@held.command("reject-all")
@click.argument("source")
@click.option("--reason", type=REASON, default="breaker", show_default=True)
@click.option("--number", required=True, type=click.IntRange(1), help="How many are held.")
@click.option("--comment", required=True, help="Why; it stays with the people.")
@command
@pass_screen
def held_reject_all(screen: Screen, source: str, *, reason: str, number: int, comment: str) -> None:
    """Refuse everything held of SOURCE for one reason."""
    holds = screen.wiring.services().holds
    _decided(screen, holds.reject_all(source, HoldReason(reason), number, actor(), comment))


def _decided(screen: Screen, decided: Decided) -> None:
    if screen.json:
        screen.document(decided)
    screen.say(f"{decided.done:,} decided.", *(f"  still held: {why}" for why in decided.left))
    if decided.left:
        raise SystemExit(STILL_HELD)
