"""The web server: granian's processes, started and stopped in good order."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable

from granian.constants import Interfaces
from granian.errors import FatalError
from granian.log import LogLevels
from granian.server import Server

from provisioning.domain.errors import ConfigurationError

DRAIN_SECONDS = 20
"""How long a worker may finish what it does after SIGTERM."""


def require_free(host: str, port: int) -> None:
    """Refuse a port that is taken, also by another Usher: both would be given its requests.

    Raises:
        ConfigurationError: The port is taken or not ours to use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise _cannot_listen(host, port, error.strerror or str(error)) from error


def leave_the_terminal() -> None:
    """Take a worker out of the terminal's group: Ctrl-C is for the process that stops workers.

    A worker that is interrupted by itself while it is being stopped may never end.
    """
    os.setpgid(0, 0)


def serve(
    target: str,
    *,
    host: str,
    port: int,
    workers: int,
    blocking_threads: int,
    on_start: Callable[[], None],
    on_stop: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT; workers are fresh processes that load `target` themselves.

    They are spawned, not forked: a forked worker would inherit this process's threads, locks
    and signal handlers, and a SIGTERM that came while it started was lost.

    Args:
        target: "module:function", a factory of a WSGI application.
        host: Address to listen on.
        port: Port to listen on.
        workers: Processes.
        blocking_threads: Requests one worker answers at a time.
        on_start: Called in this process once it listens.
        on_stop: Called in this process when the workers are gone.

    Raises:
        ConfigurationError: The port was taken meanwhile.
    """
    multiprocessing.set_start_method("spawn", force=True)
    server = Server(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=blocking_threads,
        factory=True,
        websockets=False,
        log_level=LogLevels.warning,
        workers_kill_timeout=DRAIN_SECONDS,
        respawn_failed_workers=True,
    )
    server.on_startup(on_start)
    server.on_shutdown(on_stop)
    try:
        server.serve()
    except (FatalError, RuntimeError, OSError) as error:
        raise _cannot_listen(host, port, str(error)) from error


def _cannot_listen(host: str, port: int, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"cannot listen on {host}:{port}: {reason}. Nothing is served. "
        "Stop the other program, or set PORT."
    )
