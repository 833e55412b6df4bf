"""Departments as texts: a path from the top, "Sales / Berlin".

a rule for `department` gives  is
-----------------------------  --------------------------------------------------------------
an attribute of the directory  its first value: values of an attribute have no order
`ou_path`, or an expression    every value, from the top
one value                      itself; it may be a path already
"""

from __future__ import annotations

from collections.abc import Sequence

SEPARATOR = " / "


def department_of(path: Sequence[str]) -> str:
    """Return the text of a path; a name may hold a slash, but not ` / `.

    >>> department_of(["Sales", "Berlin / Mitte"])
    'Sales / Berlin/Mitte'
    """
    return SEPARATOR.join(name.replace(SEPARATOR, "/") for name in path)


def path_of(department: str) -> tuple[str, ...]:
    """Return the names of a department's path, from the top.

    >>> path_of("Sales / Berlin")
    ('Sales', 'Berlin')
    """
    return tuple(name for part in department.split(SEPARATOR) if (name := part.strip()))
