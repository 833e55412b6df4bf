"""A few of those who were read, while everyone passes by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from provisioning.domain.people import RawPerson

HIDDEN = "(not shown)"

_SECRETS = frozenset(
    {
        "userpassword", "unicodepwd", "dbcspwd", "ntpwdhistory", "lmpwdhistory",
        "supplementalcredentials", "ms-mcs-admpwd", "mslaps-password", "mslaps-encryptedpassword",
        "sambantpassword", "sambalmpassword", "sambapasswordhistory", "pwdhistory",
        "passwordhistory", "krbprincipalkey", "userpkcs12",
    }
)  # fmt: skip
"""Attributes that hold passwords or keys, in whatever way; a mapping has no business with them."""


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
        name: (HIDDEN,) if name.lower() in _SECRETS else values
        for name, values in raw.attributes.items()
    }
    return replace(raw, attributes=shown)
