"""Kills nights at many points, and holds what is there afterwards against the unkilled twin."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.kit.documents import ROOT
from tests.kit.postgres import Postgres


def kill_on_sqlite(folder: Path, template: Path, points: int, *, seconds: int = 280) -> None:
    """Kill a night at so many points, each on a fresh copy of a migrated SQLite file."""
    for point in range(points + 1):
        shutil.copy(template, folder / f"{point}.db")
    _require_equal_to_the_twin(_nights(f"sqlite:///{folder}/{{point}}.db", points, seconds))


def kill_on_postgresql(
    postgres: Postgres, template: str, points: int, *, seconds: int = 280
) -> None:
    """Kill a night at so many points, each on a fresh copy of a migrated PostgreSQL database."""
    prefix = f"killed_night_{points}"
    for point in range(points + 1):
        postgres.create_database(f"{prefix}_{point}", template=template)
    try:
        _require_equal_to_the_twin(_nights(postgres.url(f"{prefix}_{{point}}"), points, seconds))
    finally:
        for point in range(points + 1):
            postgres.drop_database(f"{prefix}_{point}")


def _nights(template: str, points: int, seconds: int) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.kit.killed", template, str(points)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _require_equal_to_the_twin(result: Any) -> None:
    assert result["twin"]["ledger_off_by"] == 0
    for point in result["points"]:
        assert (point["first"], point["again"]) == (-9, 0), point["at"]
        assert point["state"] == result["twin"], f"killed at statement {point['at']}"
