"""References between the operations of a bulk request: `bulkId:...` (RFC 7644 3.7.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from provisioning.scim.errors import ScimError

PREFIX = "bulkId:"
_GONE: Any = object()


class Referring(Protocol):
    """An operation that may create something, and may refer to what others create."""

    @property
    def method(self) -> str:
        """What it does."""

    @property
    def bulk_id(self) -> str | None:
        """How others refer to what it creates."""

    @property
    def path(self) -> str:
        """What it does it to."""

    @property
    def data(self) -> Any:
        """What it says."""


def in_order(operations: Sequence[Referring]) -> Iterator[int]:
    """Yield positions so that a creation comes before whatever refers to it.

    Otherwise the client's order stays; of a circle the last one named comes first.
    """
    creations: dict[str, int] = {}
    for index, operation in enumerate(operations):
        if operation.method == "POST" and operation.bulk_id:
            creations.setdefault(operation.bulk_id, index)
    entered: set[int] = set()
    done: set[int] = set()
    waiting = list(reversed(range(len(operations))))
    while waiting:
        index = waiting[-1]
        if index not in entered:
            entered.add(index)
            names = _references([operations[index].path, operations[index].data])
            needed = [creations[name] for name in names if name in creations]
            waiting.extend(each for each in reversed(needed) if each not in entered)
            continue
        waiting.pop()
        if index not in done:
            done.add(index)
            yield index


def resolved(value: Any, created: Mapping[str, str]) -> Any:
    """Return a value with every reference replaced by the id of what was created.

    Raises:
        ScimError: 409: a reference leads to nothing, or to what could not be created.
    """
    if isinstance(value, str):
        return (
            "/".join(_id_of(part, created) for part in value.split("/"))
            if PREFIX in value
            else value
        )
    if isinstance(value, list):
        return [resolved(each, created) for each in value]
    if isinstance(value, dict):
        return {key: resolved(each, created) for key, each in value.items()}
    return value


def without(data: dict[str, Any], names: Collection[str]) -> tuple[dict[str, Any], bool]:
    """Return data without what refers to some names, and whether anything was left out.

    A member or a manager goes as a whole; nothing is left of it that could be stored.
    """
    kept = {key: _pruned(value, names) for key, value in data.items()}
    kept = {key: value for key, value in kept.items() if value is not _GONE}
    return kept, kept != data


def _pruned(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, str):
        return _GONE if value.removeprefix(PREFIX) in names and value.startswith(PREFIX) else value
    if isinstance(value, list):
        return [each for each in (_pruned(each, names) for each in value) if each is not _GONE]
    if isinstance(value, dict):
        parts = {key: _pruned(each, names) for key, each in value.items()}
        if _GONE in parts.values() and not any(isinstance(part, dict) for part in parts.values()):
            return _GONE
        return {key: part for key, part in parts.items() if part is not _GONE}
    return value


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (
            part.removeprefix(PREFIX) for part in value.split("/") if part.startswith(PREFIX)
        )
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _references(each)


def _id_of(part: str, created: Mapping[str, str]) -> str:
    if not part.startswith(PREFIX):
        return part
    name = part.removeprefix(PREFIX)
    if name not in created:
        raise ScimError(
            HTTPStatus.CONFLICT, f"{part[:80]} leads to nothing that was created in this request."
        )
    return created[name]
