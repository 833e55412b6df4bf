"""A TCP proxy that misbehaves: cuts, stalls or flips a bit after so many bytes of the server."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class CuttingProxy:
    """Forwards to a port of this machine until `cut` bytes came back, then breaks as told."""

    def __init__(
        self, target: int, *, cut: int | None, reset: bool, stall: bool, flip: int | None
    ) -> None:
        self.target, self.cut, self.reset, self.stall, self.flip = target, cut, reset, stall, flip
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.stopping = threading.Event()
        self.received = b""
        """What clients said, for tests that look for passwords in it."""

        self.passed = 0
        """Bytes the server said, over all connections."""

        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self.listener.close()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._upwards, args=(client, server), daemon=True).start()
            threading.Thread(target=self._downwards, args=(server, client), daemon=True).start()

    def _upwards(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(4096):
                self.received += data
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _downwards(self, server: socket.socket, client: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := server.recv(4096):
                if self.cut is not None and passed + len(data) >= self.cut:
                    client.sendall(data[: self.cut - passed])
                    self._break(client)
                    break
                client.sendall(self._flipped(data, passed))
                passed += len(data)
                self.passed += len(data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        for end in (client, server):
            end.close()

    def _flipped(self, data: bytes, passed: int) -> bytes:
        place = -1 if self.flip is None else self.flip - passed
        if not 0 <= place < len(data):
            return data
        return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]

    def _break(self, client: socket.socket) -> None:
        if self.stall:
            self.stopping.wait()
        elif self.reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def cutting(
    target: int,
    *,
    cut: int | None = None,
    reset: bool = False,
    stall: bool = False,
    flip: int | None = None,
) -> Iterator[CuttingProxy]:
    """A proxy in front of a port, until the block ends."""
    proxy = CuttingProxy(target, cut=cut, reset=reset, stall=stall, flip=flip)
    try:
        yield proxy
    finally:
        proxy.stop()
