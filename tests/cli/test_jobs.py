"""Jobs and brakes from the terminal (R6)."""

from __future__ import annotations


def test_a_job_is_paused_run_and_looked_back_at(usher):
    """R6: with who, why and how it went; a paused one is not run."""
    assert "No scheduler runs" in usher("jobs", "list").out
    usher("jobs", "pause", "nightly", "--comment", "the directory moves")
    assert "paused since" in usher("jobs").out
    refused = usher("jobs", "run", "nightly", "--json", code=75).json
    assert refused["error"]["code"] == "paused"
    usher("jobs", "resume", "nightly")
    assert "corp: run 1" in usher("jobs", "run", "nightly").out
    (row,) = usher("jobs", "history", "nightly", "--json").json["history"]
    assert (row["run"]["state"], row["run"]["error"]) == ("done", None)
    assert row["run"]["asked_by"]
    assert "done" in usher("jobs", "history").out


def test_a_brake_stops_commands_until_it_is_off(usher):
    """Safety: a sentence that says who, why, and what to do."""
    usher("brake", "on", "read-only", "--comment", "a restore")
    assert "a restore" in usher("brake", "list").out
    assert "usher brake off read-only" in usher("sync", "corp", code=75).err
    usher("brake", "off", "read-only")
    usher("sync", "corp")
    (first, *_) = usher("brake", "--json").json["brakes"]
    assert (first["name"], first["on"]) == ("read-only", None)
