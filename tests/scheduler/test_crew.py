"""Four schedulers in processes of their own: every night once, whoever is stopped (R6)."""

from __future__ import annotations

from tests.kit.crew import Crew, live_through


def test_three_nights_of_four_processes(tmp_path, database_url):
    """R6, safety 14: one is stopped for 120 s before a night, one in the middle of the next."""
    live_through(Crew(tmp_path, database_url), 3)
