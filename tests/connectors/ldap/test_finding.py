"""One person of a real directory, found by what they are called, without reading anybody else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.factory import make_readable
from provisioning.domain.errors import SourceError, SourceUnavailableError
from tests.kit.people import PEOPLE, SUFFIX

NOW = datetime(2026, 11, 25, tzinfo=UTC)
NAMES = {"user_name": "uid", "mail": "mail", "employee_number": "employeeNumber"}
INJECTIONS = ("*)(uid=*", "*", "u00000*", ")(|(uid=*", "\\2a", "u000000)(!(uid=x", "\x00", "(", "&")


@pytest.fixture
def branch(ldap_server):
    """A part of every kind of directory, with three people."""
    return ldap_server.branch(3)


@pytest.fixture
def find(slapd):
    """Ask an OpenLDAP of 450 people, with other settings than the right ones."""

    def finding(words, **settings):
        options = {
            "uri": slapd.ldaps_uri, "bind_dn": slapd.reader_dn, "preset": "openldap",
            "bind_password": slapd.reader_password, "base_dn": PEOPLE,
            "ca_file": str(slapd.ca_file), **settings,
        }  # fmt: skip
        return make_readable("corp", "ldap", options, NAMES).directory.find(words)

    return finding


def test_somebody_is_found_by_every_name_in_every_kind_of_directory(branch):
    """R9: id, DN, user name, mail in any case: the very entry a run reads, and where it is."""
    branch.modify("u1", employeeNumber="E-1")
    corp = make_readable("corp", "ldap", branch.options(), {"employee_number": "employeeNumber"})
    people = {raw.attributes["mail"][0]: raw for raw in corp.directory.read()}
    raw = people["u1@corp.example"]
    user_name = corp.mapping.person("corp", raw, NOW).user_name
    for words in (raw.anchor, raw.anchor.upper(), raw.where, raw.where.lower(), user_name,
                  user_name.upper(), "U1@Corp.Example", " u1@corp.example ", "e-1"):  # fmt: skip
        found = [one for one in corp.directory.find(words) if one.in_scope]
        assert [one.raw.raw_hash() for one in found] == [raw.raw_hash()], words
        assert branch.unit("People").lower() in found[0].scope.lower()
    assert corp.directory.find("nobody by this name") == []


def test_the_short_name_of_active_directory_finds_them_too(samba):
    """R9: what people sign in with, though no field is mapped from it."""
    branch = samba.branch(1)
    branch.add("ann", sAMAccountName="ann-short")
    corp = make_readable("corp", "ldap", branch.options(), {})
    [found] = corp.directory.find("Ann-Short")
    assert (found.raw.where.lower(), found.in_scope) == (branch.people["ann"].lower(), True)


def test_an_address_active_directory_writes_with_smtp_in_front_is_found(samba):
    """R9, E4: proxyAddresses are aliases."""
    branch = samba.branch(2)
    branch.modify("u0", proxyAddresses=["SMTP:ann@corp.example", "smtp:old.ann@corp.example"])
    corp = make_readable("corp", "ldap", branch.options(), {})
    for words in ("old.ann@corp.example", "Ann@corp.example"):
        [found] = corp.directory.find(words)
        assert found.raw.where.lower() == branch.people["u0"].lower()


@pytest.mark.parametrize("words", [*INJECTIONS, "", "  ", "uid=*", "=", "cn=x)(uid=*"])
def test_words_are_a_value_and_never_a_filter(find, words):
    """Safety: whatever is asked for, it is the name of one person, or of nobody."""
    assert find(words) == []


def test_somebody_whose_name_looks_like_a_filter_is_found_by_it(find, slapd):
    """RFC 4515: every sign of a filter can stand in a name."""
    name = r"odd*(name)\of & all"
    slapd.modify("u000007", employeeNumber=name)
    try:
        [found] = find(name)
    finally:
        slapd.modify("u000007", employeeNumber="")
    assert found.raw.attributes["uid"] == ("u000007",)


def test_nobody_else_is_read(find, slapd):
    """R9: an account that may read five entries finds one of 450; a name of many is refused."""
    slapd.limit_size(5)
    try:
        [found] = find("u000123@corp.example")
    finally:
        slapd.limit_size(None)
    assert found.in_scope
    namesakes = [f"u{number:06}" for number in range(1, 23)]
    try:
        for uid in namesakes:
            slapd.modify(uid, employeeNumber="same")
        with pytest.raises(SourceError, match=r"more than 20 entries .* Ask by the id or the DN"):
            find("same")
    finally:
        for uid in namesakes:
            slapd.modify(uid, employeeNumber="")


def test_who_is_not_in_scope_is_found_and_told_why(find, slapd):
    """R9: the setting that leaves them out is named: base, exclusion, filter."""
    away = slapd.entries["u000003"]
    for settings, reason in (
        ({"base_dn": f"ou=Empty,{SUFFIX}"}, f"it is not below ou=Empty,{SUFFIX} (base_dn)"),
        ({"exclude": away.dn.upper()}, f"it is left out by {away.dn.upper()} (exclude)"),
        ({"exclude": away.entry_uuid}, f"it is left out by {away.entry_uuid} (exclude)"),
        ({"user_filter": "(title=Boss)"}, "(title=Boss) does not find it (user_filter)"),
        (
            {"user_filter": "(title=Boss)", "exclude": away.dn},
            f"it is left out by {away.dn} (exclude) and (title=Boss) does not find it",
        ),
        ({"id_attribute": "employeeNumber"}, "it has no employeeNumber, or the account may not"),
    ):
        for words in (away.dn, away.mail):
            [found] = find(words, **settings)
            assert not found.in_scope
            assert reason in found.scope
            assert found.raw.attributes["mail"] == (away.mail,)
    assert found.raw.problem == "employeeNumber is missing: nothing says who"


def test_whoever_the_account_may_not_see_is_not_found(find, slapd):
    """R2: not found concludes nothing; a directory that does not answer is told as such."""
    with slapd.hiding("dn.base=uid=u000004,ou=People,dc=corp,dc=example"):
        assert find("u000004") == []
    with pytest.raises(SourceUnavailableError):
        find("u000004", uri="ldaps://127.0.0.1:9", connect_seconds=1)
    with pytest.raises(SourceError, match="ou=Nowhere"):
        find("u000004", base_dn=f"ou=Nowhere,{SUFFIX}")
