"""Run Samba where its ports are free: `samba_space.py CONF PORT:INNER...`.

Samba's LDAP ports are fixed in its code, so it gets a network of its own; the sockets people
connect to were made outside of it and are passed on inside. Root needs a network namespace,
anybody else a user namespace besides. SIGTERM ends both; the death of the caller too.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41
_DIE_WITH_PARENT = 1


def main() -> None:
    """Listen outside, go inside, start Samba and pass on what comes."""
    conf, *ports = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DIE_WITH_PARENT, signal.SIGTERM)
    listening = []
    for pair in ports:
        outer, inner = map(int, pair.split(":"))
        listening.append((socket.create_server(("127.0.0.1", outer), backlog=64), inner))
    _go_inside(libc)
    samba = subprocess.Popen(
        ["/usr/sbin/samba", "-F", "--no-process-group", "-s", conf, "-M", "single",
         "--debug-stdout"],
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: libc.prctl(_DIE_WITH_PARENT, signal.SIGTERM),  # noqa: PLW1509 - one call
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: samba.terminate())
    for listener, inner in listening:
        threading.Thread(target=_pass_on, args=(listener, inner), daemon=True).start()
    ended = samba.wait()
    os._exit(0 if ended in (0, -signal.SIGTERM) else 1)


def _go_inside(libc: ctypes.CDLL) -> None:
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_NETWORK | (_NEW_USER if user else 0)):
        sys.exit(
            f"unshare: {os.strerror(ctypes.get_errno())}. Samba needs a network namespace: run as "
            "root with CAP_SYS_ADMIN, or where user namespaces are allowed"
        )
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh22x", b"lo", _UP_AND_RUNNING))


def _pass_on(listener: socket.socket, inner: int) -> None:
    while True:
        outside, _ = listener.accept()
        try:
            inside = socket.create_connection(("127.0.0.1", inner))
        except OSError:
            outside.close()
            continue
        for one, other in ((outside, inside), (inside, outside)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 18):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main()
