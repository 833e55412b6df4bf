"""usher seats and usher waitlist: the licence, stale invitations, and the line (L)."""

from __future__ import annotations


def line(usher):
    """Who is in the line, in order."""
    return [row["display_name"] for row in usher("waitlist", "--json").json["waitlist"]]


def test_the_line_is_changed_by_hand(usher):
    """L3: move, reset, remove, and bring back."""
    usher("sync", "corp")
    usher.export("ann", "bob", "cyd", "dan", "eve", "fay")
    usher("sync", "corp")
    assert line(usher) == ["Dan", "Eve", "Fay"]
    assert usher("waitlist", "move", "Fay", "--to", "1", "--json").json == {"position": 1}
    assert line(usher) == ["Fay", "Dan", "Eve"]
    usher("waitlist", "reset")
    assert line(usher) == ["Dan", "Eve", "Fay"]
    usher("waitlist", "remove", "Dan", code=64)
    assert "not yet" in usher("waitlist", "remove", "Dan", "--comment", "not yet").out
    assert [row["reason"] for row in usher("waitlist", "--json").json["waitlist"]] == [
        *("no_seat", "no_seat", "taken_out")
    ]
    refused = usher("waitlist", "move", "Ann", "--to", "1", "--json", code=1)
    assert refused.json["error"]["code"] == "not_in_line"
    assert "2 more" not in usher("plan", "corp").out


def test_seats_say_what_they_can(usher):
    """L5, L6, L8: the outlook and what is over a lowered limit; a plan's what-if."""
    planned = usher("plan", "corp").out
    assert "Seats: 3 invited now, 1 wait; with 1 more seat: all 4." in planned
    usher("sync", "corp")
    assert "All seats are taken." in usher("seats").out
    lowered = {"SEAT_LIMIT": "1"}
    usher.environ.update(lowered)
    said = usher("seats")
    assert "2 over the limit: nobody is dismissed for it" in said.out
    document = usher("seats", "--json").json
    assert (document["over"], document["stale"], document["outlook"]) == (2, 0, "full")
    assert usher("seats", "stale", "--remove", "--json").json == {"stale": [], "removed": 0}
