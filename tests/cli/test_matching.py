"""The matching queue from the terminal: usher matches, usher match (P2-P5)."""

from __future__ import annotations


def doubtful(usher):
    """Two newcomers of one address: nobody can tell whose it is."""
    usher.export("ann", "bob")
    path = usher.folder / "corp.ldif"
    path.write_text(path.read_text().replace("mail: bob@", "mail: ann@"))
    said = usher("sync", "corp").out
    assert "Say who they are: usher matches" in said


def test_who_may_be_somebody_is_listed_with_the_evidence(usher):
    """P3: both of them, each may be the other."""
    doubtful(usher)
    found = usher("matches", "--json").json["matches"]
    assert [(row["name"], row["candidates"][0]["name"]) for row in found] == [
        ("Ann", "Bob"),
        ("Bob", "Ann"),
    ]
    said = usher("matches").out
    assert "Bob (newcomer), same mail" in said
    assert "2 to decide" in said
    assert usher("matches", "--decided", "--json").json == {"matches": []}


def test_a_decision_is_done_at_once(usher):
    """P5: new, then the other one ignored, asked again, and named as the first."""
    doubtful(usher)
    assert "Ann of corp is invited" in usher("match", "corp", "ann", "--new").out
    assert "is ignored" in usher("match", "corp", "bob", "--ignore").out
    decided = usher("matches", "--decided").out
    assert "new person, by" in decided
    assert usher("match", "corp", "bob", "--reopen", "--json").json["decision"] is None
    shown = usher("match", "corp", "bob")
    assert "Decide: --same EMPLOYEE, --new or --ignore" in shown.out
    people = usher("people", "--json").json["people"]
    assert [(one["display_name"], one["state"]) for one in people] == [("Ann", "invited")]
    refused = usher("match", "corp", "bob", "--same", "Ann", "--json", code=1)
    assert refused.json["error"]["code"] == "match"
    assert "two people of one source" in refused.err


def test_what_cannot_be_meant_is_told(usher):
    """The sentence says what there is instead."""
    doubtful(usher)
    assert "try `usher matches`" in usher("match", "corp", "eve", "--new", code=1).err
    assert "there are: corp" in usher("match", "hr", "ann", "--new", code=1).err
    usher("match", "corp", "ann", "--new", "--ignore", code=64)
    assert "no employee" in usher("match", "corp", "ann", "--same", "eve", code=1).err
    usher("match", "corp", "ann", "--ignore")
    assert "before: ignore" in usher("match", "corp", "ann", "--new", code=1).err
