"""One person from the terminal: plan SOURCE --person X, sync SOURCE --person X (R9)."""

from __future__ import annotations


def test_one_person_is_shown_and_then_done(usher):
    """R9: a document with every step; nothing before it is asked for, everything after."""
    trace = usher("plan", "corp", "--person", "ann", "--json").json
    assert trace["found"][0]["id"] == "00000000-0000-0000-0000-000000000097"
    assert trace["found"][0]["in_scope"] is True
    assert {step["field"]: step["value"] for step in trace["rules"]}["mail"] == "ann@corp.example"
    assert [step["action"] for step in trace["decisions"]] == ["invite"]
    assert {effect["kind"] for effect in trace["effects"]} >= {"state", "seat", "invitation"}
    assert trace["done"] is False
    usher("plan", "corp", "--person", "ann", "--detailed-exitcode", code=2)
    usher("sync", "corp", "--person", "ann", "--dry-run")
    assert usher("people", "--json").json["people"] == []
    assert usher("sync", "corp", "--person", "ann", "--json").json["done"] is True
    [ann] = usher("people", "--json").json["people"]
    assert ann["display_name"] == "Ann"
    known = usher("plan", "corp", "--person", str(ann["number"]), "--detailed-exitcode")
    assert "says what it said before" in known.out


def test_the_steps_are_readable(usher):
    said = usher("plan", "corp", "--person", "ann@corp.example").out
    for words in ("read      uid=ann,ou=People", "in scope: in corp.ldif", "from mail",
                  "nobody here is linked", "invite, because new in corp",
                  "Do it: usher sync corp --person 00000000-"):  # fmt: skip
        assert words in said
    assert "Done" in usher("sync", "corp", "--person", "ann@corp.example").out


def test_nobody_by_that_name_is_an_error_that_concludes_nothing(usher):
    """R2: exit 1, and why that says nothing about anybody who left."""
    usher("sync", "corp")
    usher.export("bob")
    gone = usher("sync", "corp", "--person", "ann", code=1)
    assert "only a complete reading says that somebody left" in gone.err
    assert usher("plan", "corp", "--person", "zoe", "--json", code=1).json["error"]["code"] == (
        "not_found"
    )


def test_an_unreleased_source_is_shown_and_waits(make_folder):
    """I10: the trace works; doing it is exit 3."""
    usher = make_folder("plan")
    assert "First: usher release corp" in usher("plan", "corp", "--person", "ann").out
    assert "waits for its release" in usher("sync", "corp", "--person", "ann", code=3).err
