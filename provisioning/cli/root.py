"""The `usher` command: every verb in one place."""

from __future__ import annotations

import sys
from typing import Any

import click

from provisioning.cli import (
    admins,
    brakes,
    departments,
    held,
    inbound,
    initial,
    jobs,
    mapping,
    matching,
    people,
    plans,
    seats,
    tokens,
    upkeep,
)
from provisioning.cli.output import Screen
from provisioning.cli.wiring import Wiring

USAGE = 64
"""What sysexits.h calls a wrong use of a command; click says 2."""


class UsherGroup(click.Group):
    """Ends with 64 where click would end with 2."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and translate click's own exit code for wrong usage."""
        kwargs["standalone_mode"] = False
        try:
            return super().main(*args, **kwargs)
        except click.UsageError as error:
            error.show()
            sys.exit(USAGE)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except click.Abort:
            click.echo("usher: stopped", err=True)
            sys.exit(1)


def create_cli(wiring: Wiring) -> click.Group:
    """Return the command over a composition.

    Args:
        wiring: What the composition root made; nothing of it is touched before a verb runs.
    """

    @click.group(cls=UsherGroup)
    @click.version_option(package_name="intranet-usher", prog_name="usher")
    @click.pass_context
    def usher(context: click.Context) -> None:
        """Connect a company's directory to its intranet."""
        context.obj = Screen(wiring)

    for verb in (
        upkeep.serve, upkeep.scheduler, upkeep.demo, upkeep.check, initial.init,
        upkeep.config,
        plans.plan, plans.plan_show, plans.apply, plans.approve, plans.reject, plans.undo,
        plans.sync, plans.release, plans.runs, held.held,
        people.people, people.person, people.invite, people.mismatches, seats.seats,
        seats.waitlist, departments.departments, inbound.inbound,
        mapping.mapping, matching.matches, matching.match,
        tokens.token, admins.admin, jobs.jobs, brakes.brake, upkeep.db,
    ):  # fmt: skip
        usher.add_command(verb)
    return usher
