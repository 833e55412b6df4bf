"""A few of those who were read, while everyone passes by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from provisioning.domain.people import RawPerson
from provisioning.domain.rules import holds_secrets

HIDDEN = "(not shown)"


def unseen(_: RawPerson) -> None:
    """Show people to nobody."""


def sampled(
    people: Iterable[RawPerson], size: int, see: Callable[[RawPerson], object]
) -> list[RawPerson]:
    """Show everyone to `see`; returns the first few, without passwords and keys."""
    sample: list[RawPerson] = []
    for raw in people:
        see(raw)
        if len(sample) < size:
            sample.append(_without_secrets(raw))
    return sample


def _without_secrets(raw: RawPerson) -> RawPerson:
    shown = {
        name: (HIDDEN,) if holds_secrets(name) else values
        for name, values in raw.attributes.items()
    }
    return replace(raw, attributes=shown)
