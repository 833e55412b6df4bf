"""Asks a server over eight kept connections, with requests that were made beforehand."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONNECTIONS = 8


@dataclass
class Server:
    """One of those under measurement, on a loopback port, and the processes that serve it."""

    name: str
    port: int
    token: str
    pids: list[int]
    ids: list[str] = field(default_factory=list)
    groups: dict[int, str] = field(default_factory=dict)

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return the bytes of a request."""
        head = (
            f"{method} /scim/v2{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {self.token}\r\nAccept: application/scim+json\r\n"
        )
        if body:
            head += f"Content-Type: application/scim+json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    def cpu_seconds(self) -> float:
        """CPU of the server's processes so far, its database's included."""
        ticks = sum(_ticks(member) for pid in self.pids for member in _family(pid))
        return ticks / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> int:
        """Resident memory of the largest process of the server itself."""
        sizes = [_resident_kilobytes(member) for member in _family(self.pids[0])]
        return max(sizes) // 1024


@dataclass(frozen=True)
class Round:
    """What one round of requests took: each answer's seconds, all of them, CPU seconds."""

    times: list[float]
    seconds: float
    cpu: float


class Refused(Exception):  # noqa: N818 - it is one answer
    """An answer that is none of the expected."""


def play(server: Server, requests: Sequence[bytes]) -> Round:
    """Send every request once, eight at a time."""
    queue, times, failures = iter(requests), list[float](), list[BaseException]()
    lock = threading.Lock()
    threads = [
        threading.Thread(target=_drive, args=(server, queue, lock, times, failures))
        for _ in range(min(CONNECTIONS, len(requests)))
    ]
    cpu, began = server.cpu_seconds(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise SystemExit(f"{server.name}: {failures[0]}")
    return Round(times, seconds, server.cpu_seconds() - cpu)


def ask(server: Server, request: bytes) -> bytes:
    """Return the body of one answer, over a connection of its own."""
    with _connected(server) as connection:
        return _exchange(connection, request)


def _drive(
    server: Server,
    queue: Iterator[bytes],
    lock: threading.Lock,
    times: list[float],
    failures: list[BaseException],
) -> None:
    try:
        with _connected(server) as connection:
            while True:
                with lock:
                    request = next(queue, None)
                if request is None:
                    return
                began = time.perf_counter()
                _exchange(connection, request)
                times.append(time.perf_counter() - began)
    except (OSError, Refused) as error:
        failures.append(error)


def _connected(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), 120)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    """Send a request and return the body of its answer, which has to be a good one."""
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, start = received.partition(b"\r\n\r\n")
    length = _length(head)
    parts, missing = [start], length - len(start)
    while missing > 0:
        parts.append(_more(connection))
        missing -= len(parts[-1])
    body = b"".join(parts)
    if head[9:10] != b"2":
        raise Refused(f"{request[:160]!r} was answered {head[:40]!r} {body[:500]!r}")
    return body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 18)
    if not data:
        raise Refused("the connection was closed in the middle of an answer")
    return data


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    if head[9:12] == b"204":
        return 0
    raise Refused(f"an answer has no length: {head!r}")


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        # Workers may have been started by another thread than the first.
        for task in Path(f"/proc/{pid}/task").iterdir():
            if task.name != str(pid):
                children += (task / "children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid, *(member for child in children for member in _family(int(child)))]


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return int(fields[11]) + int(fields[12])


def _resident_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
