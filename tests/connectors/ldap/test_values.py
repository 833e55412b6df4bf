"""What a real OpenLDAP says of somebody, as it is read: values, ids and names with oddities."""

from __future__ import annotations

import os

import ldap3
import pytest

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.entries import PersonReader
from provisioning.domain.errors import SourceError
from tests.kit.cutting import cutting
from tests.kit.people import PEOPLE, SUFFIX


def read(directory):
    snapshot = directory.read()
    return list(snapshot), snapshot.proof


def test_mail_that_is_hidden_reads_as_no_mail(open_directory, slapd):
    """Promise 8: everybody is there, nothing is invented; the brake on attributes is the run's."""
    with slapd.hiding("attrs=mail"):
        people, proof = read(open_directory())
    assert proof.entries == 450
    assert not any("mail" in person.attributes for person in people)
    assert all(person.problem is None for person in people)


def test_a_huge_value_is_read_only_where_it_is_asked_for(open_directory, slapd):
    """Promise 2: 12 MB of photo cost nothing to whoever does not want it, and break nobody."""
    slapd.modify("u000007", jpegPhoto=os.urandom(12 << 20))
    try:
        with cutting(slapd.tls_port) as proxy:
            read(open_directory(uri=f"ldaps://127.0.0.1:{proxy.port}"))
            assert proxy.passed < 1 << 20
        directory = open_directory()
        people, _ = read(LdapDirectory("corp", directory.settings, ("uid", "jpegPhoto")))
    finally:
        slapd.modify("u000007", jpegPhoto="")
    assert len(people) == 450
    assert [person.problem for person in people if person.problem] == [
        "jpegPhoto is not UTF-8 text"
    ]


def test_only_the_plain_attribute_counts(open_directory, slapd):
    """A name in German, or a tagged mail, is another attribute."""
    changes = {
        "cn;lang-de": [(ldap3.MODIFY_REPLACE, ["Deutscher Name"])],
        "mail;lang-x-old": [(ldap3.MODIFY_REPLACE, ["old@corp.example"])],
    }
    with slapd.administering() as connection:
        assert connection.modify(slapd.entries["u000009"].dn, changes), connection.result
    try:
        people, _ = read(open_directory())
    finally:
        with slapd.administering() as connection:
            nothing = {name: [(ldap3.MODIFY_REPLACE, [])] for name in changes}
            connection.modify(slapd.entries["u000009"].dn, nothing)
    [person] = [person for person in people if person.attributes["uid"] == ("u000009",)]
    assert person.attributes["mail"] == ("u000009@corp.example",)
    assert "Deutscher Name" not in person.attributes["cn"]


def test_an_id_of_two_values_is_none(open_directory, slapd):
    """R2: a server gives them in any order, so neither is immutable."""
    slapd.modify("u000001", employeeNumber="7")
    slapd.modify("u000002", title=["b", "a"])
    try:
        people, proof = read(open_directory(id_attribute="title"))
    finally:
        slapd.modify("u000001", employeeNumber="")
        slapd.modify("u000002", title="Engineer")
    assert (len(people), proof.removals_proven) == (449, False)


def test_names_are_known_however_the_server_writes_them(open_directory, slapd):
    """R2: it gives a name back with other escapes than it was given."""
    names = (r"cn=\23M\C3\BCller\2C \22Jo\2Be\22 \3Cx\3E,ou=People", r"cn=B\,b,ou=People")
    dns = [f"{name},{SUFFIX}" for name in names]
    with slapd.administering() as connection:
        for dn in dns:
            assert connection.add(dn, "inetOrgPerson", {"sn": "x", "uid": "x"}), connection.result
    try:
        written = (f'CN = "#Müller,  \\"Jo+e\\" <x>",{PEOPLE.upper()}', rf"cn=b\2cB, {PEOPLE}")
        people, proof = read(open_directory(exclude=[written[0]], sentinel_dn=written[1]))
        assert len(people) == 451
        assert "1 left out by" in proof.detail
        with pytest.raises(SourceError, match="sentinel"):
            read(open_directory(exclude=[written[1]], sentinel_dn=f"cn=B,{PEOPLE}"))
    finally:
        with slapd.administering() as connection:
            for dn in dns:
                connection.delete(dn)


def test_values_that_are_not_text_are_that_persons_problem(open_directory, slapd):
    """Promise 7: the others are read."""
    directory = open_directory()
    with_photo = type(directory)("corp", directory.settings, ("uid", "jpegPhoto"))
    slapd.modify("u000007", jpegPhoto=b"\xff\xd8\xff\xe0")
    try:
        people, _ = read(with_photo)
    finally:
        slapd.modify("u000007", jpegPhoto="")
    problems = [person for person in people if person.problem]
    assert [person.problem for person in problems] == ["jpegPhoto is not UTF-8 text"]
    assert len(people) == 450


def test_a_nul_in_an_id_or_a_place_is_nothing_a_database_refuses(open_directory, slapd):
    """Promise 7: one such entry is skipped and counted; it does not end the run."""
    slapd.modify("u000003", title="a\0b")
    try:
        people, proof = read(open_directory(id_attribute="title"))
    finally:
        slapd.modify("u000003", title="Engineer")
    assert not any("\0" in person.anchor for person in people)
    assert "1 without title skipped" in proof.detail
    entry = {"dn": "uid=a\0b,dc=corp", "raw_attributes": {}}
    assert PersonReader("uid", ()).person(entry, "x").where == r"uid=a\00b,dc=corp"
