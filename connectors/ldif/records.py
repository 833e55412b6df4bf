"""LDIF content records (RFC 2849), read as a stream, line by line, and to a proven end.

The end is proven by the trailer of `ldapsearch -L`: "# numEntries: N", when N entries were
read. A file without it may have been cut at any record.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from provisioning.domain.errors import SourceError, SourceUnavailableError

_TRAILER = re.compile(rb"# numEntries: (\d+)\s*$")
_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9.;-]*$")


class Record(NamedTuple):
    """One entry: its DN, its values by attribute name, and where it begins."""

    dn: str
    attributes: dict[str, list[bytes]]
    line: int


class _Line(NamedTuple):
    number: int
    text: bytes


def read_records(path: Path) -> Generator[Record, None, int | None]:
    """Yield every record; returns the number the trailer promised, or None without one.

    Raises:
        SourceError: The file is broken or cut; the line is named.
    """
    read, promised = 0, None
    record: list[_Line] = []
    for line in _unfolded(path):
        if line.text.startswith(b"#"):
            trailer = _TRAILER.match(line.text)
            promised = int(trailer[1]) if trailer else promised
        elif line.text:
            record.append(line)
        elif record:
            if entry := _record(path, record):
                read += 1
                yield entry
            record = []
    if record and (entry := _record(path, record)):
        read += 1
        yield entry
    if promised is not None and promised != read:
        raise SourceError(
            f"{path}: the end says {promised:,} entries, but there are {read:,}; the file was cut "
            "or edited, and nothing was concluded from it"
        )
    return promised


def _unfolded(path: Path) -> Iterator[_Line]:
    """Yield logical lines: what begins with a blank continues the line before."""
    pending: _Line | None = None
    for number, raw in enumerate(_physical(path), start=1):
        text = raw.rstrip(b"\r\n")
        if text.startswith(b" "):
            if pending is None or not pending.text:
                raise _broken(path, number, "a continuation of nothing")
            pending = _Line(pending.number, pending.text + text[1:])
            continue
        if pending is not None:
            yield pending
        pending = _Line(number, text)
        if not raw.endswith(b"\n") and text:
            raise _broken(path, number, "the last line is cut")
    if pending is not None:
        yield pending


def _physical(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from file
    except FileNotFoundError:
        raise SourceUnavailableError(f"there is no file {path}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path} cannot be read to its end: {error}") from error


def _record(path: Path, lines: list[_Line]) -> Record | None:
    """Return the entry of some lines; None for a version line or a search result's summary."""
    name, dn = _value(path, lines[0])
    if name == "version":
        return _record(path, lines[1:]) if len(lines) > 1 else None
    if name in {"search", "result", "ref"}:
        return None
    if name != "dn":
        raise _broken(path, lines[0].number, f'a record begins with "{name}" instead of "dn"')
    attributes: dict[str, list[bytes]] = {}
    for line in lines[1:]:
        name, value = _value(path, line)
        if name == "changetype":
            raise _broken(path, line.number, "this is a list of changes, not an export")
        attributes.setdefault(name, []).append(value)
    try:
        return Record(dn.decode(), attributes, lines[0].number)
    except UnicodeDecodeError:
        raise _broken(path, lines[0].number, "the DN is not UTF-8") from None


def _value(path: Path, line: _Line) -> tuple[str, bytes]:
    name, colon, rest = line.text.partition(b":")
    if not colon or not _NAME.match(name):
        raise _broken(path, line.number, "there is no attribute name")
    if rest.startswith(b"<"):
        raise _broken(path, line.number, "values from elsewhere (:<) are not read")
    if not rest.startswith(b":"):
        return name.decode(), rest.lstrip(b" ")
    try:
        return name.decode(), base64.b64decode(rest[1:].strip(), validate=True)
    except binascii.Error:
        raise _broken(path, line.number, "the base64 is broken") from None


def _broken(path: Path, line: int, what: str) -> SourceError:
    return SourceError(f"{path}, line {line}: {what}; nothing was concluded from the file")
