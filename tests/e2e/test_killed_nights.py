"""Kill -9 in the middle of a night: nothing lost, nothing twice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

from tests.kit.documents import ROOT

POINTS = 20


def nights(template):
    done = subprocess.run(
        [sys.executable, "-m", "tests.kit.killed", template, str(POINTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_equal_to_the_twin(result):
    assert result["twin"]["ledger_off_by"] == 0
    for point in result["points"]:
        assert (point["first"], point["again"]) == (-9, 0), point["at"]
        assert point["state"] == result["twin"], f"killed at statement {point['at']}"


def test_killed_at_twenty_points_on_sqlite(tmp_path, sqlite_template):
    """R5: the end state equals that of the night nobody killed."""
    for point in range(POINTS + 1):
        shutil.copy(sqlite_template, tmp_path / f"{point}.db")
    assert_equal_to_the_twin(nights(f"sqlite:///{tmp_path}/{{point}}.db"))


def test_killed_at_twenty_points_on_postgresql(postgres, postgresql_template):
    """R5: the same on PostgreSQL."""
    prefix = "killed_night"
    for point in range(POINTS + 1):
        postgres.create_database(f"{prefix}_{point}", template=postgresql_template)
    try:
        assert_equal_to_the_twin(nights(postgres.url(f"{prefix}_{{point}}")))
    finally:
        for point in range(POINTS + 1):
            postgres.drop_database(f"{prefix}_{point}")
