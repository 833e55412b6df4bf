"""inbound: what identity providers asked, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import chain, islice, repeat
from typing import Any

import click

from provisioning.cli.output import Screen, command, pass_screen, printable
from provisioning.domain.errors import ConfigurationError
from provisioning.services.files import INBOUND_COLUMNS, inbound_cells
from provisioning.services.inbound_following import InboundFollower
from provisioning.services.inbound_report import InboundRow, period

LISTED = 100
EVERY_SECONDS = 1.0
"""As often as the log is written."""


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
@click.option("--ignored", default="", help="Only what sent this attribute, which was ignored.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    help=f"Requests at most: {LISTED} without it, or until Ctrl-C with --follow.",
)
@click.option(
    "--follow",
    is_flag=True,
    help="Print requests as they come, oldest first, until Ctrl-C; with --json one on a line.",
)
@command
@pass_screen
def inbound(
    screen: Screen,
    *,
    source: str,
    failed: bool,
    since: timedelta | None,
    person: str | None,
    ignored: str,
    limit: int | None,
    follow: bool,
) -> None:
    """List requests of identity providers, newest first, without their secrets."""
    services = screen.wiring.services()
    chosen: dict[str, Any] = {
        "source": source,
        "failed": failed,
        "person": services.reports.find(person) if person else None,
        "ignored": ignored,
        "since": services.context.now() - since if since else None,
    }
    if follow:
        with suppress(KeyboardInterrupt):
            reports = services.inbound_reports
            _follow(screen, InboundFollower(services.context, reports, **chosen), limit)
        return
    found = services.inbound_reports.requests(**chosen, limit=limit or LISTED)
    dropped = services.inbound_reports.dropped()
    if screen.json:
        screen.document({"requests": list(found), "dropped": dropped})
        return
    screen.table(INBOUND_COLUMNS, [inbound_cells(row) for row in found])
    screen.say(f"{len(found):,} requests")
    if dropped:
        screen.say(f"{dropped:,} more could not be noted: more came than could be written.")


def _follow(screen: Screen, follower: InboundFollower, limit: int | None) -> None:
    screen.say("Waiting for requests; Ctrl-C ends.")
    coming = chain.from_iterable(follower.new() for _ in _beats())
    for row in islice(coming, limit):
        if screen.json:
            screen.line(row)
        else:
            screen.say(printable(_told(row)))


def _beats() -> Iterator[None]:
    """Yield at once, and then as often as the log is written."""
    yield
    for pause in repeat(EVERY_SECONDS):
        time.sleep(pause)
        yield


def _told(row: InboundRow) -> str:
    """Return a request as one line of a terminal."""
    cells = dict(zip(INBOUND_COLUMNS, inbound_cells(row), strict=True))
    if row.dropped:
        return f"{cells['at']}  {cells['outcome']}"
    line = "  ".join(
        (cells["at"], row.source or "-", f"{cells['status']} {cells['outcome']}", cells["request"])
    )
    more = filter(None, (cells["person"], cells["error"], cells["quirks"], f"{cells['ms']} ms"))
    return "  ".join((line, *more))
