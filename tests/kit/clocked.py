"""The real `usher` command by a clock that stands in a file, and in a hurry.

    python -m tests.kit.clocked FOLDER WORD...

Only the clock is another, and how often the night is looked at. FOLDER holds `clock`, an
aware time; each process says in `PID.looked` for which time it last looked at the night. Whoever
finds `stop-here` in the middle of a run takes it away and stops by SIGSTOP.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import app
from provisioning.services.container import Services
from scheduler import jobs, local

HURRY = timedelta(seconds=0.3)


class FileClock:
    """A clock somebody else sets."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return datetime.fromisoformat(self._file.read_text())


def hurried(*given: Any) -> Mapping[str, jobs.Job]:
    """The jobs, and the night looked at more often than once a minute."""
    found = jobs.jobs(*given)
    return {**found, "nightly": replace(found["nightly"], every=HURRY)}


def main(folder: Path, words: list[str]) -> None:
    clock, nightly = FileClock(folder / "clock"), jobs.nightly
    looked = folder / f"{os.getpid()}.looked"

    def stop_here() -> bool:
        with suppress(FileNotFoundError):
            (folder / "stop-here").unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
        return False

    def look(services: Services, at: time, is_stopping: Callable[[], bool]) -> None:
        begun = clock.now()
        nightly(services, at, lambda: stop_here() or is_stopping())
        looked.write_text(begun.isoformat())

    app.SystemClock = lambda: clock  # type: ignore[assignment, misc]
    jobs.nightly = look
    local.jobs = hurried
    sys.argv[1:] = words
    app.main()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
