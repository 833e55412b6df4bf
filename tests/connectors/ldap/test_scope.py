"""Who is read: several bases, whoever is left out, and the same people asked for by id."""

from __future__ import annotations

import pytest

from connectors.ldap.connection import signed_in
from connectors.ldap.presets import load_preset
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import ConfigurationError, SourceError
from tests.kit.people import PEOPLE, SUFFIX, Entry

CONTRACTORS = f"ou=Contractors,{SUFFIX}"
EMPTY = f"ou=Empty,{SUFFIX}"
RIGHT = {"uri": "ldaps://dc1", "bind_dn": "cn=usher", "bind_password": "hidden-word"}


def read(directory):
    snapshot = directory.read()
    return {raw.attributes["uid"][0] for raw in snapshot}, snapshot.proof


def by_id(directory, ids):
    """Everybody found, and the ids that were not."""
    asking = directory.search(load_preset("openldap")).people_by_id(ids)
    found = []
    while True:
        try:
            found.append(next(asking))
        except StopIteration as end:
            return found, list(end.value)


@pytest.fixture
def contractors(slapd):
    """Two people below another unit."""
    entries = [Entry(f"c{n}", "Con", "Tractor", ou="Contractors") for n in range(2)]
    with slapd.administering() as connection:
        for entry in entries:
            assert connection.add(entry.dn, attributes=entry.attributes()), connection.result
    yield entries
    with slapd.administering() as connection:
        for entry in entries:
            connection.delete(entry.dn)


def test_several_bases_are_read_as_one(open_directory, contractors):
    """Promise 1: a list, or one text with semicolons, as a variable has it."""
    for bases in ([PEOPLE, CONTRACTORS], f"{CONTRACTORS}; {PEOPLE}"):
        uids, proof = read(open_directory(base_dn=bases))
        assert (len(uids), proof.entries, proof.pages) == (452, 452, 6)
        assert {"c0", "c1", "u000000"} <= uids


def test_one_base_may_be_empty_and_the_proof_says_so(open_directory):
    """R2: nobody below one of them is told; all of them have to be there."""
    _, proof = read(open_directory(base_dn=[PEOPLE, EMPTY]))
    assert f"nobody below {EMPTY}" in proof.detail
    missing = f"ou=Missing,{SUFFIX}"
    with pytest.raises(SourceError, match=f"the base {missing} cannot be read: noSuchObject"):
        read(open_directory(base_dn=[PEOPLE, missing]))


def test_who_is_left_out_is_counted(open_directory, contractors, slapd):
    """Promise 1: an entry by its DN in any spelling, everything below one, or an id."""
    away = slapd.entries["u000002"].entry_uuid.upper()
    exclude = [f"UID = U000001,{PEOPLE}", CONTRACTORS, away, f"uid=nobody,{PEOPLE}"]
    uids, proof = read(open_directory(base_dn=SUFFIX, exclude=exclude))
    assert len(uids) == proof.entries == 448
    assert not uids & {"u000001", "u000002", "c0", "c1"}
    assert f"1 left out by UID = U000001,{PEOPLE}" in proof.detail
    assert f"2 left out by {CONTRACTORS}" in proof.detail
    assert f"1 left out by {away}" in proof.detail
    assert f"nobody was left out by uid=nobody,{PEOPLE}" in proof.detail


def test_whoever_is_asked_for_by_id_is_who_a_reading_would_yield(
    open_directory, contractors, slapd
):
    """R9, promise 4: the same entry or none: out of the base, left out, filtered out, gone."""
    directory = open_directory(exclude=[slapd.entries["u000002"].entry_uuid])
    everyone = {raw.anchor: raw for raw in directory.read()}
    wanted = [slapd.entries[f"u{n:06}"].entry_uuid for n in range(250)]
    with slapd.administering() as connection:
        connection.search(CONTRACTORS, "(uid=c0)", attributes=["entryUUID"])
        outside = connection.response[0]["raw_attributes"]["entryUUID"][0].decode()
    absent = ["00000000-0000-0000-0000-000000000000", "*)(uid=*", outside]
    found, missing = by_id(directory, [*wanted, *absent])
    assert {raw.anchor: raw for raw in found} == {
        anchor: everyone[anchor] for anchor in wanted if anchor in everyone
    }
    assert len(found) == 249
    assert sorted(missing) == sorted([*absent, slapd.entries["u000002"].entry_uuid])


