"""Which attributes a client sends that no schema here has: they are ignored, and that is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from provisioning.scim.bodies import named
from provisioning.scim.urns import CORE, GROUP

MAX_NAMES = 50
"""Names kept of one request."""

MAX_ENTRIES = 100
"""Operations, and entries of one attribute, that are looked at: the others are like them."""

_COMMON = frozenset({"schemas", "id", "externalid", "meta"})
"""What every resource may carry (RFC 7643 3.1)."""

_COMMON_OF_USERS = _COMMON | {"groups", "manager"}
"""And a user's read-only groups, and the manager, whose extension some leave away."""

_PATH = re.compile(
    r"^(?:(urn:.+):)?([^:.\[]+)(?:\[.*\])?(?:\.([^.\[]+))?$", re.IGNORECASE | re.DOTALL
)

_PLACE = re.compile(r"^/?(users|groups|bulk)(?:/(?!\.search)[^/]*)?/?$", re.IGNORECASE)
_BULK = re.compile(r"^/?bulk", re.IGNORECASE)
CORES = {"users": CORE, "groups": GROUP}

_LONGEST_PATH = 200
"""Characters of a path whose meaning is remembered."""


class _Meaning(NamedTuple):
    """What a path stands for."""

    name: str
    """How it is called here, or would be."""

    is_known: bool
    subs: frozenset[str] = frozenset()
    """Parts its value may have; none means that they are not looked at."""

    is_schema: bool = False
    """Whether its value is a whole extension, whose attributes are looked at one by one."""


class KnownAttributes:
    """What /Schemas says there is, ready to be looked up."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        """Read the schemas by their URNs."""
        self._schemas = {
            urn.lower(): {
                attribute["name"].lower(): frozenset(
                    sub["name"].lower() for sub in attribute.get("subAttributes") or ()
                )
                for attribute in document["attributes"]
            }
            for urn, document in schemas.items()
        }
        self._remembered = lru_cache(maxsize=1_024)(self._read)

    def meaning(self, path: str, core: str) -> _Meaning:
        """Return what a path means; the same few come with every request.

        Args:
            path: An attribute path of RFC 7644 3.10.
            core: The schema it belongs to if it names none.
        """
        return (self._remembered if len(path) <= _LONGEST_PATH else self._read)(path, core)

    def _read(self, path: str, core: str) -> _Meaning:
        if path.lower() in self._schemas:
            return _Meaning(path, is_known=True, is_schema=True)
        parts = _PATH.match(path)
        if parts is None:
            return _Meaning(path, is_known=False)
        urn, name, sub = parts[1], parts[2], parts[3]
        if urn is None and name.lower() in (_COMMON_OF_USERS if core == CORE else _COMMON):
            return _Meaning(name, is_known=True)
        subs = self._schemas.get((urn or core).lower(), {}).get(name.lower())
        if subs is None:
            return _Meaning(f"{urn}:{name}" if urn else name, is_known=False)
        if sub is None:
            return _Meaning(name, is_known=True, subs=subs)
        return _Meaning(f"{name}.{sub}", is_known=sub.lower() in subs)


def unknown_names(path: str, payload: Any, known: KnownAttributes) -> tuple[str, ...]:
    """Return the names in what is posted, put or patched that mean nothing here.

    Args:
        path: Where it is sent, as in /Users/ID; /Bulk has operations with paths of their own.
        payload: The body as it came.
        known: What there is.
    """
    if not isinstance(payload, dict):
        return ()
    operations, place = named(payload, "operations"), _PLACE.match(path)
    if place is None:
        return ()
    if place[1].lower() == "bulk":
        found = [
            name
            for operation in (operations if isinstance(operations, list) else [])[:MAX_ENTRIES]
            if isinstance(operation, dict) and not _BULK.match(str(named(operation, "path")))
            for name in unknown_names(
                str(named(operation, "path")), named(operation, "data"), known
            )
        ]
        return tuple(dict.fromkeys(found))[:MAX_NAMES]
    core = CORES[place[1].lower()]
    if not isinstance(operations, list):
        found = list(_of_members(payload, known, core))
    else:
        found = [
            name
            for operation in operations[:MAX_ENTRIES]
            if isinstance(operation, dict)
            for name in _of_operation(operation, known, core)
        ]
    return tuple(dict.fromkeys(found))[:MAX_NAMES]


def _of_operation(operation: dict[str, Any], known: KnownAttributes, core: str) -> Iterator[str]:
    path, value = named(operation, "path"), named(operation, "value")
    if isinstance(path, str) and path:
        yield from _of_member(path.strip(), value, known, core)
    elif isinstance(value, dict):
        yield from _of_members(value, known, core)


def _of_members(members: dict[str, Any], known: KnownAttributes, core: str) -> Iterator[str]:
    for name, value in members.items():
        yield from _of_member(name, value, known, core)


def _of_member(path: str, value: Any, known: KnownAttributes, core: str) -> Iterator[str]:
    """Yield what is unknown of one attribute: itself, or parts of its value."""
    meaning = known.meaning(path, core)
    if not meaning.is_known:
        yield from _unknown(meaning.name, value)
    elif meaning.is_schema and isinstance(value, dict):
        for name, inner in value.items():
            yield from _of_member(f"{path}:{name}", inner, known, core)
    elif meaning.subs:
        yield from _unknown_parts(meaning.name, value, meaning.subs)


def _unknown(name: str, value: Any) -> Iterator[str]:
    """Yield an unknown attribute; of a foreign extension, what is in it."""
    if name.lower().startswith("urn:") and isinstance(value, dict) and value:
        yield from (f"{name}:{inner}" for inner in value)
    else:
        yield name


def _unknown_parts(name: str, value: Any, subs: frozenset[str]) -> Iterator[str]:
    for entry in value[:MAX_ENTRIES] if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            yield from (f"{name}.{part}" for part in entry if part.lower() not in subs)
