"""A check of a real OpenLDAP: each step with what an administrator wants to know (promise 6)."""

from __future__ import annotations

import re
import subprocess
from datetime import timedelta

import pytest
from cryptography import x509

from connectors.sampling import HIDDEN, sampled, unseen
from provisioning.domain.people import RawPerson
from provisioning.ports import CheckOutcome
from tests.kit import directory_server as kit
from tests.kit.ber import Encoder
from tests.kit.certificates import make_authority
from tests.kit.ldap_proxy import ENTRY, changing
from tests.kit.people import PEOPLE, SUFFIX, plain_people
from tests.kit.slapd import Slapd

STEPS = ["connect", "bind", "detect", "search", "usable", "disabled", "compare"]


def steps(directory):
    return {step.name: step for step in directory.check().steps}


def said_by(report, server):
    """What the line prints, in a shell, with the password given instead of asked for."""
    line = report.same_as.replace(" -W ", f" -w {server.reader_password} ")
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    return sum(map(int, re.findall(r"# numEntries: (\d+)", done.stdout)))


def test_seven_steps_in_each_kind_of_directory(ldap_server, open_world):
    """Promises 3 and 6, I1, D1: what a run would make of them; the line tells the same."""
    branch = ldap_server.branch(4)
    world = open_world(branch)
    branch.modify("u1", mail="")
    branch.disable("u2")
    report = world.services.check("corp")
    found = {step.name: step.detail for step in report.steps}
    assert list(found) == STEPS
    assert not report.failed
    assert "certificate valid to 20" in found["connect"]
    assert f"people by {ldap_server.kind.id_attribute}" in found["detect"]
    assert found["search"].startswith("4 entries in 1 page(s)")
    assert found["usable"].startswith("3 have mail; 1 have none and are not invited: ")
    assert found["disabled"].startswith("1 disabled or expired")
    assert found["compare"] == "last run saw 4 (0 %)"
    assert said_by(report, ldap_server) == 4


def test_no_password_of_anybody_is_in_the_sample():
    """Safety: whatever a mapping asks for."""
    raw = RawPerson("1", "uid=ann", {"uid": ("ann",), "UserPassword": ("canary",)})
    [shown] = sampled([raw], 1, unseen)
    assert shown.attributes == {"uid": ("ann",), "UserPassword": (HIDDEN,)}


def test_every_step_says_what_it_found(open_directory, slapd):
    found = steps(open_directory(sentinel_dn=f"uid=u000001,{PEOPLE}"))
    certificate = x509.load_pem_x509_certificate(slapd.authority.certificate.read_bytes())
    end = certificate.not_valid_after_utc.date()
    assert f"TLSv1.3, certificate valid to {end}" in found["connect"].detail
    assert found["detect"].detail == "OpenLDAP by its root DSE, paged results, people by entryUUID"
    assert found["search"].detail.startswith("450 entries in 5 page(s) from 127.0.0.1, ")
    assert f"among them uid=u000001,{PEOPLE}" in found["search"].detail
    assert found["search"].detail.endswith("   (objectClass=inetOrgPerson)")


def test_a_certificate_that_ends_soon_is_a_warning(open_directory, tmp_path_factory, monkeypatch):
    assert steps(open_directory())["connect"].outcome is CheckOutcome.WARNING

    def lasting(folder):
        return make_authority(folder, valid=timedelta(days=30))

    monkeypatch.setattr(kit, "make_authority", lasting)
    server = Slapd(tmp_path_factory.mktemp("lasting"), plain_people(1))
    try:
        connect = steps(open_directory(uri=server.ldaps_uri, ca_file=str(server.ca_file)))
        assert connect["connect"].outcome is CheckOutcome.OK
    finally:
        server.stop()


@pytest.mark.parametrize(
    "settings",
    [{}, {"start_tls": True}, {"base_dn": [PEOPLE, f"ou=Empty,{SUFFIX}"]}, {"base_dn": SUFFIX}],
    ids=["ldaps", "starttls", "bases", "suffix"],
)
def test_the_same_search_in_a_terminal_finds_as_many(open_directory, slapd, settings):
    """Pages and commands: the line can be pasted, and tells the same."""
    if "start_tls" in settings:
        settings = {**settings, "uri": slapd.uri}
    report = open_directory(user_filter="(&(uid=u*)(sn=Müller))", **settings).check()
    assert not report.failed
    [number] = re.findall(r"^(\d+) entries", report.steps[-1].detail)
    assert said_by(report, slapd) == int(number) > 0


def saying(*controls):
    """A root DSE with other controls than it has."""

    def make():
        def change(said):
            if said.tag != ENTRY or b"supportedControl" not in said.raw:
                return said.raw
            encoder = Encoder()
            told = {b"supportedControl": controls} if controls else {}
            root = encoder.entry(b"", {b"objectClass": [b"OpenLDAProotDSE"], **told})
            return encoder.message(said.number, root)

        return change

    return make


def test_a_server_without_paged_results_fails_before_anything_is_read(open_directory, slapd):
    """R2: nothing could be proven complete."""
    with changing(slapd.port, saying(b"1.2.840.113556.1.4.473")) as proxy:
        detect = steps(open_directory(uri=proxy.uri, tls="none"))["detect"]
    assert (detect.outcome, "without paged results" in detect.detail) == (CheckOutcome.FAILED, True)


def test_a_server_that_hides_what_it_can_is_only_warned_about(open_directory, slapd):
    with changing(slapd.port, saying()) as proxy:
        found = steps(open_directory(uri=proxy.uri, tls="none"))
    assert found["detect"].outcome is CheckOutcome.WARNING
    assert found["search"].outcome is CheckOutcome.OK


def test_an_exclusion_that_meets_nobody_is_a_warning(open_directory):
    """Whoever was to be left out may be misspelled, and be invited."""
    search = steps(open_directory(exclude=[f"uid=u000001,{PEOPLE}", "nobody"]))["search"]
    assert search.outcome is CheckOutcome.WARNING
    assert "nobody was left out by nobody" in search.detail


def test_nobody_at_all_fails(open_directory):
    """R2: a run would stop, too."""
    search = steps(open_directory(user_filter="(uid=nobody)"))["search"]
    assert (search.outcome, "a run would stop here" in search.detail) == (CheckOutcome.FAILED, True)


def test_entries_without_the_id_are_a_warning(open_directory, slapd):
    slapd.modify("u000003", employeeNumber="7")
    try:
        search = steps(open_directory(id_attribute="employeeNumber"))["search"]
    finally:
        slapd.modify("u000003", employeeNumber="")
    assert search.outcome is CheckOutcome.WARNING
