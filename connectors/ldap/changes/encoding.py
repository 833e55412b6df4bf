"""Values of controls (BER), written and taken apart."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.ldap.messages import LONG, SEQUENCE, SHORT, long_length


def element(tag: int, *parts: bytes) -> bytes:
    """Return an element of some parts, encoded."""
    body = b"".join(parts)
    length = len(body)
    if length <= SHORT:
        return bytes([tag, length]) + body
    written = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, LONG + len(written)]) + written + body


def inside(value: bytes) -> bytes:
    """Return what a sequence holds.

    Raises:
        ValueError: It is none.
        IndexError: It is cut.
    """
    tag, body = elements(value)[0]
    if tag != SEQUENCE:
        raise ValueError("a sequence was to be there")
    return body


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Return the tags and bodies of elements that stand beside one another.

    Raises:
        ValueError: One is longer than its place.
        IndexError: One is cut.
    """
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
