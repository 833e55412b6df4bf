"""Every way a reading is known to go wrong, against a real OpenLDAP and proxies (R2, safety 1).

Each is an error of the right kind with a sentence, or reads right; none concludes that somebody
has left.
"""

from __future__ import annotations

import signal
import socket

import ldap3
import pytest

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import SourceError, SourceUnavailableError
from provisioning.domain.exit_codes import exit_code
from tests.kit.ber import Encoder
from tests.kit.cutting import cutting
from tests.kit.ldap_proxy import (
    ENTRY,
    at_page,
    changing,
    failing,
    hanging_up,
    stripping_tls,
    with_another_cookie,
)
from tests.kit.people import PEOPLE, SUFFIX, Entry, plain_people
from tests.kit.slapd import READER, running_slapd

INCOMPLETE, UNAVAILABLE = 65, 69


def read(directory):
    snapshot = directory.read()
    return list(snapshot), snapshot.proof


def refused(directory, sentence, code=INCOMPLETE):
    """The reading fails with this sentence, and the command would end with this code."""
    with pytest.raises(SourceError, match=sentence) as caught:
        read(directory)
    assert exit_code(caught.value) == code
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (1, "operationsError"),
        (3, "timeLimitExceeded .*: give the account that reads no such limit"),
        (4, "sizeLimitExceeded .*size.prtotal=unlimited"),
        (10, "referral .*lives on another server, which was not asked"),
        (11, "adminLimitExceeded .*nsLookThroughLimit"),
        (12, "unavailableCriticalExtension .*no paged results"),
        (50, "insufficientAccessRights .*the right to"),
        (51, "busy .*try again later"),
        (52, "unavailable .*try again later"),
        (53, "unwillingToPerform"),
        (80, "other"),
    ],
)
def test_a_result_in_the_middle_is_told_with_its_page(open_directory, slapd, code, sentence):
    """R2: what came before it is a part of the truth; ldap3 would say nothing."""
    with changing(slapd.port, at_page(3, failing(code))) as proxy:
        directory = open_directory(uri=proxy.uri, tls="none")
        refused(directory, f"reading stopped at page 3: {sentence}.*nothing was concluded")


def test_a_limit_of_the_server_is_told(open_directory, slapd):
    """R2: a limit of candidates, which no filter can be narrow enough for."""
    slapd.configure(olcLimits=f'dn.exact="{READER}" size=unlimited size.unchecked=50')
    try:
        refused(open_directory(), "at page 1: adminLimitExceeded")
    finally:
        slapd.configure(olcLimits=None)


def test_a_lost_cookie_is_an_error(open_directory, slapd):
    """R2: the server does not know where to go on."""
    with changing(slapd.port, at_page(2, with_another_cookie)) as proxy:
        refused(open_directory(uri=proxy.uri, tls="none"), "reading stopped at page 3: .*cookie")


def test_a_server_that_says_goodbye_is_an_error(open_directory, slapd):
    """R2: a notice of disconnection; its words are told."""
    with changing(slapd.port, at_page(3, hanging_up)) as proxy:
        refused(open_directory(uri=proxy.uri, tls="none"), "at page 3: .*shutting down")


def test_a_base_that_was_renamed_is_an_error(open_directory, slapd):
    """R2: a renamed unit does not dismiss its people."""
    with slapd.administering() as connection:
        assert connection.modify_dn(PEOPLE, "ou=Staff"), connection.result
    try:
        refused(open_directory(), f"the base {PEOPLE} cannot be read: noSuchObject.*renamed")
        people, _ = read(open_directory(base_dn=f"ou=Staff,{SUFFIX}"))
        assert len(people) == 450
    finally:
        with slapd.administering() as connection:
            connection.modify_dn(f"ou=Staff,{SUFFIX}", "ou=People")


def test_a_base_that_may_not_be_seen_is_an_error(open_directory, slapd):
    """R2: OpenLDAP says noSuchObject to whoever may not know."""
    with slapd.hiding(f'dn.subtree="{PEOPLE}"'):
        refused(open_directory(), f"the base {PEOPLE} cannot be read")


def injecting(uri):
    """A reference before the first entry, as Active Directory gives at the top of a domain."""

    def make():
        given = False

        def change(said):
            nonlocal given
            if said.tag != ENTRY or given or said.raw.find(b"uid=") < 0:
                return said.raw
            given, encoder = True, Encoder()
            return encoder.message(said.number, encoder.reference(uri)) + said.raw

        return change

    return make


def test_references_that_lead_to_nobody_are_passed_over(open_directory, slapd):
    """R2: Active Directory points at its configuration; no people live there, nobody goes there."""
    uri = b"ldap://corp.example/CN=Configuration,DC=corp,DC=example"
    with changing(slapd.port, injecting(uri)) as proxy:
        _, proof = read(open_directory(uri=proxy.uri, tls="none"))
    assert proof.entries == 450


