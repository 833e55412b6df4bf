"""The receiving half of an ldap3 connection, several times faster than its own.

ldap3 needs some 270 microseconds of processor time for an entry: a slice for every element, two
case-blind dictionaries, every value formatted twice. Here search entries are decoded straight
into names and bytes; every other message goes through ldap3's own decoder. What does not nest
exactly, is not what has to be at its place, or is too big, breaks the connection.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import ldap3
from ldap3.core.exceptions import (
    LDAPExceptionError,
    LDAPResponseTimeoutError,
    LDAPSessionTerminatedByServerError,
    LDAPSocketReceiveError,
)
from ldap3.strategy.base import RESPONSE_COMPLETE
from ldap3.utils.asn1 import LDAP_MESSAGE_CONTEXT, decode_message_fast, decode_sequence

from connectors.ldap.messages import (
    CONTROLS,
    ENTRY,
    INTEGER,
    LONG,
    MAX_NUMBER_BYTES,
    Vocabulary,
    decode_entry,
    long_length,
    message_size,
    require_nesting,
)

_CHUNK_BYTES = 1 << 16
"""Allocating more than 128 KB for every receiving costs the kernel more than all the rest here."""
_NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.1466.20036"
_CONTINUING = frozenset({"searchResEntry", "searchResRef", "intermediateResponse"})

_DAMAGE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""How ldap3's decoder ends when what it reads is none of its messages."""


def accelerate(connection: ldap3.Connection) -> None:
    """Let a connection of the strategy SYNC receive here."""
    connection.strategy._get_response = Receiver(connection)  # noqa: SLF001 - the one seam ldap3 has


class Receiver:
    """What a connection's strategy calls to receive the answer to one request."""

    def __init__(self, connection: ldap3.Connection) -> None:
        """Receive over whatever socket the connection has by then."""
        self._connection = connection
        self._words = Vocabulary()

    def __call__(self, message_id: int, _timeout: float | None = None) -> list[Any]:
        """Return the messages of one answer as ldap3 has them, and its mark for the end.

        Raises:
            LDAPExceptionError: The connection broke, nothing came within the receive time-out,
                or what came is not the answer; the connection is closed.
        """
        answer: list[Any] = []
        buffer, at = b"", 0
        try:
            while not answer or answer[-1] != RESPONSE_COMPLETE:
                # Most servers write a message at a time: what comes is whole, and nothing is left.
                buffer = self._received(buffer[at:]) if at < len(buffer) else self._chunk()
                at = self._take(buffer, message_id, answer)
            if at < len(buffer):
                # Kept, it could pass for the answer to the next request, behind StartTLS even.
                raise ValueError("more than was asked for")
        except _DAMAGE as error:
            self._hang_up()
            raise LDAPSocketReceiveError(f"what came is not an answer: {error}") from error
        except LDAPExceptionError:
            self._hang_up()
            raise
        return answer

    def _received(self, rest: bytes) -> bytes:
        """Return the rest of something and what comes behind it, one whole message at least."""
        parts, have, need = [rest], len(rest), message_size(rest, 0) or len(rest) + 1
        while True:
            chunk = self._chunk()
            parts.append(chunk)
            have += len(chunk)
            if have < need:
                continue
            joined = b"".join(parts)
            need = message_size(joined, 0) or have + 1
            if have >= need:
                return joined
            parts = [joined]

    def _chunk(self) -> bytes:
        try:
            chunk: bytes = self._connection.socket.recv(_CHUNK_BYTES)
        except TimeoutError as error:
            seconds = self._connection.receive_timeout
            raise LDAPResponseTimeoutError(f"no answer within {seconds} s") from error
        except OSError as error:
            raise LDAPSocketReceiveError(str(error)) from error
        if not chunk:
            raise LDAPSessionTerminatedByServerError("closed by the server")
        return chunk

    def _take(self, data: bytes, message_id: int, answer: list[Any]) -> int:
        """Add every whole message to the answer, to its last; returns where the rest begins."""
        at = 0
        while (size := message_size(data, at)) and at + size <= len(data):
            end = at + size
            begin = at + (2 if data[at + 1] < LONG else data[at + 1] - LONG + 2)
            value, length = begin + 2, data[begin + 1]
            if length >= LONG:
                value, length = long_length(data, value, length)
            operation = value + length
            number = int.from_bytes(data[value:operation], "big")
            if data[begin] != INTEGER or not 0 < length <= MAX_NUMBER_BYTES or operation >= end:
                raise ValueError("a message without a number")
            if data[operation] == ENTRY and number == message_id:
                answer.append(self._entry(data, operation, end))
            else:
                self._take_other(data[at:end], number, message_id, answer)
                if answer[-1] == RESPONSE_COMPLETE:
                    return end
            at = end
        return at

    def _entry(self, data: bytes, at: int, end: int) -> dict[str, Any]:
        name, attributes, stop = decode_entry(data, at, self._words)
        entry = {
            "type": "searchResEntry",
            "raw_dn": name,
            "dn": name.decode("utf-8", "surrogateescape"),
            "raw_attributes": attributes,
            "attributes": attributes,
        }
        if stop == end:
            return entry
        if data[stop] != CONTROLS:
            raise ValueError("an entry with something behind it")
        require_nesting(data, stop, end)
        [controls] = decode_sequence(data, stop, end, LDAP_MESSAGE_CONTEXT)
        decode = self._connection.strategy.decode_control_fast
        entry["controls"] = dict(decode(control[3]) for control in controls[3])
        return entry

    def _take_other(self, message: bytes, number: int, message_id: int, answer: list[Any]) -> None:
        require_nesting(message, 0, len(message))
        found: Any = decode_message_fast(message)  # type: ignore[no-untyped-call]
        decoded = self._connection.strategy.decode_response_fast(found)
        if number == 0 and decoded.get("responseName") == _NOTICE_OF_DISCONNECTION:
            said = decoded["message"] or decoded["description"]
            raise LDAPSessionTerminatedByServerError(f"the server ended the session: {said}")
        if number != message_id:
            raise ValueError(f"message {number} answers nothing that was asked")
        answer.append(decoded)
        if decoded["type"] not in _CONTINUING:
            answer.append(RESPONSE_COMPLETE)

    def _hang_up(self) -> None:
        with suppress(LDAPExceptionError, OSError):
            self._connection.strategy.close()
