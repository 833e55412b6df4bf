"""Disabled, expired, locked: who of three real directories is dismissed, and nobody else (D1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ldap3

from connectors.factory import make_readable

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAST, FUTURE = NOW - timedelta(days=30), NOW + timedelta(days=30)


def dismissed(world):
    return {name.split()[-1].lower() for name, state in world.states().items() if state != "active"}


def file_time(moment):
    return str((moment - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10)


def days(moment):
    return str((moment - datetime(1970, 1, 1, tzinfo=UTC)).days)


def why(world, name):
    return world.services.person(world.services.reports.find(f"Tim {name}")).why


def test_active_directory(samba, open_world):
    """D1: userAccountControl and accountExpires; neither lockoutTime nor pwdLastSet."""
    branch = samba.branch(7)
    branch.modify("u5", accountExpires="0")
    branch.modify("u6", accountExpires="9223372036854775807")
    world = open_world(branch)
    assert dismissed(world) == set()
    branch.disable("u0")
    branch.modify("u1", accountExpires=file_time(PAST))
    branch.modify("u2", accountExpires=file_time(FUTURE))
    branch.modify("u3", pwdLastSet="0")
    lock_out(samba, branch, "u4")
    world.night()
    assert dismissed(world) == {"u0", "u1"}
    assert "disabled in corp" in why(world, "U0")
    assert "expired on 2026-10-24 in corp" in why(world, "U1")
    world.clock.advance(timedelta(days=30))
    world.sync()
    assert dismissed(world) == {"u0", "u1", "u2"}, "time alone ends an account"
    branch.enable("u0")
    branch.modify("u1", accountExpires="0")
    world.night()
    assert dismissed(world) == {"u2"}


def test_a_lock_out_counts_if_an_administrator_says_so(samba, open_world):
    """D1: of Active Directory, whose lock-outs end by themselves: then the person comes back."""
    branch = samba.branch(3)
    computed = 'first("msDS-User-Account-Control-Computed")'
    rule = f'!hasBit(first("userAccountControl"), 2) && !hasBit({computed}, 16)'
    world = open_world(branch, {"active": {"expr": rule}})
    lock_out(samba, branch, "u0")
    branch.disable("u1")
    world.night()
    assert dismissed(world) == {"u0", "u1"}
    branch.modify("u0", lockoutTime="0")
    world.night()
    assert dismissed(world) == {"u1"}


def lock_out(samba, branch, uid):
    """Sign in wrongly until the domain locks the account."""
    with samba.administering() as connection:
        limit = {"lockoutThreshold": [(ldap3.MODIFY_REPLACE, ["2"])]}
        assert connection.modify(samba.suffix, limit), connection.result
    server = ldap3.Server(samba.uri, get_info=ldap3.NONE)
    for _ in range(3):
        connection = ldap3.Connection(server, branch.people[uid], "wrong")
        assert not connection.bind()
        connection.unbind()
    values = branch.truth()[branch.people[uid].lower()]
    assert int(values["lockouttime"][0]) > 0


def test_openldap(openldap, open_world):
    """D1: a lock of an administrator and shadowExpire; neither a lock-out nor an old password."""
    branch = openldap.branch(6)
    world = open_world(branch)
    branch.disable("u0")
    for uid, moment in (("u1", days(PAST)), ("u2", days(FUTURE)), ("u3", "-1")):
        branch.modify(uid, objectClass=["inetOrgPerson", "shadowAccount"], shadowExpire=moment)
    branch.modify("u4", pwdAccountLockedTime="20261122110000Z")
    branch.modify(
        "u5", objectClass=["inetOrgPerson", "shadowAccount"], shadowMax="1", shadowLastChange="1"
    )
    world.night()
    assert dismissed(world) == {"u0", "u1"}
    assert "expired on 2026-10-24 in corp" in why(world, "U1")


def test_389_directory_server(ds389, open_world):
    """D1: nsAccountLock, of the account or of a role; neither an old password nor a lock-out."""
    branch = ds389.branch(6)
    world = open_world(branch)
    branch.disable("u0")
    inactivate_by_role(ds389, branch, "u1")
    branch.modify("u2", passwordExpirationTime="20200101000000Z", passwordExpWarned="1")
    branch.modify("u3", passwordRetryCount="9", accountUnlockTime="20991231000000Z")
    shadow = ["top", "person", "organizationalPerson", "inetOrgPerson", "shadowAccount"]
    branch.modify("u4", objectClass=shadow, shadowExpire=days(PAST))
    branch.modify("u5", objectClass=shadow, shadowExpire=days(FUTURE))
    world.night()
    assert dismissed(world) == {"u0", "u1", "u4"}


def inactivate_by_role(ds389, branch, uid):
    """Do as its tools do: a class of service tells nsAccountLock of everybody with a role."""
    role, templates = f"cn=locked,{branch.base}", f"cn=locks,{branch.base}"
    with ds389.administering() as connection:
        connection.raise_exceptions = True
        connection.add(
            role,
            [
                "nsRoleDefinition",
                "nsSimpleRoleDefinition",
                "nsManagedRoleDefinition",
                "ldapSubEntry",
            ],
        )
        connection.add(templates, ["nsContainer"])
        connection.add(
            f'cn="{role}",{templates}',
            ["costemplate", "extensibleObject", "ldapSubEntry"],
            {"nsAccountLock": "true", "cosPriority": "0"},
        )
        connection.add(
            f"cn=lock,{branch.base}",
            ["cosSuperDefinition", "cosClassicDefinition", "ldapSubEntry"],
            {
                "cosTemplateDn": templates,
                "cosSpecifier": "nsRole",
                "cosAttribute": "nsAccountLock operational",
            },
        )
    branch.modify(uid, nsRoleDN=role)


def test_accounts_of_active_directory_that_are_no_people_are_not_read(samba):
    """I1: nobody invites krbtgt, Guest, a computer or a mailbox that checks others."""
    branch = samba.branch(1)
    branch.add("HealthMailbox0123", "SystemMailbox{bb558c35}")
    with samba.administering() as connection:
        connection.raise_exceptions = True
        connection.add(
            f"CN=laptop,{branch.unit('People')}",
            "computer",
            {"sAMAccountName": f"{branch.base[10:18]}$", "userAccountControl": "4096"},
        )
    directory = make_readable("corp", "ldap", branch.options(base_dn=samba.suffix), {}).directory
    places = [person.where.lower() for person in directory.read()]
    assert branch.people["u0"].lower() in places
    names = {place.partition(",")[0] for place in places}
    assert names.isdisjoint({"cn=krbtgt", "cn=guest", "cn=administrator", "cn=laptop"})
    assert not [name for name in names if "mailbox" in name or "dc1" in name]
