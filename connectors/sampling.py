"""A few of those who were read, while everyone passes by."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from provisioning.domain.people import RawPerson


def unseen(_: RawPerson) -> None:
    """Show people to nobody."""


def sampled(
    people: Iterable[RawPerson], size: int, see: Callable[[RawPerson], object]
) -> list[RawPerson]:
    """Show everyone to `see`; returns the first few."""
    sample: list[RawPerson] = []
    for raw in people:
        see(raw)
        if len(sample) < size:
            sample.append(raw)
    return sample
