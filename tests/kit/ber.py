"""Messages of an LDAP server, encoded as servers may: lengths in one byte or in several."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

PAGED_RESULTS = b"1.2.840.113556.1.4.319"
SYNC_STATE = b"1.3.6.1.4.1.4203.1.9.1.2"
NOTICE_OF_DISCONNECTION = b"1.3.6.1.4.1.1466.20036"


class Encoder:
    """Encodes; with a source of chance, lengths are written in any way that is allowed."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self.chance = chance

    def element(self, tag: int, *parts: bytes) -> bytes:
        body = b"".join(parts)
        length = len(body)
        if length < 128 and not (self.chance and self.chance.random() < 0.3):
            return bytes([tag, length]) + body
        fits = [size for size in (1, 2, 3, 4) if length < 256**size]
        size = self.chance.choice(fits) if self.chance else fits[0]
        return bytes([tag, 128 + size]) + length.to_bytes(size, "big") + body

    def text(self, value: bytes) -> bytes:
        return self.element(0x04, value)

    def message(self, number: int, operation: bytes, controls: Sequence[bytes] = ()) -> bytes:
        parts = [self.element(0x02, number.to_bytes(4, "big")), operation]
        if controls:
            parts.append(self.element(0xA0, *controls))
        return self.element(0x30, *parts)

    def entry(self, dn: bytes, attributes: Mapping[bytes, Sequence[bytes]]) -> bytes:
        listed = (
            self.element(
                0x30, self.text(name), self.element(0x31, *(self.text(value) for value in values))
            )
            for name, values in attributes.items()
        )
        return self.element(0x64, self.text(dn), self.element(0x30, *listed))

    def reference(self, *uris: bytes) -> bytes:
        return self.element(0x73, *(self.text(uri) for uri in uris))

    def intermediate(self, value: bytes) -> bytes:
        return self.element(
            0x79, self.element(0x80, b"1.3.6.1.4.1.4203.1.9.1.4"), self.element(0x81, value)
        )

    def done(self, code: int = 0, said: bytes = b"") -> bytes:
        return self.element(0x65, b"\x0a\x01", bytes([code]), self.text(b""), self.text(said))

    def notice(self, said: bytes) -> bytes:
        """What a server sends, unasked, before it hangs up."""
        name = self.element(0x8A, NOTICE_OF_DISCONNECTION)
        return self.element(0x78, b"\x0a\x01\x34", self.text(b""), self.text(said), name)

    def control(self, name: bytes, value: bytes) -> bytes:
        return self.element(0x30, self.text(name), self.text(value))

    def paging(self, cookie: bytes) -> bytes:
        return self.control(PAGED_RESULTS, self.element(0x30, b"\x02\x01\x00", self.text(cookie)))
