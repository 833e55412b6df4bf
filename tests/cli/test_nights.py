"""Runs from the terminal: plan, apply, approve, reject, sync, release, and their exit codes."""

from __future__ import annotations

import json

PLAN = {"run", "source", "state", "digest", "read", "unchanged", "counts", "held", "actions"}
ACTIONS = {"invite", "hire_back", "update", "dismiss", "revoke", "wait", "flag"}


def test_a_plan_shows_and_changes_nothing(usher):
    """R4: the document names the run, its digest, and an action and a because for everybody."""
    plan = usher("plan", "corp", "--json").json
    assert plan.keys() >= PLAN
    assert (plan["state"], plan["read"]) == ("ready", 4)
    assert plan["counts"]["invite"] == 3
    assert plan["counts"]["wait"] == 1
    for action in plan["actions"]:
        assert action["action"] in ACTIONS
        assert action["because"]
        assert action["held"] is None
    assert [action["person"] for action in plan["actions"]] == ["ann", "bob", "cyd", "dan"]
    assert usher("people", "--json").json == {"people": []}


def test_a_plan_is_applied_once(usher):
    run = str(usher("plan", "corp", "--json").json["run"])
    assert f"Next: usher apply {run}" in usher("plan-show", run).out
    assert usher("apply", run, "--json").json["state"] == "applied"
    assert "Next" not in usher("plan-show", run).out
    assert usher("apply", run, "--json").json["state"] == "applied"
    seats = usher("seats", "--json").json
    assert (seats["limit"], seats["taken"], seats["waiting"]) == (3, 3, 1)
    line = usher("waitlist", "--json").json["waitlist"]
    assert [(row["position"], row["display_name"]) for row in line] == [(1, "Dan")]


def test_detailed_exit_codes_tell_changes_from_none(usher):
    assert usher("plan", "corp", "--detailed-exitcode", code=2).code == 2
    usher("sync", "corp")
    assert usher("plan", "corp", "--detailed-exitcode", code=0).code == 0


def test_a_dry_run_is_a_plan(usher):
    usher("sync", "corp", "--dry-run")
    assert usher("people", "--json").json["people"] == []


def test_the_first_run_of_a_source_waits_for_its_release(make_folder):
    """I10: exit 3 until an administrator released it."""
    usher = make_folder("plan")
    held = usher("sync", "corp", code=3)
    assert "waits for its release" in held.out
    run = str(usher("runs", "--json").json["runs"][0]["run"])
    assert "release" in usher("apply", run, code=3).err
    assert usher("people", "--json").json["people"] == []
    usher("release", "corp")
    usher("apply", run)
    assert len(usher("people", "--json").json["people"]) == 4


def test_what_is_flagged_is_counted_by_what_it_is(usher):
    """E3: one finding does not hide behind another."""
    usher.export("ann", "bob", "cyd")
    path = usher.folder / "corp.ldif"
    path.write_text(path.read_text().replace("mail: bob@", "mail: ann@").replace("cyd@", "@"))
    said = usher("plan", "corp").out
    flagged = [line for line in said.splitlines() if "! flag" in line]
    assert [line.split()[2:4] for line in flagged] == [["2", "ann:"], ["1", "cyd:"]], said


def grown(usher):
    """A company of twenty without a seat limit, then half of it gone: a held plan."""
    usher.environ["SEAT_LIMIT"] = "100"
    letters = "abcdefghijklmnopqrst"
    usher.export(*letters)
    usher("sync", "corp")
    usher.export(*letters[:10])
    return usher("sync", "corp", "--json", code=3).json


def test_too_many_removals_are_held_and_approved_by_digest(usher):
    """D5, R4: exit 3, nobody removed; another digest is refused; the right one is applied."""
    plan = grown(usher)
    run = str(plan["run"])
    assert plan["state"] == "held"
    assert plan["held"] == 10
    assert len(usher("people", "--json").json["people"]) == 20
    usher("approve", run, "--comment", "x", "--digest", "0" * 64, code=1)
    usher("approve", run, code=64)
    done = usher("approve", run, "--comment", "closed", "--digest", plan["digest"], "--json").json
    assert (done["state"], done["comment"]) == ("applied", "closed")
    assert len(usher("people", "--json").json["people"]) == 10


def test_a_rejected_plan_is_over(usher):
    run = str(grown(usher)["run"])
    assert usher("reject", run, "--comment", "wrong file", "--json").json["state"] == "rejected"
    refused = usher("approve", run, "--comment", "x", code=1)
    assert f"run {run} is rejected" in refused.err


def test_plan_show_narrows_to_a_kind_and_to_what_is_held(usher):
    run = str(grown(usher)["run"])
    held = usher("plan-show", run, "--held", "--json").json["actions"]
    assert len(held) == 10
    assert {action["held"] for action in held} == {"mass_removal"}
    assert usher("plan-show", run, "--kind", "invite", "--json").json["actions"] == []
    table = usher("plan-show", run, "--held").out
    assert "too many" not in table.splitlines()[0]
    assert table.count("mass_removal") == 10


def test_a_broken_export_changes_nothing(usher):
    """R2: exit 65, a sentence with the line, nobody touched."""
    usher("sync", "corp")
    path = usher.folder / "corp.ldif"
    path.write_text(path.read_text() + "\nthis is not LDIF\n")
    broken = usher("sync", "corp", "--json", code=65)
    assert broken.json["error"]["code"] == "incomplete"
    assert "line" in broken.err
    assert len(usher("people", "--json").json["people"]) == 4
    latest = usher("runs", "--json").json["runs"][0]
    assert latest["state"] == "incomplete"


def test_an_export_that_is_gone_is_unavailable(usher):
    (usher.folder / "corp.ldif").unlink()
    gone = usher("plan", "corp", code=69)
    assert "corp.ldif" in gone.err


def test_what_is_unknown_is_told(usher):
    assert 'there is no source "nobody"' in usher("plan", "nobody", code=1).err
    assert "there is no run 77" in usher("plan-show", "77", code=1).err
    assert "there is no run 77" in usher("apply", "77", code=1).err
    usher("plan-show", "seven", code=64)
    usher("plan-show", "9" * 30, code=64)
    usher("nonsense", code=64)


def test_json_is_one_document_and_words_go_elsewhere(usher):
    answer = usher("sync", "corp", "--json")
    json.loads(answer.out)
    assert "Plan" not in answer.err
    quiet = usher("sync", "corp", "--quiet")
    assert (quiet.out, quiet.err) == ("", "")


def test_a_night_is_taken_back(usher):
    """D8, R8: shown first, then applied; the next night does not do it again by itself."""
    usher.environ["SEAT_LIMIT"] = "100"
    usher.export(*"abcdef")
    usher("sync", "corp")
    usher.export(*"abcde")
    run = str(usher("sync", "corp", "--json").json["run"])
    shown = usher("undo", run)
    assert f"takes run {run} back" in shown.out
    assert "Nothing has been changed." in shown.out
    assert len(usher("people", "--json").json["people"]) == 5
    assert usher("undo", run, "--apply", "--json").json["state"] == "applied"
    assert len(usher("people", "--json").json["people"]) == 6
    again = usher("sync", "corp", code=3)
    assert f"run {run} was undone" in again.out + again.err
    assert len(usher("people", "--json").json["people"]) == 6
    told = usher("undo", run, "--apply")
    assert "changed since" in told.out
    assert "There is nothing to take back." in told.out
