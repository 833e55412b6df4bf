"""Kill -9 at every few statements of a night (R5, safety 4)."""

from __future__ import annotations

import pytest

from tests.kit.killing import kill_on_postgresql, kill_on_sqlite

POINTS = 250
SECONDS = 1_500


@pytest.mark.timeout(SECONDS + 100)
def test_a_night_killed_at_250_points_on_sqlite(tmp_path, sqlite_template):
    """R5: every end state equals that of the night nobody killed."""
    kill_on_sqlite(tmp_path, sqlite_template, POINTS, seconds=SECONDS)


@pytest.mark.timeout(SECONDS + 100)
def test_a_night_killed_at_250_points_on_postgresql(postgres, postgresql_template):
    """R5: the same on PostgreSQL."""
    kill_on_postgresql(postgres, postgresql_template, POINTS, seconds=SECONDS)
