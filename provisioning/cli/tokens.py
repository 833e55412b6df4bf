"""token: what identity providers prove themselves with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.cli.wiring import actor
from provisioning.services.tokens import (
    DEFAULT_SCOPES,
    LIFETIME,
    LONGEST,
    OVERLAP,
    SCOPES,
    NewToken,
)
from provisioning.storage.models.runs import TokenKind, TokenRecord


@click.group()
def token() -> None:
    """Tokens and OAuth clients of SCIM sources."""


@token.command("create")
@click.argument("source")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    help=f"What it may do; repeat it for several. Without it: {', '.join(DEFAULT_SCOPES)}.",
)
@click.option(
    "--expires",
    "days",
    type=click.IntRange(1, LONGEST.days),
    metavar="DAYS",
    default=LIFETIME.days,
    help=f"Days it is good for; {LIFETIME.days} without it.",
)
@click.option("--note", default="", help="What to remember of it.")
@click.option("--client", is_flag=True, help="An OAuth client, which fetches access tokens.")
@click.option("--first-run", type=click.Choice(["plan", "apply"]), help="apply needs no release.")
@command
@pass_screen
def create(
    screen: Screen,
    *,
    source: str,
    scopes: tuple[str, ...],
    days: int,
    note: str,
    client: bool,
    first_run: str | None,
) -> None:
    """Make a token for SOURCE, which is made if it is new, and show it once.

    A source may have several: make the new one, give it to the provider, revoke the old one.
    """
    made = screen.wiring.services().tokens.create(
        source,
        actor(),
        first_run=first_run,
        scopes=scopes or DEFAULT_SCOPES,
        lifetime=timedelta(days=days),
        note=note,
        client=client,
    )
    _show(screen, made)


@token.command("list")
@command
@pass_screen
def list_(screen: Screen) -> None:
    """List tokens and clients, without their secrets."""
    found = screen.wiring.services().tokens.list()
    if screen.json:
        screen.document({"tokens": [_plain(token, source) for token, source in found]})
        return
    columns = ("id", "source", "kind", "scopes", "expires", "last used", "last rejected", "state")
    rows = [
        (
            token.id,
            source,
            token.kind.value,
            token.scopes,
            f"{token.expires_at:%Y-%m-%d}",
            _at(token.last_used_at, token.last_used_from),
            _at(token.last_rejected_at, token.last_rejected_from, token.last_rejected),
            _state(token),
        )
        for token, source in found
    ]
    screen.table(columns, rows)


@token.command("rotate")
@click.argument("token_id")
@click.option(
    "--overlap",
    "hours",
    type=click.IntRange(0, 24 * 90),
    metavar="HOURS",
    default=OVERLAP // timedelta(hours=1),
    help=f"Hours the old one goes on; {OVERLAP // timedelta(hours=1)} without it.",
)
@command
@pass_screen
def rotate(screen: Screen, *, token_id: str, hours: int) -> None:
    """Make a new token in place of TOKEN_ID, which ends after the overlap, and show it once."""
    overlap = timedelta(hours=hours)
    made = screen.wiring.services().tokens.rotate(token_id, actor(), overlap=overlap)
    _show(screen, made)
    screen.say(f"{token_id} {f'goes on for {hours} hours' if hours else 'is over'}.")


@token.command("revoke")
@click.argument("token_id")
@command
@pass_screen
def revoke(screen: Screen, token_id: str) -> None:
    """Make the token TOKEN_ID worthless from the next request on; a client's access with it."""
    screen.wiring.services().tokens.revoke(token_id, actor())
    if screen.json:
        screen.document({"revoked": token_id})
    screen.say(f"Token {token_id} is revoked.")


def _show(screen: Screen, made: NewToken) -> None:
    client = made.kind is TokenKind.CLIENT
    if screen.json:
        screen.document(
            {
                "id": made.id,
                "client_secret" if client else "token": made.secret,
                "source": made.source,
                "scopes": made.scopes,
                "expires_at": made.expires_at,
            }
        )
        return
    if client:
        screen.say(f"Client id {made.id}; its secret:")
    click.echo(made.secret)
    screen.say(f"For {made.source}, until {made.expires_at:%Y-%m-%d}. It is not shown again.")


def _plain(token: TokenRecord, source: str) -> dict[str, Any]:
    return {
        "id": token.id,
        "source": source,
        "kind": token.kind.value,
        "scopes": token.scopes.split(),
        "note": token.note,
        "created": token.created_at,
        "created_by": token.created_by,
        "expires": token.expires_at,
        "replaced_by": token.replaced_by,
        "last_used": token.last_used_at,
        "last_used_from": token.last_used_from,
        "last_rejected": token.last_rejected_at,
        "last_rejected_from": token.last_rejected_from,
        "last_rejected_because": token.last_rejected,
        "revoked": token.revoked_at,
    }


def _at(moment: Any, address: str | None, why: str | None = None) -> str:
    if moment is None:
        return ""
    return " ".join(filter(None, (f"{moment:%Y-%m-%d %H:%M}", address, why and f"({why})")))


def _state(token: TokenRecord) -> str:
    if token.revoked_at is not None:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    return f"replaced by {token.replaced_by}" if token.replaced_by else ""
