"""admin: the way back in for whoever lost the password."""

from __future__ import annotations

import click

from provisioning.cli.greeting import ADMINISTRATOR
from provisioning.cli.output import Screen, command, pass_screen
from provisioning.cli.wiring import actor


@click.group()
def admin() -> None:
    """Administrators."""


@admin.command("reset-password")
@click.argument("address", default=ADMINISTRATOR)
@command
@pass_screen
def reset_password(screen: Screen, address: str) -> None:
    """Give ADDRESS a new one-time password; its sessions end."""
    password = screen.wiring.services().accounts.reset_password(address, actor())
    if screen.json:
        screen.document({"address": address, "password": password})
        return
    click.echo(password)
    screen.say(f"For {address}, once: they choose their own when they sign in.")
