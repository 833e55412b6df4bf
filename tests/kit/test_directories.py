"""The directories of the suite are what they claim to be."""

from __future__ import annotations

import pytest

from connectors.factory import make_readable
from provisioning.domain.errors import SourceError

TITLES = {"Slapd": "OpenLDAP", "Samba": "Active Directory", "Ds389": "389 Directory Server"}


@pytest.fixture
def branch(ldap_server):
    return ldap_server.branch(12)


def test_everyone_in_a_branch_is_read_and_the_kind_is_found_out(branch):
    """R2: 12 people, by a reader with the rights of one, over verified TLS."""
    directory = make_readable("corp", "ldap", branch.options(), {}).directory
    people = list(directory.read())
    assert {person.where.lower() for person in people} == {
        dn.lower() for dn in branch.people.values()
    }
    report = directory.check()
    assert not report.failed
    steps = {step.name: step for step in report.steps}
    assert steps["detect"].detail.startswith(f"{TITLES[type(branch.server).__name__]} by its root")
    assert "certificate valid to" in steps["connect"].detail


def test_an_account_without_rights_reads_what_the_directory_shows_everybody(samba, ds389):
    """Active Directory shows everyone to every account; 389 DS shows nothing without an ACI."""
    readings = []
    for branch in (samba.branch(2), ds389.branch(2)):
        options = branch.options(bind_dn=branch.server.plain_dn)
        readings.append(make_readable("corp", "ldap", options, {}).directory.read())
    assert len(list(readings[0])) == 2
    with pytest.raises(SourceError, match="cannot be read"):
        list(readings[1])


def test_what_an_administrator_does_in_a_branch_is_done(branch):
    """Renamed, moved, disabled, deleted, in a group and out of it, with a unit renamed above."""
    before = {uid: branch.anchor(uid) for uid in branch.people}
    branch.rename("u0", "renamed")
    branch.move("u1", "Contractors")
    branch.disable("u2", "u3")
    branch.enable("u3")
    branch.delete("u4")
    branch.modify("u5", title="Boss")
    branch.add_group("crew", "u5", "u6")
    branch.add_group("all", "crew")
    branch.set_members("crew", "u6")
    branch.add_unit("Inner", "People")
    branch.add("u12", unit="Inner,OU=People")
    branch.rename_unit("Inner", "Outer", "People")
    after = {uid: branch.anchor(uid) for uid in branch.people}
    assert after == {
        "renamed": before["u0"],
        "u12": after["u12"],
        **{uid: id for uid, id in before.items() if uid not in {"u0", "u4"}},
    }
    truth = branch.truth()
    assert set(truth) == {dn.lower() for dn in branch.people.values()}
    name, value = next(iter(branch.server.kind.disabled.items()))
    locked = {
        uid for uid, dn in branch.people.items()
        if truth[dn.lower()].get(name.lower()) == [value.encode()]
    }  # fmt: skip
    assert locked == {"u2"}
    groups = branch.truth(user_filter=f"(objectClass={branch.server.kind.group_class})")
    (crew,) = [values for dn, values in groups.items() if dn.startswith("cn=crew")]
    assert [each.decode().lower() for each in crew["member"]] == [branch.people["u6"].lower()]


def test_a_server_is_the_same_after_a_restart(ldap_server):
    branch = ldap_server.branch(1)
    before = branch.anchor("u0")
    ldap_server.stop()
    ldap_server.start()
    assert branch.anchor("u0") == before
