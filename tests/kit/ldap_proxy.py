"""A proxy that understands LDAP: it changes what a server says, message by message.

It sits in front of the plain port, for it has to read what goes by.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.kit.ber import Encoder

ENTRY, DONE, REFERENCE, EXTENDED = 0x64, 0x65, 0x73, 0x78
_ENCODER = Encoder()


class Said(NamedTuple):
    """One message of the server."""

    number: int
    tag: int
    operation: bytes
    raw: bytes


class HangUp(Exception):  # noqa: N818 - not an error, an order
    """Say this, and close the connection."""


Change = Callable[[Said], bytes]
"""From a message to what the client gets instead; called in the order of the messages."""


class LdapProxy:
    """Forwards to a port of this machine, with one change for each connection."""

    def __init__(self, target: int, make_change: Callable[[], Change]) -> None:
        self.target, self.make_change = target, make_change
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"ldap://127.0.0.1:{self.listener.getsockname()[1]}"
        self.received = b""
        """What clients said, for tests that look for passwords in it."""

        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for work, ends in (
                (self._upwards, (client, server)),
                (self._downwards, (server, client)),
            ):
                threading.Thread(target=work, args=ends, daemon=True).start()

    def _upwards(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self.received += data
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _downwards(self, server: socket.socket, client: socket.socket) -> None:
        buffer, change = b"", self.make_change()
        with contextlib.suppress(OSError):
            try:
                while data := server.recv(65536):
                    buffer += data
                    while whole := _whole(buffer):
                        message, buffer = buffer[:whole], buffer[whole:]
                        client.sendall(change(_parsed(message)))
            except HangUp as order:
                client.sendall(order.args[0])
        for end in (client, server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def changing(target: int, make_change: Callable[[], Change]) -> Iterator[LdapProxy]:
    """A proxy in front of a plain port, until the block ends."""
    proxy = LdapProxy(target, make_change)
    try:
        yield proxy
    finally:
        proxy.stop()


def at_page(page: int, work: Callable[[Said], bytes]) -> Callable[[], Change]:
    """Change the message that ends a page of people; those are the answers that were paged."""

    def make() -> Change:
        pages = 0

        def change(said: Said) -> bytes:
            nonlocal pages
            pages += said.tag == DONE and said.raw.find(b"1.2.840.113556.1.4.319") > 0
            return work(said) if said.tag == DONE and pages == page else said.raw

        return change

    return make


def failing(code: int, words: bytes = b"injected") -> Callable[[Said], bytes]:
    """Another result, without the cookie."""
    return lambda said: _ENCODER.message(said.number, _ENCODER.done(code, words))


def without_control(said: Said) -> bytes:
    """Success, and no word about more pages."""
    return _ENCODER.message(said.number, said.operation)


def with_another_cookie(said: Said) -> bytes:
    """A cookie that the server never gave."""
    return _ENCODER.message(said.number, said.operation, [_ENCODER.paging(b"elsewhere")])


def hanging_up(said: Said) -> bytes:
    """A notice of disconnection instead."""
    raise HangUp(_ENCODER.message(0, _ENCODER.notice(b"shutting down")))


def in_parts(most: int, *, break_off: bool = False) -> Callable[[], Change]:
    """Give so many values of `member` at once, as Active Directory does (MaxValRange).

    With `break_off` the parts behind the first hold no values.
    """

    def change(said: Said) -> bytes:
        if said.tag != ENTRY:
            return said.raw
        dn, attributes = _inside(said.operation)
        cut: dict[bytes, list[bytes]] = {}
        for pair in _inside(attributes):
            name, values = _inside(pair)
            cut |= _cut(_text(name), list(map(_text, _inside(values))), most, break_off=break_off)
        return _ENCODER.message(said.number, _ENCODER.entry(_text(dn), cut))

    return lambda: change


def _cut(
    name: bytes, values: list[bytes], most: int, *, break_off: bool
) -> dict[bytes, list[bytes]]:
    plain, _, option = name.partition(b";range=")
    if not plain.lower().endswith(b"member") or (len(values) <= most and not option):
        return {name: values}
    begin = int(option.split(b"-")[0]) if option else 0
    if break_off and begin:
        return {}
    last = len(values) <= most
    end = b"*" if last else b"%d" % (begin + most - 1)
    whole: dict[bytes, list[bytes]] = {} if begin else {plain: []}
    return whole | {plain + b";range=%d-" % begin + end: values[:most]}


def stripping_tls() -> Change:
    """Answer StartTLS with an error: whoever goes on regardless is in the clear."""

    def change(said: Said) -> bytes:
        if said.tag != EXTENDED:
            return said.raw
        refused = _ENCODER.element(0x78, b"\x0a\x01\x02", b"\x04\x00", _ENCODER.text(b"no TLS"))
        return _ENCODER.message(said.number, refused)

    return change


def _element(data: bytes, at: int) -> tuple[int, int]:
    """Where the value of an element begins and ends; beyond the data if it is not all there."""
    if len(data) < at + 2:
        return at, len(data) + 1
    length, begin = data[at + 1], at + 2
    if length >= 128:
        size = length - 128
        length, begin = int.from_bytes(data[begin : begin + size], "big"), begin + size
    return begin, begin + length


def _inside(element: bytes) -> list[bytes]:
    """The elements an element is made of."""
    begin, end = _element(element, 0)
    found = []
    while begin < end:
        after = _element(element, begin)[1]
        found.append(element[begin:after])
        begin = after
    return found


def _text(element: bytes) -> bytes:
    begin, end = _element(element, 0)
    return element[begin:end]


def _whole(data: bytes) -> int:
    end = _element(data, 0)[1]
    return end if data and end <= len(data) and len(data) > 6 else 0


def _parsed(message: bytes) -> Said:
    begin, _ = _element(message, 0)
    number, after = _element(message, begin)
    _, end = _element(message, after)
    return Said(
        int.from_bytes(message[number:after], "big"), message[after], message[after:end], message
    )
