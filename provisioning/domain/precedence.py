"""Several sources on one employee: whose word counts, attribute by attribute (P6).

the source     the others say          it says now          ->  the employee has
-------------  ----------------------  -------------------  --  ----------------------------
authoritative  anything                a value                  its value
authoritative  a value                 nothing                  theirs, authoritative first
not            a value, authoritative  a value                  theirs
not            nothing                 a value                  its value
any            nothing                 nothing any more         nothing
any            nothing                 nothing, as before       what was there: it is not ours
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from provisioning.domain.people import Person

OWNED = ("display_name", "department", "title", "mailbox", "starts_at")
"""Attributes of an employee that sources fill; the login and the contact e-mail are not (E2)."""


def settled(
    person: Person,
    withdrawn: Collection[str],
    others: Sequence[tuple[bool, Person]],
    *,
    authoritative: bool,
) -> dict[str, Any]:
    """Return what a source's word makes of the attributes it may change, by the table above.

    Args:
        person: What the source says now.
        withdrawn: Attributes it said something of before, and says nothing of now.
        others: Who else vouches, in a fixed order: whether that is authoritative, and what it says.
        authoritative: Whether the source is.
    """
    above = [said for leads, said in others if leads]
    below = [said for leads, said in others if not leads]
    ranked = [person, *above, *below] if authoritative else [*above, person, *below]
    values: dict[str, Any] = {}
    for name in OWNED:
        value = next((v for said in ranked if (v := getattr(said, name)) is not None), None)
        if value is not None or name in withdrawn:
            values[name] = value
    return values
