"""`usher scheduler`: the schedule in a process of its own, beside any number of servers (R6)."""

from __future__ import annotations

import signal
import subprocess
import time

from tests.kit.usher import USHER


def test_the_scheduler_delivers_and_stops_when_it_is_told(usher):
    """I1, R6: letters leave without anybody asking; SIGTERM ends it in good order."""
    usher("sync", "corp")
    process = subprocess.Popen(
        [USHER, "scheduler"],
        cwd=usher.folder,
        env=usher.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while "invitation_kept" not in timeline(usher) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert "invitation_kept" in timeline(usher)
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in said) == (0, False), said


def timeline(usher):
    return [event["kind"] for event in usher("person", "ann", "--json").json["timeline"]]
