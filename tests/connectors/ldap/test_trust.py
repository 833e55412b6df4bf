"""Only the directory we trust, and never a password to anybody else (safety 16)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.factory import make_readable
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import ConfigurationError, SourceUnavailableError
from provisioning.ports import CheckOutcome
from tests.kit.certificates import make_authority
from tests.kit.cutting import cutting
from tests.kit.people import plain_people
from tests.kit.slapd import Slapd

SECRET = b"reader-secret"


def failed_step(directory):
    report = directory.check()
    assert report.failed
    return report.steps[-1]


def test_a_check_takes_four_looks_and_shows_the_same_search(open_directory):
    """Pages and commands: connect, bind, detect, search; the line has no password."""
    report = open_directory().check()
    assert [step.name for step in report.steps] == ["connect", "bind", "detect", "search"]
    assert CheckOutcome.FAILED not in {step.outcome for step in report.steps}
    assert "OpenLDAP" in report.steps[2].detail
    assert len(report.sample) == 5
    assert "ldapsearch -H ldaps://127.0.0.1:" in report.same_as
    assert SECRET.decode() not in report.same_as


def test_a_wrong_password_is_said_and_not_shown(open_directory):
    step = failed_step(open_directory(bind_password="not-the-password"))
    assert (step.name, "invalidCredentials" in step.detail) == ("bind", True)
    assert "not-the-password" not in step.detail
    with pytest.raises(SourceUnavailableError, match="refused to sign"):
        list(open_directory(bind_password="not-the-password").read())


def test_active_directory_s_number_of_a_refusal_is_told_in_words(samba):
    words = {"bind_password": "not-the-password"}
    options = samba.branch().options(**words)
    step = failed_step(make_readable("corp", "ldap", options, {}).directory)
    assert step.detail.endswith(": the password is wrong: see bind_password_file")


def test_a_wrong_address_is_said_with_what_helps(open_directory, slapd):
    step = failed_step(open_directory(uri="ldaps://nobody.invalid"))
    assert "no server of this name is known" in step.detail
    step = failed_step(open_directory(uri=f"ldaps://127.0.0.1:{slapd.port}"))
    assert "no TLS is spoken there" in step.detail


def test_nobody_there_is_said(open_directory):
    step = failed_step(open_directory(uri="ldaps://127.0.0.1:9"))
    assert (step.name, "cannot be reached" in step.detail) == ("connect", True)


def test_a_certificate_of_another_authority_gets_no_password(open_directory, slapd, tmp_path):
    other = make_authority(tmp_path)
    with cutting(slapd.tls_port) as proxy:
        uri = f"ldaps://127.0.0.1:{proxy.port}"
        step = failed_step(open_directory(uri=uri, ca_file=str(other.ca_file)))
        assert (step.name, "CERTIFICATE_VERIFY_FAILED" in step.detail) == ("connect", True)
        assert SECRET not in proxy.received


def test_a_certificate_for_another_name_is_refused(open_directory, slapd):
    step = failed_step(open_directory(uri=f"ldaps://localhost:{slapd.tls_port}"))
    assert (step.name, "Use the name in uri" in step.detail) == ("connect", True)
    assert "not valid for 'localhost'. No password" in step.detail


def test_an_expired_certificate_is_refused(open_directory, tmp_path_factory, monkeypatch):
    from tests.kit import directory_server as kit

    def expired(folder):
        return make_authority(folder, valid=timedelta(days=-1))

    monkeypatch.setattr(kit, "make_authority", expired)
    server = Slapd(tmp_path_factory.mktemp("expired"), plain_people(1))
    try:
        step = failed_step(open_directory(uri=server.ldaps_uri, ca_file=str(server.ca_file)))
        assert "expired" in step.detail
        assert "renewed" in step.detail
    finally:
        server.stop()


def test_starttls_is_verified_too(open_directory, slapd, tmp_path):
    good = open_directory(uri=slapd.uri, start_tls=True).check()
    assert not good.failed
    other = make_authority(tmp_path)
    step = failed_step(open_directory(uri=slapd.uri, start_tls=True, ca_file=str(other.ca_file)))
    assert (step.name, "with ca_file" in step.detail) == ("connect", True)


def test_the_clear_has_to_be_spelled_out_and_is_said_every_time(open_directory, slapd):
    with pytest.raises(ConfigurationError, match="in the clear"):
        open_directory(uri=slapd.uri)
    report = open_directory(uri=slapd.uri, tls="none", ca_file=None).check()
    assert "CLEAR" in report.steps[0].detail


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"bind_password": ""}, "anonymous"),
        ({"bind_dn": ""}, "anonymous"),
        ({"uri": "https://dc1"}, "write ldaps://HOST"),
        ({"uri": "ldaps://dc1/dc=corp"}, "settings of their own"),
        ({"uri": "ldaps://usher:secret@dc1"}, "not in front of the host"),
        ({"ca_file": "/no/such/file"}, "cannot be read"),
        ({"start_tls": True}, "belongs to ldap://"),
        ({"page_sise": 5}, "page_sise"),
        ({"base_dn": ""}, "base_dn"),
        ({"preset": "novell"}, "preset"),
        ({"receive_seconds": 2.5}, "receive_seconds"),
    ],
)
def test_a_setting_that_can_never_work_fails_at_start(wrong, sentence):
    """Promise 7: one sentence with the name of the setting, never the password."""
    right = {
        "uri": "ldaps://dc1",
        "bind_dn": "cn=usher",
        "bind_password": "hidden-word",
        "base_dn": "dc=corp",
    }
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        LdapSettings.from_options("corp", right | wrong)
    assert str(caught.value).startswith("sources.corp")
    assert "hidden-word" not in str(caught.value)


def test_a_trailing_slash_is_forgiven():
    """ldap3 would call it an invalid port."""
    settings = LdapSettings.from_options(
        "corp",
        {"uri": "ldaps://dc1:636/", "bind_dn": "a", "bind_password": "b", "base_dn": "dc=corp"},
    )
    assert (settings.host, settings.port) == ("dc1", 636)


def test_the_password_is_in_no_text_about_the_connection(open_directory):
    """Safety 16: ldap3's connection shows it; what is printed and logged here are settings."""
    directory = open_directory()
    assert SECRET.decode() not in f"{directory!r} {directory.settings}"
    assert SECRET.decode() not in repr(directory.check())
