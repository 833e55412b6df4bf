"""Nights over a real OpenLDAP that goes wrong: nothing is changed, and the exit code says why."""

from __future__ import annotations

import contextlib
import re
import signal
import sqlite3
from datetime import timedelta

import pytest

from tests.kit import directory_server
from tests.kit.certificates import make_authority
from tests.kit.cutting import cutting
from tests.kit.ldap_proxy import (
    at_page,
    changing,
    failing,
    hanging_up,
    stripping_tls,
    with_another_cookie,
    without_control,
)
from tests.kit.people import PEOPLE, SUFFIX, Entry, plain_people
from tests.kit.slapd import running_slapd
from tests.kit.usher import Usher

CONFIG = """
[departures]
missing_grace_nights = 0
[invitations]
grace_minutes = 0
[sources.corp]
type = "ldap"
uri = "{uri}"
bind_dn = "{bind_dn}"
bind_password = "{password}"
base_dn = "{base}"
ca_file = "{ca}"
preset = "openldap"
page_size = 8
receive_seconds = 5
changes = "off"
first_run = "apply"
"""
EVERYBODY = [
    *plain_people(20),
    *(Entry(f"c{n}", "Con", "Tractor", "Contractors") for n in range(4)),
]


@pytest.fixture(scope="module")
def slapd():
    """Twenty people and four contractors."""
    with running_slapd(EVERYBODY) as server:
        yield server


@pytest.fixture(scope="module")
def usher(slapd, tmp_path_factory):
    """An Usher that has read them once; no test changes that."""
    folder = tmp_path_factory.mktemp("usher")
    config = folder / "usher.toml"
    config.write_text(
        CONFIG.format(
            uri=slapd.ldaps_uri, bind_dn=slapd.reader_dn, password=slapd.reader_password,
            base=SUFFIX, ca=slapd.ca_file,
        )
    )  # fmt: skip
    database = f"sqlite:///{folder}/usher.db"
    usher = Usher(folder, {"USHER_CONFIG": str(config), "DATABASE_URL": database})
    assert usher("sync", "corp", "--json").json["read"] == 24
    return usher


@pytest.fixture(autouse=True)
def nobody_changes(usher):
    """R2: whatever went wrong, everybody is who they were."""

    def everybody():
        with contextlib.closing(sqlite3.connect(usher.folder / "usher.db")) as database:
            return database.execute("SELECT id, state, version FROM employee").fetchall()

    before = everybody()
    yield
    assert everybody() == before
    assert len(before) == 24


def night(usher, code, **settings):
    """One night with some settings of the source changed."""
    changed = {f"USHER_SOURCES__CORP__{name.upper()}": value for name, value in settings.items()}
    usher.environ |= changed
    try:
        return usher("sync", "corp", code=code)
    finally:
        for name in changed:
            del usher.environ[name]


def test_a_size_limit_ends_the_night(usher, slapd):
    slapd.limit_size(10)
    try:
        said = night(usher, 65)
    finally:
        slapd.limit_size(None)
    assert "sizeLimitExceeded" in said.err
    assert "size.prtotal" in said.err
    assert usher("runs", "--json").json["runs"][0]["state"] == "incomplete"


@pytest.mark.parametrize(
    ("work", "sentence"),
    [
        (failing(3), "page 2: timeLimitExceeded"),
        (failing(11), "page 2: adminLimitExceeded"),
        (failing(51), "page 2: busy"),
        (without_control, "page 2 came without the paging control"),
        (with_another_cookie, "reading stopped at page 3"),
        (hanging_up, "shutting down"),
    ],
)
def test_a_page_that_is_not_whole_ends_the_night(usher, slapd, work, sentence):
    with changing(slapd.port, at_page(2, work)) as proxy:
        assert sentence in night(usher, 65, uri=proxy.uri, tls="none").err


def test_a_connection_cut_in_the_middle_ends_the_night(usher, slapd):
    with cutting(slapd.tls_port, cut=5_000) as proxy:
        assert "reading stopped" in night(usher, 65, uri=f"ldaps://127.0.0.1:{proxy.port}").err


def test_a_server_killed_between_two_pages_ends_the_night(usher, slapd):
    def killing(said):
        slapd.stop(signal.SIGKILL)
        return said.raw

    try:
        with changing(slapd.port, at_page(1, killing)) as proxy:
            assert "page 2: the connection broke" in night(usher, 65, uri=proxy.uri, tls="none").err
        assert "cannot be reached" in night(usher, 69).err
    finally:
        slapd.start()