def test_a_connection_can_be_used_again_for_ids(open_directory, slapd):
    """Promise 4: what changed is read where it was told."""
    directory = open_directory()
    with signed_in(directory.settings) as connection:
        asked = directory.search(load_preset("openldap"))
        [ann] = asked.people_by_id([slapd.entries["u000001"].entry_uuid], connection)
        assert ann.attributes["uid"] == ("u000001",)
        assert connection.bound


def test_asking_by_id_fails_as_reading_does(open_directory, slapd):
    """R2: an answer that is not whole finds nobody missing."""
    with pytest.raises(SourceError, match="noSuchObject"):
        by_id(open_directory(base_dn=f"ou=Missing,{SUFFIX}"), ["x"])
    slapd.limit_size(10)
    try:
        with pytest.raises(SourceError, match="sizeLimitExceeded"):
            by_id(open_directory(), [entry.entry_uuid for entry in slapd.entries.values()])
    finally:
        slapd.limit_size(None)


def test_a_mark_is_taken_before_the_first_page(open_directory):
    """Promise 4: whatever changes while everyone is read comes with the next changes."""
    from dataclasses import replace

    heard = []

    def mark(connection):
        heard.append(connection.bound)
        return "csn"

    directory = open_directory()
    reading = replace(directory.search(load_preset("openldap")), mark_before=mark).people()
    next(reading)
    assert heard == [True]
    proof = None
    while proof is None:
        try:
            next(reading)
        except StopIteration as end:
            proof = end.value
    assert proof.mark == "csn"


def test_another_scope_has_another_digest(open_directory):
    """R8: bases, filter, id, exclusions and where groups are; not their order or the server."""
    usual = open_directory()
    for other in (
        {"base_dn": SUFFIX},
        {"base_dn": [PEOPLE, EMPTY]},
        {"user_filter": "(uid=*)"},
        {"id_attribute": "uid"},
        {"exclude": ["x"]},
    ):
        assert open_directory(**other).scope != usual.scope
    assert open_directory(uri="ldaps://elsewhere").scope == usual.scope
    elsewhere, groups = {"group_base_dn": EMPTY}, {"groups": f"cn=staff,{EMPTY}"}
    assert open_directory(**elsewhere).scope == usual.scope
    assert open_directory(**groups, **elsewhere).scope != open_directory(**groups).scope
    one, two = ([PEOPLE, EMPTY], [EMPTY, PEOPLE])
    assert open_directory(base_dn=one).scope == open_directory(base_dn=two).scope


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"base_dn": []}, "base_dn"),
        ({"base_dn": "People"}, '"People" is not a DN'),
        ({"base_dn": ["dc=corp", "OU=People, DC=Corp"]}, "is part of .* read twice"),
        ({"base_dn": ["dc=corp", "DC=corp"]}, "is part of"),
        ({"base_dn": "dc=corp;ou=a,dc=corp"}, "is part of"),
        ({"exclude": "ou=People,dc=other"}, "below no base_dn and would leave nobody out"),
        ({"exclude": "DC=Corp"}, "leaves out a whole base_dn"),
        ({"exclude": "cn=a,"}, "exclude: .* is not a DN"),
        ({"sentinel_dn": "cn=a,dc=other"}, "could never be among those read"),
        ({"sentinel_dn": "somebody"}, "sentinel_dn: .* is not a DN"),
        ({"user_filter": "(uid=*"}, "user_filter: .* is not a filter"),
        ({"user_filter": "uid=*"}, "user_filter: .* is not a filter"),
        ({"user_filter": "(uid=a)(cn=b)"}, "user_filter: .* is not a filter"),
        ({"page_size": 0}, "page_size"),
        ({"receive_seconds": 2.5}, "receive_seconds"),
    ],
)
def test_a_scope_that_cannot_be_meant_fails_at_start(wrong, sentence):
    """Promise 7: one sentence that names the setting."""
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        LdapSettings.from_options("corp", {**RIGHT, "base_dn": "dc=corp", **wrong})
    assert str(caught.value).startswith("sources.corp")
    assert "\n" not in str(caught.value)


def test_a_semicolon_inside_a_name_is_escaped():
    settings = LdapSettings.from_options("corp", {**RIGHT, "base_dn": r"o=A\; B; o=C"})
    assert settings.base_dn == (r"o=A\; B", "o=C")
