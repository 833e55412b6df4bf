"""Four schedulers in processes of their own: every night once, whoever is stopped (R6)."""

from __future__ import annotations

from datetime import timedelta

from tests.kit.crew import Crew, live_through


def test_three_nights_of_four_processes(tmp_path, database_url):
    """R6, safety 14: one is stopped for 120 s before a night, one in the middle of the next."""
    live_through(Crew(tmp_path, database_url), 3)


def test_sigterm_in_the_middle_of_a_night_is_no_loss(tmp_path, database_url):
    """R5, safety 21: it ends in good order between two people; the next goes on from there."""
    crew = Crew(tmp_path, database_url, size=1)
    with crew.on_duty():
        crew.stop_in_the_middle()
        crew.night(100)
        assert crew.end(crew.wait_for_a_stop()) == 0
        ((_, state, _),) = crew.nights()
        assert state == "failed"
        assert 0 < crew.letters() < 200
        crew.start()
        crew.pass_by(timedelta(minutes=1))
        crew.wait_for_night(1)
        assert crew.letters() == 200
        assert set(crew.runs()) == {"applied"}
