"""Waiting until a server that was started answers."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

_ROOT_DSE = bytes.fromhex(
    "3025 020101 6320 0400 0a0100 0a0100 020100 020100 010100 870b6f626a656374436c617373 3000"
)
"""A search for the root DSE, by hand: ldap3 loses the socket of a server that breaks off."""


def wait_for_ldap(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the root DSE can be read; the log says why it cannot."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8", "replace")[-4000:]
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(_ROOT_DSE)
            if connection.recv(1):
                return
        time.sleep(0.05)
    raise AssertionError(f"no answer within 60 s: {log.read_text('utf-8', 'replace')[-4000:]}")
