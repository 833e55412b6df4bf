"""Only, or without, some attributes of an answer (RFC 7644 3.9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from provisioning.scim.asking import Asked
from provisioning.scim.urns import CORE, GROUP

_ALWAYS = ("schemas", "id")
_CORES = tuple(f"{urn}:".lower() for urn in (CORE, GROUP))


@dataclass(frozen=True, slots=True)
class Projection:
    """Which attributes of a resource are answered."""

    wanted: Sequence[str]
    unwanted: Sequence[str]

    @classmethod
    def of(cls, asked: Asked) -> Self:
        """Return what a request asks for."""
        return cls(asked.names("attributes"), asked.names("excludedAttributes"))

    def shows(self, name: str) -> bool:
        """Whether a multi-valued attribute that costs a query of its own has to be looked up."""
        if self.wanted:
            return any(_bare(path).partition(".")[0] == name for path in self.wanted)
        return all(_bare(path) != name for path in self.unwanted)

    def asks_for(self, urn: str) -> bool:
        """Whether `attributes` names an extension or something of it."""
        return any(path.lower().startswith(urn.lower()) for path in self.wanted)

    def of_document(self, document: bytes) -> bytes:
        """Return a rendered document with only, or without, some attributes."""
        return _projected(document, self.wanted, self.unwanted)


def _bare(path: str) -> str:
    """Return a path folded, without the URN of a core schema."""
    path = path.lower()
    return next((path[len(urn) :] for urn in _CORES if path.startswith(urn)), path)


def _projected(document: bytes, wanted: Sequence[str], unwanted: Sequence[str]) -> bytes:
    if not wanted and not unwanted:
        return document
    full: dict[str, Any] = orjson.loads(document)
    if wanted:
        kept = {name: full[name] for name in _ALWAYS if name in full}
        for path in wanted:
            _keep(full, kept, path)
        filled = {name: _filled(value) for name, value in kept.items()}
        return orjson.dumps(
            {name: value for name, value in filled.items() if value not in ({}, [])}
        )
    for path in unwanted:
        _drop(full, path)
    return orjson.dumps(full)


def _keep(full: dict[str, Any], kept: dict[str, Any], path: str) -> None:
    name, inner = _resolve(full, path)
    if name is None:
        return
    value = full[name]
    if not inner:
        kept[name] = value
    elif isinstance(value, dict):
        _keep_part(value, kept.setdefault(name, {}), inner)
    elif isinstance(value, list):
        parts = kept.setdefault(name, [{} for _ in value])
        for whole, part in zip(value, parts, strict=True):
            _keep_part(whole, part, inner)


def _keep_part(whole: Any, part: dict[str, Any], name: str) -> None:
    found = _spelled(whole, name) if isinstance(whole, dict) else None
    if found is not None:
        part[found] = whole[found]


def _filled(value: Any) -> Any:
    """Leave out entries of which nothing was wanted."""
    return [part for part in value if part != {}] if isinstance(value, list) else value


def _drop(full: dict[str, Any], path: str) -> None:
    name, inner = _resolve(full, path)
    if name is None or name in _ALWAYS:
        return
    if not inner:
        del full[name]
        return
    for part in _parts(full[name]):
        found = _spelled(part, inner)
        if found is not None:
            del part[found]


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects with sub-attributes: the value itself, or each of its entries."""
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict):
            yield part


def _resolve(full: dict[str, Any], path: str) -> tuple[str | None, str]:
    """Return the top-level name and the sub-attribute a path means, in the document's spelling."""
    for urn in (key for key in full if key.startswith("urn:")):
        if path.lower().startswith(urn.lower()):
            return _spelled(full, urn), path[len(urn) + 1 :]
    head, _, inner = path[len(path) - len(_bare(path)) :].partition(".")
    return _spelled(full, head), inner


def _spelled(container: dict[str, Any], name: str) -> str | None:
    return next((key for key in container if key.lower() == name.lower()), None)
