"""Looking from the terminal: people, mismatches, checks, settings, tokens, jobs, the database."""

from __future__ import annotations

import csv
import io

import pytest

from provisioning.cli.output import Screen, fail
from tests.kit.postgres import free_port


@pytest.fixture
def filled(usher):
    """Four people, one of them with a name a spreadsheet would run."""
    path = usher.folder / "corp.ldif"
    path.write_text(path.read_text().replace("cn: Bob", "cn: =1+1"))
    path.write_text(path.read_text().replace("mail: cyd@corp.example\n", ""))
    usher("sync", "corp")
    return usher


def test_people_are_listed_and_found(filled):
    people = filled("people", "--json").json["people"]
    assert {person["state"] for person in people} == {"invited", "waiting"}
    assert len(filled("people", "--state", "waiting", "--json").json["people"]) == 1
    assert [
        p["display_name"] for p in filled("people", "--search", "ANN", "--json").json["people"]
    ] == ["Ann"]
    assert "ann@corp.example" in filled("people").out


@pytest.mark.parametrize("key", ["ann", "ANN@corp.example", "Ann", "1"])
def test_a_person_is_found_by_whatever_identifies_them(filled, key):
    found = filled("person", key, "--json").json
    assert found["display_name"] == "Ann"
    assert found["why"].startswith("invited because new in corp")


def test_why_is_one_sentence(filled):
    """S4: every state has its because."""
    assert filled("person", "ann", "--why").out.startswith("Ann (1) is invited because")
    assert filled("person", "nobody", code=1).err.startswith("usher: there is no employee")


def test_mismatches_come_as_table_csv_and_json(filled):
    """E9: the same rows, and no cell a spreadsheet would run."""
    found = filled("mismatches", "--json").json["mismatches"]
    text = filled("mismatches", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["kind"] for row in rows] == [finding["kind"] for finding in found]
    assert "no_usable_address" in {row["kind"] for row in rows}
    assert filled("mismatches", "--format", "json").json["mismatches"] == found
    assert "1 open" in filled("mismatches", "--kind", "no_usable_address").out


def test_checks_connect_read_and_count(usher):
    found = usher("check", "--json").json["checks"]
    assert found.keys() == {"corp", "mail", "db"}
    assert not any(report["failed"] for report in found.values())
    assert usher("check", "ldif", "--json").json["checks"].keys() == {"corp"}
    (usher.folder / "corp.ldif").unlink()
    assert "FAILED" in usher("check", "corp", code=5).out
    assert "there is no source or service" in usher("check", "nothing", code=1).err


def test_a_directory_that_does_not_answer_is_unavailable(usher):
    usher.environ |= {
        "LDAP_URI": f"ldaps://127.0.0.1:{free_port()}",
        "LDAP_BIND_DN": "cn=reader,dc=corp,dc=example",
        "LDAP_BIND_PASSWORD": "a canary of a password",
        "LDAP_BASE_DN": "dc=corp,dc=example",
    }
    for words, code in ((("plan", "ldap"), 69), (("check", "ldap"), 5)):
        answer = usher(*words, code=code)
        assert "canary" not in answer.out + answer.err
        assert "127.0.0.1" in answer.out + answer.err


def test_settings_show_their_origin_and_hide_their_secrets(usher):
    usher.environ["SMTP_URL"] = "smtp://joe:canary-of-a-password@127.0.0.1:2525"
    usher.environ["MAIL_FROM"] = "intranet@corp.example"
    shown = usher("config", "show", "--origin", "--json")
    assert "canary" not in shown.out + shown.err
    assert "a secret of this test" not in shown.out
    document = shown.json
    assert document["seats.limit"]["value"] in (3, "3")
    assert "usher.toml" in document["seats.limit"]["origin"]
    assert "SECRET_KEY" in document["web.secret_key"]["origin"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("[seats]\nlimti = 3", "did you mean"),
        ('[seats]\nlimit = "many"', "seats.limit"),
        ("[seats\nlimit = 3", "usher.toml"),
        ('[sources.x]\ntype = "ldpa"', "ldap"),
        ('[sources.x]\ntype = "ldif"', "path"),
    ],
)
def test_a_wrong_configuration_is_told_and_nothing_starts(usher, line, sentence):
    """Exit 78, the file, the key and what was probably meant."""
    (usher.folder / "usher.toml").write_text(line)
    refused = usher("seats", code=78)
    assert sentence in refused.err
    assert not (usher.folder / "usher.db").exists()


def test_jobs_are_listed_and_run_by_hand(usher):
    names = usher("jobs", "list", "--json").json["jobs"].keys()
    assert names >= {"nightly", "delivery", "invitations", "waiting", "seats", "findings"}
    usher("jobs", "run", "seats")
    assert "there is no job" in usher("jobs", "run", "nothing", code=1).err


def test_the_database_is_migrated_and_compared(usher):
    usher("db", "upgrade")
    assert usher("db", "check", "--json").json == {"differences": []}
    usher.environ["DATABASE_URL"] = f"postgresql://nobody@127.0.0.1:{free_port()}/usher"
    assert "database" in usher("seats", code=69).err
    usher.environ["DATABASE_URL"] = "mysql://x/y"
    usher("seats", code=78)


def test_what_a_directory_calls_somebody_is_no_command_for_a_terminal(capsys):
    """Whoever may name their own entry would otherwise write over what a check says."""
    screen = Screen(wiring=None)
    screen.say("uid=\x1b[2Kann\tok", "cn=\x9b31mbob\n  cid")
    with pytest.raises(SystemExit):
        fail(screen, "incomplete", "uid=\x1b[2Kann", 65)
    said, complained = capsys.readouterr()
    assert said == "uid=?[2Kann\tok\ncn=?31mbob\n  cid\n"
    assert complained == "usher: uid=?[2Kann\n"
