"""Content synchronisation (RFC 4533), refreshOnly: who changed since a cookie, and who is gone.

the server says                       ->  means
------------------------------------  --  --------------------------------------------------
an entry with the state add, modify       a candidate
an entry with the state delete, or ids    a candidate: reading them by id tells whether they are
  in a set of deletes                     gone, or only left what the server compares
an entry that is only present, a set      the server lost its history and lists who is there:
  of those who are                        everyone is read instead, with all its proofs
refreshDeletes FALSE                      the same: who was not named would be gone; but 389 says
                                            so and names them
no cookie, or an empty one                the mark was garbage to it, and so is the answer
e-syncRefreshRequired, or any other       the mark is too old, or of another server
  result but success
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import ldap3

from connectors.ldap.answers import ask, require_success
from connectors.ldap.changes.encoding import element, elements, inside
from connectors.ldap.messages import OCTETS, SEQUENCE, SET
from provisioning.domain.errors import MarkError

SYNC_REQUEST, SYNC_STATE, SYNC_DONE = (f"1.3.6.1.4.1.4203.1.9.1.{number}" for number in (1, 2, 3))
_REFRESH_ONLY = b"\x0a\x01\x01"
_BOOLEAN = 0x01
_NEW_COOKIE, _REFRESH_DELETE, _REFRESH_PRESENT, _ID_SET = 0x80, 0xA1, 0xA2, 0xA3
_PRESENT = 0


@dataclass(slots=True)
class SyncAnswer:
    """What the server told of one base."""

    candidates: set[str] = field(default_factory=set)
    """UUIDs, canonical."""

    cookie: str = ""
    deletes_done: bool = False
    """Whether it says that it named everybody who is gone."""


def refresh(
    connection: ldap3.Connection,
    base: str,
    user_filter: str,
    cookie: str,
    *,
    names_the_gone: bool = False,
) -> SyncAnswer:
    """Ask what changed below a base since a cookie.

    Args:
        connection: Signed in.
        base: Where people are.
        user_filter: Who they are.
        cookie: What the server gave, or would give.
        names_the_gone: Whether it names who is gone while it says that it does not.

    Raises:
        MarkError: The server does not know the cookie, or its answer leaves a doubt.
        SourceError: The connection broke.
    """
    controls = [(SYNC_REQUEST, True, request(cookie))]
    ask(connection, base, user_filter, ldap3.SUBTREE, controls=controls)
    require_success(connection, "the server tells no changes since the mark", MarkError)
    try:
        answer = _read(connection.response or (), connection.result)
    except (ValueError, IndexError, KeyError) as error:
        raise MarkError("the server's answer about changes cannot be read") from error
    if answer.candidates and not answer.cookie:
        raise MarkError("the server's answer has no cookie to go on from")
    if answer.candidates and not (answer.deletes_done or names_the_gone):
        raise MarkError("the server does not name who is gone")
    return answer


def done_cookie(connection: ldap3.Connection) -> str:
    """Return the cookie an answer ends with; "" if there is none."""
    answer, control = SyncAnswer(), connection.result.get("controls", {}).get(SYNC_DONE)
    if control is not None:
        _read_done(control["value"], answer)
    return answer.cookie


def request(cookie: str) -> bytes:
    """Return the value of the request control (RFC 4533 2.2); no cookie asks for everybody."""
    given = element(OCTETS, cookie.encode()) if cookie else b""
    return element(SEQUENCE, _REFRESH_ONLY, given)


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
    for tag, body in elements(inside(value)):
        if tag == OCTETS:
            answer.cookie = body.decode()
        elif tag == _BOOLEAN:
            answer.deletes_done = body != b"\0"


def _read_info(value: bytes, answer: SyncAnswer) -> None:
    for tag, body in elements(value):
        if tag == _NEW_COOKIE:
            answer.cookie = body.decode()
        elif tag == _REFRESH_PRESENT:
            raise MarkError("the server has lost its history and lists who is there")
        elif tag == _REFRESH_DELETE:
            cookies = [each.decode() for kind, each in elements(body) if kind == OCTETS]
            answer.cookie = cookies[0] if cookies else answer.cookie
        elif tag == _ID_SET:
            _read_ids(body, answer)


def _read_ids(body: bytes, answer: SyncAnswer) -> None:
    deletes = False
    for tag, value in elements(body):
        if tag == OCTETS:
            answer.cookie = value.decode()
        elif tag == _BOOLEAN:
            deletes = value != b"\0"
        elif tag == SET:
            if not deletes:
                raise MarkError("the server has lost its history and lists who is there")
            answer.candidates |= {str(UUID(bytes=each)) for _, each in elements(value)}


def _state(value: bytes) -> tuple[int, str]:
    """Return the state of an entry and its entryUUID (RFC 4533 2.2)."""
    state, anchor = elements(inside(value))[:2]
    return state[1][0], str(UUID(bytes=anchor[1]))
