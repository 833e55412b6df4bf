"""Which process works on a run, and whether it still does (R5).

A worker is called host:pid:start. The start, in clock ticks since the machine's own, tells a
living worker from another process that was given the number of a dead one; in a container
that is the rule and not the exception.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from provisioning.storage.models.runs import RunRecord

LEASE = timedelta(seconds=60)
"""A run whose worker said nothing for so long is taken over."""

_CLAIMING = threading.Lock()
_HERE: set[int] = set()
"""Runs that threads of this process are reading for or applying."""

_START = 22
"""The field of /proc/PID/stat that says when a process began (proc(5))."""


@contextmanager
def working_on(claim: Callable[[], int]) -> Iterator[int]:
    """Claim a run for a thread of this process, so that no other thread takes it over.

    Yields the number of the run, which the claim returned.
    """
    with _CLAIMING:
        run_id = claim()
        _HERE.add(run_id)
    try:
        yield run_id
    finally:
        _HERE.discard(run_id)


def worker_name() -> str:
    """Return who is working here."""
    return _name_of(os.getpid())


def parent_name() -> str:
    """Return the process that started this one, as it calls itself."""
    return _name_of(os.getppid())


def _name_of(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:{_start_of(pid)}"


def is_alive(run: RunRecord, now: datetime) -> bool:
    """Whether somebody works on a run: their heart beats, and if they are here, they exist."""
    if run.heartbeat is None or now - run.heartbeat >= LEASE:
        return False
    if run.worker == worker_name():
        return run.id in _HERE
    return _runs_here(run.worker) is not False


def is_gone(worker: str) -> bool:
    """Whether a worker was of this host and does not exist any more."""
    return _runs_here(worker) is False


def _runs_here(worker: str | None) -> bool | None:
    """Whether a worker of this host is running; None if it is one of another host."""
    host, _, process = (worker or "").partition(":")
    pid, _, start = process.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return None
    return _exists(int(pid)) and _start_of(int(pid)) == start


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start_of(pid: int) -> str:
    """Return when a process began; empty where the system does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The name in the second field may hold blanks and brackets of its own.
    return stat.rpartition(")")[2].split()[_START - 3]
