"""usher mapping from the terminal: try, count, save, list, roll back (R8)."""

from __future__ import annotations

import pytest

RULES = """\
[mapping]
department = { expr = 'title(first("uid"))' }
"""
BROKEN = """\
[mapping]
user_name = "uid"
department = { expr = 'titel(first("uid"))' }
"""
SILENT = """
[sources.far]
type = "ldap"
uri = "ldaps://127.0.0.1:9"
base_dn = "dc=corp,dc=example"
bind_dn = "cn=usher,dc=corp,dc=example"
bind_password = "secret"
[sources.far.mapping]
title = "role"
"""


@pytest.fixture
def rules(usher):
    """A file that makes a department of everybody's uid."""
    path = usher.folder / "rules.toml"
    path.write_text(RULES)
    return "rules.toml"


def test_rules_are_tried_on_real_people(usher, rules):
    """R8: expression, raw values and result of a few people, or of whoever is named."""
    said = usher("mapping", "test", rules, "--sample", "2").out
    assert said.count("   id 00000000-") == 2
    assert 'department      Ann  from title(first("uid")) (uid ann)' in said
    found = usher("mapping", "test", rules, "--json").json
    assert (found["source"], len(found["people"])) == ("corp", 4)
    [dan] = usher("mapping", "test", rules, "--person", "dan", "--json").json["people"]
    assert {step["field"]: step["value"] for step in dan["fields"]}["department"] == "Dan"
    assert usher("people", "--json").json["people"] == []


def test_a_bad_file_is_told_by_place_and_with_what_helps(usher, rules):
    """Exit code 78: line and column in the file and in the expression; nothing is read."""
    path = usher.folder / rules
    path.write_text(BROKEN)
    for words in (("test", rules), ("effect", "corp", rules), ("save", "corp", rules, "--yes")):
        said = usher("mapping", *words, code=78).err
        assert "usher: rules.toml, line 3, column 29: department: undeclared reference" in said
        assert '"title"? (line 1, column 6 of the expression). docs/mapping.md has' in said
    path.write_text("[mapping]\nmail = \n")
    assert "rules.toml, line 2, column 8" in usher("mapping", "test", rules, code=78).err
    path.write_bytes(b"\xff")
    assert "is not UTF-8" in usher("mapping", "test", rules, code=78).err
    assert "nowhere.toml cannot be read" in usher("mapping", "test", "nowhere.toml", code=78).err
    assert 'no source "other"' in usher("mapping", "versions", "other", code=1).err


def test_a_mapping_is_counted_saved_planned_and_rolled_back(usher, rules):
    """R8: the effect first, a version after it, and the next run is only planned."""
    usher("sync", "corp")
    effect = usher("mapping", "effect", "corp", rules)
    for words in ("corp   4 read   4 would change", "department      4", "Ann: - -> Ann",
                  "Save it: usher mapping save corp rules.toml"):  # fmt: skip
        assert words in effect.out
    assert "so nothing was saved" in usher("mapping", "save", "corp", rules, code=64).err
    assert len(usher("mapping", "versions", "corp", "--json").json["versions"]) == 1
    saved = usher("mapping", "save", "corp", rules, "--yes", "--comment", "names")
    assert "Version 1 maps corp from now on. The next run is only planned" in saved.out
    assert "in force already" in usher("mapping", "save", "corp", rules, "--yes").out
    run = usher("sync", "corp", "--json", code=None).json
    assert (run["state"], run["counts"]["update"]) == ("ready", 4)
    setting = usher("config", "show", "--origin", "--json").json[
        "sources.corp.mapping.department.expr"
    ]
    assert setting["value"] == 'title(first("uid"))'
    assert setting["origin"].startswith("version 1, saved by ")
    assert setting["origin"].endswith("(usher mapping versions corp)")
    listed = usher("mapping", "versions", "corp").out
    assert "1 in force" in listed
    assert "names" in listed
    shown = usher("mapping", "show", "corp").out
    assert shown.startswith("# corp: version 1, saved by ")
    assert "[mapping]\ndepartment = { expr = 'title(first(\"uid\"))' }\n" in shown
    back = usher("mapping", "restore", "corp", "0", "--yes", "--json").json["saved"]
    assert (back["number"], back["from_configuration"]) == (2, True)
    assert usher("mapping", "show", "corp", "--json").json["rules"] == {}
    assert usher("mapping", "restore", "corp", "7", "--yes", code=1).err.startswith(
        "usher: there is no version 7"
    )


def test_a_newcomer_begins_with_the_preset_s_rules(usher):
    """R8: what counts without rules of one's own stands there as comments, to be edited."""
    usher.export("ann")
    shown = usher("mapping", "show", "corp").out
    comment, table, *lines = shown.splitlines()
    assert comment == (
        "# corp: the configuration. Commented lines are the preset's: take the # off to begin "
        "with one."
    )
    assert table == "[mapping]"
    assert "# display_name = 'displayName'" in lines
    assert all(line.startswith("# ") for line in lines)
    path = usher.folder / "corp.toml"
    path.write_text(shown)
    assert "0 would change" in usher("mapping", "effect", "corp", "corp.toml").out
    path.write_text(shown.replace("# display_name = 'displayName'", "display_name = 'uid'"))
    usher("mapping", "save", "corp", "corp.toml", "--yes")
    assert usher("mapping", "show", "corp", "--json").json["rules"] == {"display_name": "uid"}
    following = usher("mapping", "show", "corp").out
    assert "\n[mapping]\ndisplay_name = 'uid'\n# " in following
    assert "displayName" not in following


def test_own_rules_are_shown_while_no_directory_says_which_preset_it_is(usher):
    """Origin: what cannot be known is said, and the rest is shown."""
    config = usher.folder / "usher.toml"
    config.write_text(config.read_text() + SILENT)
    shown = usher("mapping", "show", "far")
    assert shown.out == (
        "# far: the configuration. The other fields are as in the preset.\n[mapping]\n"
        "title = 'role'\n"
    )
    assert "usher: which preset that is, is not known: 127.0.0.1:9 cannot be reached" in shown.err


def test_a_mistake_in_the_configuration_is_told_by_whose_it_is(usher):
    """Promise 7: the source, or the line and column of its mapping_file; nothing is read."""
    config, rules = usher.folder / "usher.toml", usher.folder / "rules.toml"
    written = config.read_text()
    config.write_text(f"{written}\n[sources.corp.mapping]\nmail = {{ expr = 'frist(\"mail\")' }}\n")
    said = usher("plan", "corp", code=78).err
    assert said.startswith("usher: sources.corp.mapping.mail: line 1, column 6: undeclared")
    assert "docs/mapping.md has" in said
    rules.write_text(BROKEN)
    config.write_text(f'{written}\nmapping_file = "{rules}"\n')
    assert (
        f"usher: {rules}, line 3, column 29: department: und" in usher("plan", "corp", code=78).err
    )


def test_settings_are_shown_without_a_database_too(usher):
    """Origin: what cannot be known is said, and the rest is shown."""
    usher.environ["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/none"
    shown = usher("config", "show", "--origin")
    assert "sources.corp.first_run" in shown.out
    assert "whether a saved mapping stands before these settings is not known" in shown.err
