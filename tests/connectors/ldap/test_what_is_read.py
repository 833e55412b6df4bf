"""What three real directories tell of people by their presets: addresses, departments, scope."""

from __future__ import annotations

import pytest

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings

FURTHER = {
    "entryUUID": ("mailLocalAddress", "inetLocalMailRecipient"),
    "nsUniqueId": ("mailAlternateAddress", "mailRecipient"),
}
CLASSES = ["top", "person", "organizationalPerson", "inetOrgPerson"]


@pytest.fixture
def branch(ldap_server):
    return ldap_server.branch(4)


def give(branch, uid, mail, further):
    """Give somebody an address and a further one, as this kind of directory has them."""
    kind = branch.server.kind
    if kind.id_attribute == "objectGUID":
        others = ["sip:tim@corp.example", "x500:/o=Corp/cn=tim"]
        addresses = [f"smtp:{further}", f"SMTP:{mail}", *others]
        branch.modify(uid, mail=mail, proxyAddresses=addresses)
    else:
        name, extra = FURTHER[kind.id_attribute]
        branch.modify(uid, **{"objectClass": [*CLASSES, extra], "mail": mail, name: further})


def opened(branch, **options):
    settings = LdapSettings.from_options("corp", branch.options(**options))
    return LdapDirectory("corp", settings, ["mail"])


def anchor_of(branch, uid):
    people = {person.where.lower(): person.anchor for person in opened(branch).read()}
    return people[branch.people[uid].lower()]


def report(world, name):
    return world.services.person(world.services.reports.find(f"Tim {name}"))


def test_further_addresses_are_evidence(branch, open_world):
    """E4: who joined with what is an alias now has no finding; whoever joined with more has one."""
    world = open_world(branch)
    give(branch, "u0", "new0@corp.example", "u0@corp.example")
    give(branch, "u1", "new1@corp.example", "else@corp.example")
    world.night()
    known, unknown = report(world, "U0"), report(world, "U1")
    assert [(line.role, line.difference) for line in known.addresses][:2] == [
        ("login", "alias"),
        ("contact", "alias"),
    ]
    assert known.findings == []
    assert {row.kind for row in unknown.findings} == {
        "login_differs_from_directory",
        "contact_differs_from_directory",
    }
    assert [link.facts["aliases"] for link in (known.links[0], unknown.links[0])] == [
        ["u0@corp.example"],
        ["else@corp.example"],
    ]


@pytest.mark.parametrize("server", ["openldap", "ds389"])
def test_of_several_mails_all_are_known(server, open_world, request):
    """E4: the one the server names first is the mail, and the others are further addresses."""
    branch = request.getfixturevalue(server).branch(1)
    branch.modify("u0", mail=["zoe@corp.example", "anna@corp.example"])
    facts = report(open_world(branch), "U0").links[0].facts
    assert (facts["mail"], facts["aliases"]) == ("zoe@corp.example", ["anna@corp.example"])


def test_units_are_departments(branch, open_world):
    """Promise 5: a path of the units below the base, and a move is another department."""
    branch.add_unit(r"Sales\, Inside", "People")
    branch.add_unit("Berlin", r"Sales\, Inside,OU=People")
    branch.move("u0", r"Berlin,OU=Sales\, Inside,OU=People")
    branch.move("u1", r"Sales\, Inside,OU=People")
    world = open_world(branch, {"department": "ou_path"})
    found = [report(world, f"U{number}").department for number in range(3)]
    assert found == ["Sales, Inside / Berlin", "Sales, Inside", None]
    branch.move("u0", "People")
    branch.rename_unit(r"Sales\, Inside", "Shops", "People")
    world.night()
    assert [report(world, f"U{number}").department for number in range(2)] == [None, "Shops"]


def test_groups_are_departments(branch, open_world):
    """Promise 5: of the groups somebody is in, nested ones too, those an expression chooses."""
    branch.add_group("dept-berlin", "u0")
    branch.add_group("dept-europe", "dept-berlin", "u1")
    branch.add_group("chess", "u0", "u2")
    rule = (
        'all("group_names").filter(name, name.startsWith("dept-"))'
        '.map(name, title(replace(name, "dept-", "")))'
    )
    world = open_world(branch, {"department": {"expr": rule}}, group_base_dn=branch.base)
    found = [report(world, f"U{number}").department for number in range(3)]
    assert found == ["Berlin / Europe", "Europe", None]


def test_bases_and_exclusions_are_places_in_any_spelling(branch):
    """Promise 1: DNs as each directory writes them: commas, letters beyond ASCII, any case."""
    branch.add("c0", "c1", "c2", unit="Contractors")
    branch.rename("c1", r"Weber\, Anna")
    branch.add_unit("Zürich", "Contractors")
    branch.move("c2", "Zürich,OU=Contractors")
    anchor = anchor_of(branch, "u2")
    rdn, contractors = branch.server.kind.rdn, branch.unit("Contractors")
    exclude = [
        f"{rdn.lower()} = WEBER\\2C  anna , {contractors.upper()}",
        f"ou=z\\C3\\BCRICH,{contractors}",
        anchor.upper(),
    ]
    bases = [branch.unit("People").lower(), contractors]
    snapshot = opened(branch, base_dn=bases, exclude=exclude).read()
    people = {dn.lower(): uid for uid, dn in branch.people.items()}
    assert {people[person.where.lower()] for person in snapshot} == {"u0", "u1", "u3", "c0"}
    assert [f"1 left out by {each}" in snapshot.proof.detail for each in exclude] == [True] * 3
