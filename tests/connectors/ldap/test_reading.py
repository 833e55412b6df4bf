"""Complete or nothing, against a real OpenLDAP (R2, safety 1)."""

from __future__ import annotations

import signal

import pytest

from provisioning.domain.errors import ConfigurationError, SourceError, SourceUnavailableError
from tests.kit.cutting import cutting
from tests.kit.ldap_proxy import at_page, changing, without_control
from tests.kit.people import plain_people
from tests.kit.slapd import running_slapd


def read(directory):
    snapshot = directory.read()
    return list(snapshot), snapshot.proof


def test_everyone_is_read_page_by_page_to_a_proven_end(open_directory, slapd):
    """R2: the proof counts the pages and the people."""
    people, proof = read(open_directory())
    assert (proof.entries, proof.pages, proof.removals_proven) == (450, 5, True)
    assert {person.anchor for person in people} == {
        entry.entry_uuid for entry in slapd.entries.values()
    }
    assert {name for person in people for name in person.attributes} == {
        "uid", "mail", "cn", "displayName",
    }  # fmt: skip


def test_names_come_back_as_they_were_asked_for(open_directory, slapd):
    """RFC 4512: attribute names are blind to case; the mapping is not."""
    directory = open_directory()
    spelled = type(directory)("corp", directory.settings, ("UID", "MAIL"))
    people, _ = read(spelled)
    assert set(people[0].attributes) == {"UID", "MAIL"}


def test_a_size_limit_is_an_error_not_a_small_directory(open_directory, slapd):
    """R2: ldap3 would have returned 200 people and no word."""
    slapd.limit_size(200)
    try:
        with pytest.raises(SourceError, match="sizeLimitExceeded"):
            read(open_directory())
    finally:
        slapd.limit_size(None)


@pytest.mark.parametrize("offset", [300 + 4_100 * step for step in range(20)])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_cut_connection_is_an_error_wherever_it_is_cut(open_directory, slapd, offset, reset):
    """R2, safety 1: nobody is concluded to have left."""
    with cutting(slapd.tls_port, cut=offset, reset=reset) as proxy, pytest.raises(SourceError):
        read(open_directory(uri=f"ldaps://127.0.0.1:{proxy.port}"))


def test_a_connection_cut_before_the_first_page_is_an_error_too(open_directory, slapd):
    """R2: while it is opened, signed in to, or asked what kind of directory it is."""
    for offset in range(100, 4_100, 100):
        with cutting(slapd.tls_port, cut=offset) as proxy, pytest.raises(SourceError):
            read(open_directory(uri=f"ldaps://127.0.0.1:{proxy.port}"))


def test_a_server_that_falls_silent_is_an_error_after_the_time_out(open_directory, slapd):
    """R2: ldap3 would wait for ever."""
    with cutting(slapd.tls_port, cut=20_000, stall=True) as proxy, pytest.raises(SourceError):
        read(open_directory(uri=f"ldaps://127.0.0.1:{proxy.port}", receive_seconds=1))


def test_a_page_without_its_control_proves_nothing(open_directory, slapd):
    """R2: only the control says whether there is more."""
    with (
        changing(slapd.port, at_page(3, without_control)) as proxy,
        pytest.raises(SourceError, match="page 3 came without the paging control"),
    ):
        read(open_directory(uri=proxy.uri, tls="none"))


def test_entries_without_the_id_are_counted_and_prove_no_departure(open_directory, slapd):
    """R2, promise 7: skipped, and whoever they are, nobody is missed because of them."""
    slapd.modify("u000003", employeeNumber="7")
    try:
        people, proof = read(open_directory(id_attribute="employeeNumber"))
    finally:
        slapd.modify("u000003", employeeNumber="")
    assert ([person.anchor for person in people], proof.removals_proven) == (["7"], False)
    assert "449 without employeeNumber skipped" in proof.detail


def test_a_base_that_is_not_there_is_an_error(open_directory):
    """R2: a renamed unit does not dismiss its people."""
    with pytest.raises(SourceError, match="noSuchObject"):
        read(open_directory(base_dn="ou=Persons,dc=corp,dc=example"))


def test_an_empty_unit_reads_as_nobody_which_the_run_refuses(open_directory):
    """R2: the guard for zero people is the run's; the reading itself was complete."""
    people, proof = read(open_directory(base_dn="ou=Empty,dc=corp,dc=example"))
    assert (people, proof.entries) == ([], 0)


def test_a_missing_sentinel_is_an_error(open_directory):
    """R2: an entry that must be there tells a half-visible directory."""
    present = "uid=u000001,ou=People,dc=corp,dc=example"
    _, proof = read(open_directory(sentinel_dn=present))
    assert proof.entries == 450
    with pytest.raises(SourceError, match="sentinel"):
        read(open_directory(sentinel_dn="uid=nobody,ou=People,dc=corp,dc=example"))


def test_a_referral_inside_the_base_is_an_error_and_no_password_leaves(open_directory, slapd):
    """R2, safety 16: ldap3's default hands DN and password to whoever is named."""
    with cutting(slapd.port) as elsewhere:
        dn = "ou=Moved,ou=People,dc=corp,dc=example"
        with slapd.administering() as connection:
            added = connection.add(
                dn,
                ["referral", "extensibleObject"],
                {"ou": "Moved", "ref": f"ldap://127.0.0.1:{elsewhere.port}/dc=corp,dc=example"},
            )
            assert added, connection.result
        try:
            with pytest.raises(SourceError, match="referral to"):
                read(open_directory())
        finally:
            with slapd.administering() as connection:
                connection.delete(dn, controls=[("2.16.840.1.113730.3.4.2", True, None)])
        assert elsewhere.received == b""


def test_a_server_killed_in_the_middle_is_an_error():
    """R2: what was read before does not count."""
    with running_slapd(plain_people(300)) as server:
        from connectors.ldap.directory import LdapDirectory
        from connectors.ldap.settings import LdapSettings

        options = {
            "uri": server.ldaps_uri,
            "bind_dn": server.reader_dn,
            "bind_password": server.reader_password,
            "base_dn": server.people_dn,
            "ca_file": str(server.ca_file),
            "page_size": 50,
        }
        directory = LdapDirectory("corp", LdapSettings.from_options("corp", options), ("uid",))
        reading_on = iter(directory.read())
        next(reading_on)
        server.stop(signal.SIGKILL)
        with pytest.raises(SourceError):
            list(reading_on)
        with pytest.raises(SourceUnavailableError, match="cannot be reached"):
            read(directory)


def test_an_unknown_kind_of_directory_asks_for_a_preset(open_directory, monkeypatch):
    """Promise 3: detection says what it does not know."""
    from connectors.ldap import connection

    monkeypatch.setattr(connection, "entries", lambda _connection: [])
    with pytest.raises(ConfigurationError, match="set preset"):
        open_directory().preset()


def test_units_above_a_person_are_told_when_the_mapping_asks(open_directory, slapd):
    """Below the base that was read, and no server is asked for what none has."""
    directory = open_directory(base_dn=slapd.suffix, page_size=1000)
    asking = type(directory)("corp", directory.settings, ("uid", "ou_path"))
    people, _ = read(asking)
    assert {person.attributes["ou_path"] for person in people} == {("People",)}
    people, _ = read(type(directory)("corp", open_directory().settings, ("uid", "ou_path")))
    assert {name for person in people for name in person.attributes} == {"uid"}
