"""Content synchronisation (RFC 4533), refreshOnly: who changed since a cookie, and who is gone.

the server says                       ->  means
------------------------------------  --  --------------------------------------------------
an entry with the state add, modify       a candidate
an entry with the state delete, or ids    a candidate: reading them by id tells whether they are
  in a set of deletes                     gone, or only left what the server compares
an entry that is only present, a set      the server lost its history and lists who is there:
  of those who are                        everyone is read instead, with all its proofs
refreshDeletes FALSE                      the same: who was not named would be gone
no cookie, or an empty one                the mark was garbage to it, and so is the answer
e-syncRefreshRequired, or any other       the mark is too old, or of another server
  result but success
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import ldap3

from connectors.ldap.answers import require_success, unbroken
from connectors.ldap.connection import entries, root_dse
from connectors.ldap.messages import LONG, OCTETS, SEQUENCE, SET, SHORT, long_length
from connectors.ldap.names import is_below, parse_name, parsed
from provisioning.domain.errors import MarkError

SYNC_REQUEST, SYNC_STATE, SYNC_DONE = (f"1.3.6.1.4.1.4203.1.9.1.{number}" for number in (1, 2, 3))
_REFRESH_ONLY = b"\x0a\x01\x01"
_BOOLEAN = 0x01
_NEW_COOKIE, _REFRESH_DELETE, _REFRESH_PRESENT, _ID_SET = 0x80, 0xA1, 0xA2, 0xA3
_PRESENT = 0
_CSN = re.compile(r"\d{14}\.\d{6}Z#[0-9a-f]{6}#[0-9a-f]{3}#[0-9a-f]{6}")


@dataclass(slots=True)
class SyncAnswer:
    """What the server told of one base."""

    candidates: set[str] = field(default_factory=set)
    """entryUUIDs, canonical."""

    cookie: str = ""


def refresh(connection: ldap3.Connection, base: str, user_filter: str, cookie: str) -> SyncAnswer:
    """Ask what changed below a base since a cookie.

    Raises:
        MarkError: The server does not know the cookie, or its answer leaves a doubt.
        SourceError: The connection broke.
    """
    with unbroken():
        connection.search(
            base,
            user_filter,
            ldap3.SUBTREE,
            dereference_aliases=ldap3.DEREF_NEVER,
            attributes=["1.1"],
            controls=[(SYNC_REQUEST, True, _request(cookie.encode()))],
        )
    require_success(connection, "the server tells no changes since the mark", MarkError)
    try:
        return _read(connection.response or (), connection.result)
    except (ValueError, IndexError, KeyError) as error:
        raise MarkError("the server's answer about changes cannot be read") from error


def context_cookie(connection: ldap3.Connection, base: str) -> str:
    """Return a cookie for what a server of OpenLDAP knows now; "" if it does not say.

    The contextCSN stands at the top of the database, above the base.

    Raises:
        SourceError: The connection broke.
    """
    root, place = root_dse(connection), parse_name(base)
    if SYNC_REQUEST not in root.get("supportedcontrol", ()):
        return ""
    tops = ((parsed(top), top) for top in root.get("namingcontexts", ()))
    above = [top for name, top in tops if name is not None and is_below(place, name)]
    if not above:
        return ""
    with unbroken():
        connection.search(
            max(above, key=len), "(objectClass=*)", ldap3.BASE, attributes=["contextCSN"]
        )
    numbers = sorted(
        value.decode()
        for entry in entries(connection)
        for value in entry["raw_attributes"].get("contextCSN", ())
    )
    return f"rid=000,csn={';'.join(numbers)}" if numbers else ""


def csn_by_server(cookie: str) -> dict[str, str]:
    """Return the change number a cookie names of each server that writes.

    Raises:
        MarkError: It names none.
    """
    numbers = cookie.partition("csn=")[2].split(";")
    if not all(map(_CSN.fullmatch, numbers)):
        raise MarkError("the mark names no moment")
    return {server_of(each): each for each in numbers}


def server_of(number: str) -> str:
    """Return which server a change number (time#count#server#modification) comes from."""
    return number.split("#")[2]


def _read(response: Sequence[dict[str, Any]], result: dict[str, Any]) -> SyncAnswer:
    answer = SyncAnswer()
    for item in response:
        if item["type"] == "searchResEntry":
            state, anchor = _state(item["controls"][SYNC_STATE]["value"])
            if state == _PRESENT:
                raise MarkError("the server has lost its history and lists who is there")
            answer.candidates.add(anchor)
        elif item["type"] == "intermediateResponse":
            _read_info(item["responseValue"], answer)
        elif item["type"] == "searchResRef":
            raise MarkError("a part of the base lives on another server")
    _read_done(result["controls"][SYNC_DONE]["value"], answer)
    return answer


def _read_done(value: bytes, answer: SyncAnswer) -> None:
    deletes = False
    for tag, body in _elements(_inside(value)):
        if tag == OCTETS:
            answer.cookie = body.decode()
        elif tag == _BOOLEAN:
            deletes = body != b"\0"
    if answer.candidates and not answer.cookie:
        raise MarkError("the server's answer has no cookie to go on from")
    if answer.candidates and not deletes:
        raise MarkError("the server does not name who is gone")


def _read_info(value: bytes, answer: SyncAnswer) -> None:
    for tag, body in _elements(value):
        if tag == _NEW_COOKIE:
            answer.cookie = body.decode()
        elif tag == _REFRESH_PRESENT:
            raise MarkError("the server has lost its history and lists who is there")
        elif tag == _REFRESH_DELETE:
            cookies = [each.decode() for kind, each in _elements(body) if kind == OCTETS]
            answer.cookie = cookies[0] if cookies else answer.cookie
        elif tag == _ID_SET:
            _read_ids(body, answer)


def _read_ids(body: bytes, answer: SyncAnswer) -> None:
    deletes = False
    for tag, value in _elements(body):
        if tag == OCTETS:
            answer.cookie = value.decode()
        elif tag == _BOOLEAN:
            deletes = value != b"\0"
        elif tag == SET:
            if not deletes:
                raise MarkError("the server has lost its history and lists who is there")
            answer.candidates |= {str(UUID(bytes=each)) for _, each in _elements(value)}


def _state(value: bytes) -> tuple[int, str]:
    """Return the state of an entry and its entryUUID (RFC 4533 2.2)."""
    state, anchor = _elements(_inside(value))[:2]
    return state[1][0], str(UUID(bytes=anchor[1]))


def _request(cookie: bytes) -> bytes:
    """Return the value of the request control (RFC 4533 2.2), encoded."""
    return _element(SEQUENCE, _REFRESH_ONLY + _element(OCTETS, cookie))


def _element(tag: int, body: bytes) -> bytes:
    length = len(body)
    if length <= SHORT:
        return bytes([tag, length]) + body
    written = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, LONG + len(written)]) + written + body


def _inside(value: bytes) -> bytes:
    """Return what a sequence holds."""
    tag, body = _elements(value)[0]
    if tag != SEQUENCE:
        raise ValueError("a sequence was to be there")
    return body


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    return list(_walk(data))


def _walk(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length > SHORT:
            at, length = long_length(data, at, length)
        if at + length > len(data):
            raise ValueError("an element that is longer than its place")
        yield tag, data[at : at + length]
        at += length