def test_a_base_that_is_empty_or_gone_ends_the_night(usher):
    """R2: nobody at all is no reading either."""
    assert "noSuchObject" in night(usher, 65, base_dn=f"ou=Persons,{SUFFIX}").err
    night(usher, 65, base_dn=f"ou=Empty,{SUFFIX}")


def test_a_directory_that_is_not_trusted_or_refuses_us_is_unavailable(usher, slapd):
    assert "invalidCredentials" in night(usher, 69, bind_password="wrong").err
    assert "not trusted" in night(usher, 69, uri=f"ldaps://localhost:{slapd.tls_port}").err
    assert "start_tls belongs to ldap://" in night(usher, 78, start_tls="true").err


def test_a_server_that_restarts_or_falls_silent_ends_the_night(usher, slapd):
    def restarting(said):
        slapd.stop()
        slapd.start()
        return said.raw

    with changing(slapd.port, at_page(1, restarting)) as proxy:
        assert "page 2: the connection broke" in night(usher, 65, uri=proxy.uri, tls="none").err
    with cutting(slapd.tls_port, cut=5_000, stall=True) as proxy:
        silent = night(usher, 65, uri=f"ldaps://127.0.0.1:{proxy.port}", receive_seconds="1")
    assert "no answer within 1 s" in silent.err


def test_a_base_that_was_renamed_ends_the_night(usher, slapd):
    with slapd.administering() as connection:
        assert connection.modify_dn(PEOPLE, "ou=Staff"), connection.result
    try:
        said = night(usher, 65, base_dn=f"{PEOPLE};ou=Contractors,{SUFFIX}").err
    finally:
        with slapd.administering() as connection:
            connection.modify_dn(f"ou=Staff,{SUFFIX}", "ou=People")
    assert "it was renamed or moved, or is misspelled in the configuration" in said


def test_a_referral_ends_the_night_and_no_password_leaves(usher, slapd):
    """Safety 16."""
    with cutting(slapd.port) as elsewhere:
        dn = f"ou=Moved,{PEOPLE}"
        named = {"ou": "Moved", "ref": f"ldap://127.0.0.1:{elsewhere.port}/{SUFFIX}"}
        with slapd.administering() as connection:
            assert connection.add(dn, ["referral", "extensibleObject"], named), connection.result
        try:
            assert "which was not followed" in night(usher, 65).err
        finally:
            with slapd.administering() as connection:
                connection.delete(dn, controls=[("2.16.840.1.113730.3.4.2", True, None)])
        assert elsewhere.received == b""


def test_whoever_is_not_the_directory_gets_no_password(usher, slapd, tmp_path, monkeypatch):
    """Safety 16: another authority, an expired certificate, TLS that was taken away, the clear."""
    other = make_authority(tmp_path)
    assert "with ca_file" in night(usher, 69, ca_file=str(other.ca_file)).err
    assert "in the clear" in night(usher, 78, uri=slapd.uri).err
    with changing(slapd.port, stripping_tls) as proxy:
        stripped = night(usher, 69, uri=proxy.uri, start_tls="true")
        assert slapd.reader_password.encode() not in proxy.received
    assert "refused StartTLS" in stripped.err

    def expired(folder):
        return make_authority(folder, valid=timedelta(days=-1))

    monkeypatch.setattr(directory_server, "make_authority", expired)
    with running_slapd([]) as old:
        said = night(usher, 69, uri=old.ldaps_uri, ca_file=str(old.ca_file)).err
    assert "Have its certificate renewed" in said


def test_an_empty_password_never_starts(usher):
    """Safety 16: a directory would take us for anonymous."""
    config = usher.folder / "empty.toml"
    written = (usher.folder / "usher.toml").read_text()
    config.write_text(re.sub('bind_password = ".*"', 'bind_password = ""', written))
    usual = usher.environ["USHER_CONFIG"]
    usher.environ["USHER_CONFIG"] = str(config)
    try:
        assert "takes us for anonymous" in night(usher, 78).err
    finally:
        usher.environ["USHER_CONFIG"] = usual


def test_mail_that_is_hidden_for_everyone_is_held(usher, slapd):
    """Promise 8: everybody is there, and nobody's address is; no address is forgotten."""
    with slapd.hiding("attrs=mail"):
        plan = night(usher, 3)
    assert "held" in plan.out.lower()


def test_a_unit_that_is_hidden_is_held(usher, slapd):
    """D5: the reading is complete but smaller; nobody is dismissed."""
    with slapd.hiding(f'dn.subtree="ou=Contractors,{SUFFIX}"'):
        plan = night(usher, 3)
    assert "held" in plan.out.lower()
