"""An ldapsearch line becomes a source that reads the same people (promise 6)."""

from __future__ import annotations

import re
import shlex

import pytest

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.pasting import propose
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import ConfigurationError

WHO = "-D 'cn=usher,dc=corp' -b 'ou=People,dc=corp'"
FILTER = "'(&(uid=*)(sn=O\\27Neil))'"
LDAPS = f"ldapsearch -x -H ldaps://dc1 {WHO}"


def options(line):
    return dict(propose("corp", line).options)


def notes(line):
    return " / ".join(propose("corp", line).notes)


@pytest.mark.parametrize(
    "line",
    [
        f"{LDAPS} -LLL -W -E pr=500/noprompt {FILTER} mail cn",
        f"$ ldapsearch -H ldaps://dc1:636/ -xWLLL {WHO} -E '!pr=500' {FILTER}",
        f"ldapsearch -x \\\n -H ldaps://dc1 \\\n {WHO} -E pr=500 -P3 \\\n {FILTER} | wc -l >people",
        f"sudo /usr/bin/ldapsearch {FILTER} -x -Hldaps://dc1 {WHO} -Epr=500 2>&1",
    ],
)
def test_a_line_is_read_as_a_shell_reads_it(line):
    """Quotes, continued lines, options run together, pipes behind it."""
    found = options(line)
    assert found.pop("uri") in ("ldaps://dc1", "ldaps://dc1:636")
    assert found == {
        "bind_dn": "cn=usher,dc=corp",
        "base_dn": "ou=People,dc=corp",
        "user_filter": FILTER.strip("'"),
        "page_size": 500,
        "bind_password_file": "/run/secrets/corp-password",
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("-H ldap://dc1 -ZZ", {"uri": "ldap://dc1", "start_tls": True}),
        ("-h dc1 -p 636", {"uri": "ldaps://dc1:636"}),
        ("-h dc1 -p 3389 -Z", {"uri": "ldap://dc1:3389", "start_tls": True}),
        ("-H ldaps://dc1 -y /etc/ldap.secret", {"bind_password_file": "/etc/ldap.secret"}),
        ("-H ldaps://dc1 -o nettimeout=7 -o ldif-wrap=no", {"connect_seconds": 7}),
        ("-H ldaps://dc1 -o TLS_CACERT=/ca.pem", {"ca_file": "/ca.pem"}),
        ("-H ldaps://dc1 uid=*", {"user_filter": "(uid=*)"}),
        ("-H 'ldaps://dc1 ldaps://dc2'", {"uri": "ldaps://dc1"}),
        ("-H ldaps://dc1,ldaps://dc2:1636", {"uri": "ldaps://dc1"}),
        ("-H 'ldaps://dc1/dc=corp,dc=example'", {"uri": "ldaps://dc1"}),
    ],
)
def test_each_option_becomes_its_setting(words, expected):
    assert expected.items() <= options(f"ldapsearch -x {WHO} {words}").items()


def test_hyphens_of_a_word_processor_are_hyphens():
    assert options(LDAPS.replace(" -", " \N{EN DASH}")) == options(LDAPS)
    assert options(f"{LDAPS} '(cn=a \N{EN DASH}b)'")["user_filter"] == "(cn=a \N{EN DASH}b)"


def test_a_filter_that_finds_computers_is_told():
    assert "finds computers" in notes(f"{LDAPS} '(objectClass=user)'")
    assert "finds computers" not in notes(f"{LDAPS} '(objectClass=inetOrgPerson)'")


def test_the_environment_in_front_counts():
    found = options(f"LDAPTLS_CACERT=/etc/ca.pem {LDAPS}")
    assert found["ca_file"] == "/etc/ca.pem"
    assert "Usher does" in notes(f"LDAPTLS_REQCERT=never {LDAPS}")


@pytest.mark.parametrize("words", ["-w canary", "-wcanary", "-xwcanary"])
def test_a_password_is_never_taken_over(words):
    """Safety: it is said where it belongs."""
    found = propose("corp", f"{LDAPS} {words}")
    assert "canary" not in repr(found)
    assert "the password on the line was not taken over" in found.notes[0]
    assert found.password_file == "/run/secrets/corp-password"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("-z 500", "only a part would be read"),
        ("-l 10", "receive_seconds"),
        ("-a always", "follows no aliases"),
        ("-C", "follows no referrals"),
        ("-M", "stops the reading"),
        ("-s one", "everything below the base"),
        ("-e '!authzid=dn:cn=boss'", "as the account itself"),
        ("-E sync=ro", "-E sync is not sent"),
        ("-o foo=bar", "not known"),
        ("-o tls-reqcert=allow", "does not verify"),
        ("-Q", "SASL"),
        ("'(objectclass=*)'", "units and groups"),
        ("uid=* mail cn", "the attributes are not taken over"),
        ("-H 'ldaps://a ldaps://b'", "the first is taken"),
        ("-H ldap://dc1", "start_tls was set"),
        ("-H ldaps://dc1/dc=corp", "behind the host"),
    ],
)
def test_what_is_left_out_or_done_otherwise_is_said(words, sentence):
    assert sentence in notes(f"{LDAPS} {words}")


def test_a_password_where_none_belongs_is_not_repeated():
    """-W takes no value: what follows it is read as an attribute."""
    assert "s3cret" not in notes(f"{LDAPS} -W s3cret")


def test_an_option_that_changes_nothing_is_not_worth_a_word():
    assert notes(f"{LDAPS} -a never -LLL -A -c -d 1 -N -n -S cn -t -T /tmp -u -v -F x") == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "no ldapsearch line"),
        ("ldapmodify -x", "no ldapsearch line"),
        (f"{LDAPS} --base x", "no such option"),
        (f"{LDAPS} -E", "lacks its value"),
        (f"{LDAPS} '(uid=*)", "both quotes"),
        (f"{LDAPS} -f filters", "put the filter itself"),
        (f"{LDAPS} -Y GSSAPI", "by SASL"),
        (f"{LDAPS} -s base", "one entry only"),
        (f"{LDAPS} -P 2", "LDAP 3"),
        (f"{LDAPS} '(uid=*'", "is not a filter"),
        (f"{LDAPS} -b 'not a dn'", "base_dn"),
        (f'{LDAPS} -D "$WHO"', "only your shell knows"),
        (f"{LDAPS} -H ldapi:///", "ldaps:// or ldap://"),
        (f"ldapsearch -x {WHO}", "-H is missing"),
        ("ldapsearch -x -H ldaps://dc1 -b dc=corp", "-D is missing"),
        ("ldapsearch -x -H ldaps://dc1 -D cn=a", "-b is missing"),
    ],
)
def test_what_cannot_be_done_is_explained(line, sentence):
    """An error says what to do; nothing is half made."""
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        propose("corp", line)


def test_words_that_a_shell_took_apart_are_the_same():
    line = f"{LDAPS} -E pr=500 '(uid=*)'"
    assert propose("corp", shlex.split(line)) == propose("corp", line)


def test_the_line_a_check_prints_leads_back_to_the_same_source(open_directory, tmp_path):
    """Both ways: what is read by it is what was read before."""
    directory = open_directory(user_filter="(uid=u0000*)")
    proposed = dict(propose("corp", directory.check().same_as).options)
    secret = proposed.pop("bind_password_file")
    assert secret == "/run/secrets/corp-password"
    settings = LdapSettings.from_options("corp", proposed | {"bind_password": "reader-secret"})
    again = LdapDirectory("corp", settings, directory.attributes)
    assert len(list(again.read())) == len(list(directory.read())) == 100
