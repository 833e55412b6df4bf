"""Thirty nights of four schedulers, over the end of summer time (R6, safety 14)."""

from __future__ import annotations

import pytest

from tests.kit.crew import Crew, live_through


@pytest.mark.timeout(900)
def test_thirty_nights_of_four_processes_are_thirty_runs(tmp_path, database_url):
    """R6, safety 14: ten times one is stopped before a night, ten times in the middle of one."""
    live_through(Crew(tmp_path, database_url), 30)
