"""What a start says: where everything is, and the secrets that are shown once."""

from __future__ import annotations

import click

from provisioning.services.container import Services
from provisioning.services.context import Actor
from provisioning.services.demo import DEMO

ADMINISTRATOR = "admin@localhost"
IDENTITY_PROVIDER = "identity-provider"
"""The SCIM source the first start makes a token for."""


def greet(services: Services, *, public_url: str, database: str) -> None:
    """Say where to sign in, push and look; makes the first administrator if there is none.

    Args:
        services: The use cases.
        public_url: Where people reach it.
        database: Where everything is kept, without its password.
    """
    password = services.accounts.create_administrator(ADMINISTRATOR)
    say(f"\n  Sign in    {public_url}/admin   as {ADMINISTRATOR}")
    if password is not None:
        token = services.tokens.create(IDENTITY_PROVIDER, Actor("usher", "cli"))
        say(f"  Password   {password}   (once; you choose your own then)")
        say(f"  SCIM       {public_url}/scim/v2   token {token.secret}")
    else:
        say(f"  SCIM       {public_url}/scim/v2   (usher token create NAME)")
    say(f"  Data       {database}   settings: usher config show --origin")
    if services.mailer.keeps_letters:
        say(f"  Letters    are kept in {public_url}/admin/outbox; nobody is written to")
    elif kept := services.outbox.counts().get("kept"):
        say(f"  Letters    {kept:,} were only kept before; `usher invite --kept` sends them")
    if DEMO in services.sources:
        say("  Demo       40 people are loaded; `usher demo --clear` removes them")
    say("")


def say(line: str) -> None:
    """Print a line for whoever started us: on stderr, where logs go too."""
    click.echo(line, err=True)
