"""What a process costs, from its start to its end."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    seconds: float
    cpu: float
    megabytes: float


def cost_of(words: list[str], environ: Mapping[str, str]) -> Cost:
    """Run a process; its peak memory is polled, for wait4 would report ours before the exec."""
    began, peak, ended = time.perf_counter(), 0, 0
    process = subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL)
    while not ended:
        peak = max(peak, _peak_kilobytes(process.pid))
        time.sleep(0.02)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words[:3]} ended with {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(time.perf_counter() - began, cpu, peak / 1024)


def _peak_kilobytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found else 0
