"""departments."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.services.department_tree import Unit


@click.command()
@command
@pass_screen
def departments(screen: Screen) -> None:
    """Show departments as a tree: those people have, and groups that are pushed; then teams."""
    units = screen.wiring.services().departments.tree()
    if screen.json:
        screen.document({"departments": units})
        return
    depths = _depths(units)
    rows = [
        (
            "  " * depths[unit.id] + unit.name,
            "department" if unit.is_department else "team",
            unit.people,
            unit.source,
        )
        for unit in units
    ]
    screen.table(("name", "is a", "people", "source"), rows)
    pushed = [unit for unit in units if unit.is_pushed]
    if pushed and not any(unit.is_department for unit in pushed):
        screen.say("people.department_groups says which groups are departments; none is yet.")


def _depths(units: Sequence[Unit]) -> dict[UUID, int]:
    """Return how far down each one is; the one above always comes first."""
    depths: dict[UUID, int] = {}
    for unit in units:
        depths[unit.id] = 0 if unit.parent is None else depths[unit.parent] + 1
    return depths
