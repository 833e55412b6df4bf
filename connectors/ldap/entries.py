"""From an entry as the server says it to a person as it was read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from ldap3.utils.conv import escape_bytes, escape_filter_chars

from provisioning.domain.people import RawPerson

Entry = Mapping[str, Any]
"""An entry as `connectors.ldap.receiving` makes it: `dn`, `raw_attributes`, ..."""

Computed = Mapping[str, Callable[[Entry], tuple[str, ...]]]
"""Attributes a server does not have, by the mapping's spelling."""

_BINARY_IDS = frozenset({"objectguid", "ms-ds-consistencyguid"})
_GUID_BYTES = 16


class _Spelling(dict[str, str | None]):
    """From a server's spelling of an attribute to the mapping's; None for what it does not read.

    Only the plain attribute counts: `cn;lang-de` is another one. A part of the values,
    `memberOf;range=0-1499`, is noted: the rest of them is not there.
    """

    def __init__(self, attributes: Collection[str]) -> None:
        super().__init__()
        self._wanted = {name.lower(): name for name in attributes}
        self.partial: set[str] = set()

    def __missing__(self, name: str) -> str | None:
        plain, option, _ = name.lower().partition(";range=")
        known = self[name] = self._wanted.get(plain)
        if known is not None and option:
            self.partial.add(name)
        return known


class PersonReader:
    """Makes people of entries; one for each reading."""

    def __init__(
        self, id_attribute: str, attributes: Collection[str], computed: Computed | None = None
    ) -> None:
        """Keep what the mapping reads, in its spelling, and the name of the immutable id.

        Args:
            id_attribute: Which attribute the anchor is.
            attributes: What the mapping reads.
            computed: What is told of an entry beside its own attributes, by name.
        """
        self._id = id_attribute
        self._computed = tuple((computed or {}).items())
        self._spelling = _Spelling(attributes)
        self._id_spelling = _Spelling([id_attribute])
        self._binary = id_attribute.lower() in _BINARY_IDS

    def anchor(self, entry: Entry) -> str:
        """Return the immutable id as text, or "" if there is none that can be told."""
        found: Mapping[str, list[bytes]] = entry["raw_attributes"]
        values = found.get(self._id)
        if values is None:
            spelling = self._id_spelling
            values = next((found[name] for name in found if spelling[name]), [])
        # Two ids come in any order: neither is immutable.
        return _as_text(values[0], binary=self._binary) if len(values) == 1 else ""

    def person(self, entry: Entry, anchor: str) -> RawPerson:
        """Return the person of an entry; what cannot be read is a problem of theirs alone."""
        spelling = self._spelling
        attributes: dict[str, tuple[str, ...]] = {}
        problems: list[str] = []
        for name, values in entry["raw_attributes"].items():
            known = spelling[name]
            if known is None:
                continue
            if spelling.partial and name in spelling.partial:
                problems.append(f"{known} has more values than the server gives at once")
            try:
                if len(values) == 1:
                    attributes[known] = (values[0].decode(),)
                elif values:
                    attributes[known] = tuple([value.decode() for value in values])
            except UnicodeDecodeError:
                problems.append(f"{known} is not UTF-8 text")
        for name, values_of in self._computed:
            if values := values_of(entry):
                attributes[name] = values
        where = entry["dn"].replace("\0", "\\00")
        if not where.isascii() and not where.isprintable():
            where = _readable(where, problems)
        return RawPerson(anchor, where, attributes, "; ".join(problems) or None)

    def filter_of(self, anchor: str) -> str:
        """Return the filter that finds an id; "" if no entry can have it."""
        if not self._binary:
            return f"({self._id}={escape_filter_chars(anchor)})"
        try:
            octets = escape_bytes(UUID(anchor).bytes_le)
        except ValueError:
            return ""
        return f"({self._id}={octets})"

    def filters_of(self, anchors: Iterable[str], at_once: int) -> Iterator[str]:
        """Yield filters that find whoever has one of some ids, so many ids in each."""
        parts = [part for anchor in dict.fromkeys(anchors) if (part := self.filter_of(anchor))]
        for begin in range(0, len(parts), at_once):
            yield f"(|{''.join(parts[begin : begin + at_once])})"


def by_place(told: Callable[[str], tuple[str, ...]]) -> Callable[[Entry], tuple[str, ...]]:
    """Return what tells of an entry what is told of its place."""
    return lambda entry: told(entry["dn"])


def _as_text(value: bytes, *, binary: bool) -> str:
    """Return an id as text: objectGUID is 16 bytes, the others are text already."""
    if binary:
        return str(UUID(bytes_le=value)) if len(value) == _GUID_BYTES else ""
    try:
        text = value.decode().strip().lower()
    except UnicodeDecodeError:
        return ""
    # No database keeps a NUL in a text.
    return "" if "\0" in text else text


def _readable(where: str, problems: list[str]) -> str:
    """Return a DN that can be stored, and note that it is not quite what the server said."""
    try:
        where.encode()
    except UnicodeEncodeError:
        problems.append("the DN is not UTF-8 text")
        return where.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return where
