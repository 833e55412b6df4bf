"""inbound: what identity providers asked, and what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.domain.errors import ConfigurationError
from provisioning.services.files import INBOUND_COLUMNS, inbound_cells
from provisioning.services.inbound_report import period


def _length(_context: click.Context, _option: click.Parameter, text: str | None) -> Any:
    """Turn 90s, 30m, 1h or 7d into a length of time."""
    try:
        return period(text) if text else None
    except ConfigurationError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--source", default="", help="Only of this source.")
@click.option("--failed", is_flag=True, help="Only what was refused or failed.")
@click.option("--since", callback=_length, help="Only of the last 90s, 30m, 1h or 7d.")
@click.option("--person", help="Only about this employee: number, id, user name, name, address.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, help="Requests at most.")
@command
@pass_screen
def inbound(
    screen: Screen,
    *,
    source: str,
    failed: bool,
    since: timedelta | None,
    person: str | None,
    limit: int,
) -> None:
    """List requests of identity providers, newest first, without their secrets."""
    services = screen.wiring.services()
    reports = services.inbound_reports
    found = reports.requests(
        source=source,
        failed=failed,
        person=services.reports.find(person) if person else None,
        since=services.context.now() - since if since else None,
        limit=limit,
    )
    dropped = reports.dropped()
    if screen.json:
        screen.document({"requests": list(found), "dropped": dropped})
        return
    screen.table(INBOUND_COLUMNS, [inbound_cells(row) for row in found])
    screen.say(f"{len(found):,} requests")
    if dropped:
        screen.say(f"{dropped:,} more could not be noted: more came than could be written.")
