"""Kill -9 in the middle of a night: nothing lost, nothing twice."""

from __future__ import annotations

from tests.kit.killing import kill_on_postgresql, kill_on_sqlite

POINTS = 20


def test_killed_at_twenty_points_on_sqlite(tmp_path, sqlite_template):
    """R5: the end state equals that of the night nobody killed."""
    kill_on_sqlite(tmp_path, sqlite_template, POINTS)


def test_killed_at_twenty_points_on_postgresql(postgres, postgresql_template):
    """R5: the same on PostgreSQL."""
    kill_on_postgresql(postgres, postgresql_template, POINTS)
