"""What the pages of lists have in common: where a page begins, and the list as a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import chain
from typing import Any, TypeVar

import orjson
from flask import Response, abort, request

from provisioning.services.files import csv_lines, plain

PAGE = 50
LARGEST = 2**53 - 1
NUMBER = f"int(max={LARGEST})"
"""A number in a path that every database can compare."""

Kind = TypeVar("Kind", bound=StrEnum)


def asked_number(name: str, default: int = 0) -> int:
    """Return a whole number of the query string; 400 if it is none."""
    text = request.args.get(name, "")
    if not text:
        return default
    digits = text.removeprefix("-")
    if not digits.isdecimal() or int(digits[:20]) > LARGEST:
        abort(400, f'"{name}" has to be a whole number.')
    return int(text)


def asked_choice(name: str, kinds: type[Kind]) -> Kind | None:
    """Return one of a fixed set of the query string, or None; 400 if it is something else."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        return kinds(text)
    except ValueError:
        abort(400, f'"{name}" has to be one of: {", ".join(kinds)}.')


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """Return a list as a CSV file, streamed."""
    # Excel takes UTF-8 for Latin-1 unless a mark comes first.
    lines = (line.encode() for line in csv_lines(columns, rows))
    return _file(chain((b"\xef\xbb\xbf",), lines), "text/csv", f"{name}.csv")


def json_file(name: str, rows: Iterable[Any]) -> Response:
    """Return a list as one JSON document."""
    return _file([orjson.dumps({name: plain(list(rows))})], "application/json", f"{name}.json")


def _file(parts: Iterable[bytes], content_type: str, name: str) -> Response:
    response = Response(parts, content_type=f"{content_type}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