def test_a_reference_to_another_domain_is_an_error(open_directory, slapd):
    """R2: a part of the base lives elsewhere."""
    with cutting(slapd.port) as elsewhere:
        uri = b"ldap://127.0.0.1:%d/DC=child,DC=corp,DC=example" % elsewhere.port
        with changing(slapd.port, injecting(uri)) as proxy:
            refused(open_directory(uri=proxy.uri, tls="none"), "referral to .*not followed")
        assert elsewhere.received == b""


def test_an_alias_brings_nobody_from_elsewhere(open_directory, slapd):
    """R2: ldap3 follows aliases by itself, out of the base."""
    dn = f"uid=alias,{PEOPLE}"
    outside = Entry("outsider", "Out", "Sider", ou="Contractors")
    with slapd.administering() as connection:
        connection.add(outside.dn, attributes=outside.attributes())
        named = {"uid": "alias", "aliasedObjectName": outside.dn}
        assert connection.add(dn, ["alias", "extensibleObject"], named), connection.result
    try:
        people, _ = read(open_directory())
        assert len(people) == 450
        assert all(person.where.endswith(PEOPLE) for person in people)
    finally:
        with slapd.administering() as connection:
            connection.delete(dn)
            connection.delete(outside.dn)


def test_a_server_that_demands_tls_is_said_to(open_directory, slapd):
    """Safety 16: exit 69 with what the server says, and how to go on."""
    slapd.configure(olcSecurity="tls=1")
    try:
        clear = open_directory(uri=slapd.uri, tls="none")
        refused(clear, "confidentialityRequired.*ldaps:// or start_tls", UNAVAILABLE)
        assert len(read(open_directory())[0]) == 450
    finally:
        with slapd.administering("cn=config", "config-secret", uri=slapd.ldaps_uri) as connection:
            nothing = {"olcSecurity": [(ldap3.MODIFY_REPLACE, ["tls=0"])]}
            connection.modify("olcDatabase={1}mdb,cn=config", nothing)
        slapd.configure(olcSecurity=None)


def test_starttls_that_was_stripped_gets_no_password(open_directory, slapd):
    """Safety 16: whoever answers StartTLS with an error may be in the middle."""
    with changing(slapd.port, stripping_tls) as proxy:
        directory = open_directory(uri=proxy.uri, start_tls=True)
        refused(directory, "refused StartTLS: protocolError. No password was sent", UNAVAILABLE)
        assert b"reader-secret" not in proxy.received
        assert directory.check().failed


def test_a_wrong_password_is_told(open_directory):
    refused(open_directory(bind_password="wrong"), "invalidCredentials", UNAVAILABLE)


def test_a_server_restarted_in_the_middle_is_an_error():
    """R2: ldap3's RESTARTABLE would have gone on, with less."""
    with running_slapd(plain_people(300)) as server:
        directory = reading_from(server, page_size=50)
        going_on = iter(directory.read())
        for _ in range(120):
            next(going_on)
        server.stop()
        server.start()
        with pytest.raises(SourceError, match="reading stopped at page 4: the connection broke"):
            list(going_on)
        assert len(list(directory.read())) == 300


def test_a_server_killed_between_two_pages_is_an_error():
    """R2: the first page was whole."""
    with running_slapd(plain_people(300)) as server:

        def killing(said):
            server.stop(signal.SIGKILL)
            return said.raw

        with changing(server.port, at_page(1, killing)) as proxy:
            directory = reading_from(server, uri=proxy.uri, tls="none", changes="off")
            refused(directory, "reading stopped at page 2")
        refused(reading_from(server), "cannot be reached", UNAVAILABLE)


def test_a_server_that_ends_idle_connections_is_an_error(open_directory, slapd):
    """R2: whoever takes too long between two pages has read nothing."""
    slapd.configure("cn=config", olcIdleTimeout="1")
    try:
        going_on = iter(open_directory().read())
        for _ in range(100):
            next(going_on)
        with socket.create_connection(("127.0.0.1", slapd.port)) as witness:
            assert witness.recv(1) == b"", "the server ends whoever came later last"
        with pytest.raises(SourceError, match="at page 2: the connection broke"):
            list(going_on)
    finally:
        slapd.configure("cn=config", olcIdleTimeout="0")


def test_a_bit_that_flips_under_tls_is_an_error(open_directory, slapd):
    """R2: TLS notices; nobody is read wrong."""
    for offset in range(3_000, 60_000, 6_000):
        with cutting(slapd.tls_port, flip=offset) as proxy:
            refused(open_directory(uri=f"ldaps://127.0.0.1:{proxy.port}"), "broke")


def reading_from(server, **settings):
    options = {
        "uri": server.ldaps_uri,
        "bind_dn": server.reader_dn,
        "bind_password": server.reader_password,
        "base_dn": server.people_dn,
        "preset": "openldap",
        "page_size": 100,
        "receive_seconds": 5,
        "ca_file": str(server.ca_file),
        **settings,
    }
    return LdapDirectory("corp", LdapSettings.from_options("corp", options), ("uid", "mail"))


def test_unavailable_is_said_of_whoever_was_never_reached(open_directory):
    """Exit 69: nothing was begun, so nothing is incomplete."""
    with pytest.raises(SourceUnavailableError):
        read(open_directory(uri="ldaps://127.0.0.1:9"))
