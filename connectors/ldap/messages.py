"""LDAP messages (RFC 4511) as bytes: where they end, that they nest, and search entries decoded.

Nothing here asks whether a value makes sense; everything that does not fill its place exactly,
or is another kind of element than belongs there, is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MAX_MESSAGE_BYTES = 64 << 20
"""A message above this is a memory bomb, or the border between two messages was lost."""

MAX_DEPTH = 20
"""Levels of a message; answers of real servers have fewer than ten."""

MAX_NUMBER_BYTES = 5
"""Of the number of a message: 31 bits, and a byte for the sign."""

INTEGER: Final = 0x02
OCTETS: Final = 0x04
SEQUENCE: Final = 0x30
SET: Final = 0x31
ENTRY: Final = 0x64
CONTROLS: Final = 0xA0
CONSTRUCTED: Final = 0x20
SHORT: Final = 0x7F
"""The greatest length that is one byte."""

LONG: Final = 0x80
"""A length of this and N more is written in the N bytes behind it."""

MAX_EXPECTED: Final = 64
"""Attributes that are expected of a server, and bytes of the name of each."""

_AROUND_NAME: Final = 8
"""Bytes in front of a short value that are not its attribute's name: four tags, four lengths."""

Beginning = tuple[str, int, tuple[bytes | tuple[()], ...]]
"""How an attribute with one short value begins: its name, how many bytes come before the value,
and those bytes by the length of the value. Nothing begins with `()`."""

_number = int.from_bytes


class Vocabulary(dict[bytes, str]):
    """Names of attributes as text, each decoded once for a connection, and what comes when.

    Nearly every attribute has one short value, and a server sends those it has in the same order
    for nearly everybody. Comparing with how the next one begins is cheaper than decoding it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[Beginning] = []
        """Attributes in the order in which the server sends them."""

        self.behind: dict[str, Sequence[Beginning]] = {}
        """Those of them that come behind one of them."""

    def __missing__(self, raw: bytes) -> str:
        """Decode a name that is new."""
        name = self[raw] = raw.decode("ascii")
        return name

    def learn(self, name: str, before: str | None) -> None:
        """Expect an attribute from now on behind the one that it came behind, or first."""
        raw, expected = name.encode("ascii"), self.expected
        if max(len(raw), len(expected)) < MAX_EXPECTED:
            place = len(expected) - len(self.behind[before]) if before in self.behind else 0
            expected.insert(place, (name, len(raw) + _AROUND_NAME, _beginnings(raw)))
            self.behind = {each[0]: expected[at:] for at, each in enumerate(expected, 1)}


def _beginnings(raw: bytes) -> tuple[bytes | tuple[()], ...]:
    """Return the bytes in front of one value of an attribute, by the length of that value."""
    most = SHORT - len(raw) - _AROUND_NAME + 2
    return tuple(
        bytes((SEQUENCE, len(raw) + value + 6, OCTETS, len(raw)))
        + raw
        + bytes((SET, value + 2, OCTETS, value))
        if value <= most
        else ()
        for value in range(256)
    )


def message_size(data: bytes, at: int) -> int:
    """Return how many bytes the message that begins there has; 0 if that has not come yet.

    Raises:
        ValueError: No message begins there, or it is bigger than any may be.
    """
    if len(data) - at < 2:  # noqa: PLR2004 - a tag and a length
        return 0
    length = data[at + 1]
    if data[at] != SEQUENCE or length == LONG or length > LONG + 4:
        raise ValueError("no message begins where one should")
    if length < LONG:
        return length + 2
    header = length - LONG + 2
    if len(data) - at < header:
        return 0
    size = _number(data[at + 2 : at + header], "big") + header
    if size > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {size:,} bytes, {MAX_MESSAGE_BYTES:,} are taken")
    return size


def require_nesting(data: bytes, at: int, end: int, depth: int = 0) -> None:
    """Refuse elements that do not fill their place exactly, as ldap3's decoder does not.

    Raises:
        ValueError: One ends behind its place, or is written with an indefinite length.
        IndexError: It is cut.
    """
    if depth > MAX_DEPTH:
        raise ValueError("a message nested too deeply")
    while at < end:
        constructed, length = data[at] & CONSTRUCTED, data[at + 1]
        at += 2
        if length >= LONG:
            if not LONG < length <= LONG + 4:
                raise ValueError("a length that cannot be read")
            size = length - LONG
            length = _number(data[at : at + size], "big")
            at += size
        if at + length > end:
            raise ValueError("an element that is longer than its place")
        if constructed:
            require_nesting(data, at, at + length, depth + 1)
        at += length


def decode_entry(  # noqa: C901, PLR0912, PLR0915 - the hot loop: a call would cost more than it does
    data: bytes, at: int, words: Vocabulary
) -> tuple[bytes, dict[str, list[bytes]], int]:
    """Decode the SearchResultEntry (RFC 4511) that begins there.

    Returns:
        Its DN, its values by attribute name, and where it ends.

    Raises:
        ValueError: It is damaged: an element is not what has to be there, or ends elsewhere.
        IndexError: It is cut.
    """
    length = data[at + 1]
    at += 2
    if length > SHORT:
        at, length = long_length(data, at, length)
    end = at + length
    if data[at] != OCTETS:
        raise ValueError("an entry without a name")
    length = data[at + 1]
    at += 2
    if length > SHORT:
        at, length = long_length(data, at, length)
    dn = data[at : at + length]
    at += length
    if data[at] != SEQUENCE:
        raise ValueError("an entry without attributes")
    length = data[at + 1]
    at += 2
    if length > SHORT:
        at, length = long_length(data, at, length)
    if at + length != end:
        raise ValueError("an entry that ends elsewhere than its attributes")
    attributes: dict[str, list[bytes]] = {}
    expected: Sequence[Beginning] = words.expected
    while True:
        try:
            for name, size, beginnings in expected:
                length = data[at + size - 1]
                if data.startswith(beginnings[length], at):
                    at += size
                    attributes[name] = [data[at : at + length]]
                    at += length
        except IndexError:
            pass  # Too near to the end for this one, and no byte is behind it.
        if at >= end:
            break
        length = data[at + 1]
        tag = data[at]
        at += 2
        if length > SHORT:
            at, length = long_length(data, at, length)
        stop = at + length
        if tag != SEQUENCE or data[at] != OCTETS:
            raise ValueError("an attribute without a name")
        length = data[at + 1]
        at += 2
        if length > SHORT:
            at, length = long_length(data, at, length)
        name = words[data[at : at + length]]
        at += length
        tag = data[at]
        length = data[at + 1]
        at += 2
        if length > SHORT:
            at, length = long_length(data, at, length)
        if tag != SET or at + length != stop:
            raise ValueError("an attribute that ends elsewhere than its values")
        values = []
        while at < stop:
            if data[at] != OCTETS:
                raise ValueError("a value that is none")
            length = data[at + 1]
            at += 2
            if length > SHORT:
                at, length = long_length(data, at, length)
            values.append(data[at : at + length])
            at += length
        if at != stop:
            raise ValueError("a value that is longer than its place")
        if name not in words.behind:
            words.learn(name, next(reversed(attributes), None))
        attributes[name] = values
        expected = words.behind.get(name, ())
    if at != end:
        raise ValueError("an attribute that is longer than its place")
    return dn, attributes, end


def long_length(data: bytes, at: int, length: int) -> tuple[int, int]:
    """Return where the value begins and its length, for a length that is written out."""
    if not LONG < length <= LONG + 4:
        raise ValueError("a length that cannot be read")
    stop = at + length - LONG
    return stop, int.from_bytes(data[at:stop], "big")
