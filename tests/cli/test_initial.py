"""From an ldapsearch line to a source that is checked, by the command line alone."""

from __future__ import annotations

import subprocess
import tomllib

import pytest

from tests.kit.people import plain_people
from tests.kit.slapd import running_slapd
from tests.kit.usher import USHER, Usher

STEPS = ["connect", "bind", "detect", "search", "usable", "disabled", "compare"]


@pytest.fixture
def fresh(tmp_path):
    """An Usher without any source."""
    config = tmp_path / "usher.toml"
    config.write_text('[intranet]\nname = "Corp"')
    database = f"sqlite:///{tmp_path}/usher.db"
    return Usher(tmp_path, {"USHER_CONFIG": str(config), "DATABASE_URL": database})


def test_a_pasted_line_becomes_a_source_that_is_checked(fresh):
    """Promise 6: seven steps; the password is nowhere but in its file."""
    config = fresh.folder / "usher.toml"
    with running_slapd(plain_people(9)) as slapd:
        secret = fresh.folder / "secret"
        line = (
            f"LDAPTLS_CACERT={slapd.ca_file} ldapsearch -x -H {slapd.ldaps_uri} "
            f"-D '{slapd.reader_dn}' -y '{secret}' \\\n  -b '{slapd.people_dn}' '(uid=*)' mail"
        )
        said = fresh("init", "ldap", "--name", "corp", "--write", str(config), line)
        assert f"belongs into {secret}" in said.out
        assert "not taken over" in said.out
        again = fresh("init", "ldap", "--name", "corp", "--write", str(config), line, code=78)
        assert "has a source corp already. Nothing was written" in again.err
        written = config.read_text()
        assert tomllib.loads(written)["intranet"]["name"] == "Corp"
        assert str(secret) in fresh("check", "corp", code=78).err
        secret.write_text(f"{slapd.reader_password}\n")
        report = fresh("check", "corp", "--json").json["checks"]["corp"]
        assert [step["name"] for step in report["steps"]] == STEPS
        assert "9 have mail" in fresh("check", "ldap").out
        secret.write_text("wrong")
        assert "invalidCredentials" in fresh("check", "corp", code=5).out
    assert slapd.reader_password not in written


@pytest.mark.parametrize("pasted", [True, False])
def test_words_and_stdin_say_the_same(fresh, pasted):
    words = ["ldapsearch", "-xLLL", "-Hldaps://dc1", "-wcanary", "-Dcn=a", "-bdc=corp", "(uid=*)"]
    given = "ldapsearch -xLLL -Hldaps://dc1 -wcanary \\\n -Dcn=a -bdc=corp '(uid=*)'\n"
    done = subprocess.run(
        [USHER, "init", "ldap", "--json", *([] if pasted else words)],
        cwd=fresh.folder, env=fresh.environ, input=given if pasted else "",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "canary" not in done.stdout + done.stderr
    assert '"LDAP_USER_FILTER": "(uid=*)"' in done.stdout
    assert '"LDAP_BIND_PASSWORD_FILE": "/run/secrets/ldap-password"' in done.stdout


def test_without_a_line_it_is_said_what_to_paste(fresh):
    assert "paste one that finds your people" in fresh("init", "ldap", code=78).err
    assert "cannot be called" in fresh("init", "ldap", "--name", "A b", "x", code=78).err
    assert "sources" not in (fresh.folder / "usher.toml").read_text()


@pytest.mark.parametrize(
    ("before", "name"),
    [("sources = {}\n", "cn=a"), ("sources = 3\n", "cn=a"), ("", "cn=\x7f"), ("", "cn=\udcff")],
)
def test_a_file_that_nobody_could_read_afterwards_stays_as_it_was(fresh, before, name):
    """Sources in one line, and letters that TOML does not have: no start would survive them."""
    config = fresh.folder / "other.toml"
    config.write_text(before)
    words = ["ldapsearch", "-xHldaps://dc1", f"-D{name}", "-bdc=corp"]
    said = fresh("init", "ldap", "--write", str(config), *words, code=78)
    assert "would not be TOML any more" in said.err
    assert config.read_text() == before
