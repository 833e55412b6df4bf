"""Several directories describe one employee: whose word counts for what (P6, D3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.factory import make_readable
from provisioning.domain.policy import ContactPolicy, Policy
from tests.kit.sources import entry
from tests.kit.world import make_world as new_world

OWNERS = {"title": "hr", "manager": "hr"}


@pytest.fixture
def world(make_world):
    """corp is authoritative; hr owns the title and the manager, and nothing else."""
    policy = Policy(missing_grace_nights=0, owners=OWNERS)
    return make_world(policy=policy, others={"hr": {"authoritative": False}})


def both(world, corp, hr, uid="ann"):
    """Write what the two say of somebody, and read them."""
    world.directory.add(entry(uid, employeeNumber=uid, **corp))
    world.others["hr"].add(entry(uid, employeeNumber=uid, **hr))
    world.night()
    world.night("hr")
    return person(world, uid.title())


def person(world, name="Ann"):
    return world.services.person(world.services.reports.find(name))


def said(world):
    return {line.attribute: str(line) for line in person(world).said}


def test_a_source_has_the_say_about_what_it_owns_and_no_more(world):
    """P6: whichever of the two was read last."""
    corp = {"title": "Clerk", "departmentNumber": "Sales"}
    found = both(world, corp, {"title": "Engineer", "departmentNumber": "Ops"})
    assert (found.title, found.department) == ("Engineer", "Sales")
    found = both(world, corp | {"title": "Boss"}, {"title": "Engineer"})
    assert (found.title, found.department) == ("Engineer", "Sales")
    world.directory.add(entry("ann", employeeNumber="ann", **corp, mailbox="a@x.example"))
    world.night()
    assert (person(world).title, person(world).department) == ("Engineer", "Sales")


def test_what_the_owner_says_no_more_is_asked_of_the_others(world):
    """P6: and what it says again is its own again."""
    corp = {"title": "Clerk"}
    assert both(world, corp, {"title": "Engineer"}).title == "Engineer"
    assert both(world, corp, {}).title == "Clerk"
    assert both(world, corp, {"title": "Chief"}).title == "Chief"
    assert both(world, {}, {"title": "Chief"}).title == "Chief"
    assert both(world, {}, {}).title is None


def test_why_tells_whose_word_counts(world):
    """P6: attribute by attribute, with the reason and what the others say."""
    both(world, {"title": "Clerk"}, {"title": "Engineer", "departmentNumber": "Ops"})
    lines = said(world)
    assert lines["title"] == "Engineer, by hr: it owns title; corp says Clerk"
    assert lines["department"] == ("Ops, by hr: no authoritative source says it; corp says nothing")
    assert lines["display_name"] == "Ann, by corp: it is authoritative; hr says Ann"
    assert "manager" not in lines
    world.directory.add(entry("bob"))
    world.night()
    assert person(world, "Bob").said == []


def test_a_choice_that_is_new_counts_from_the_next_change_on(world):
    """P6: until then the page says who will have the say, and what is there."""
    both(world, {"title": "Clerk"}, {"title": "Engineer", "departmentNumber": "Ops"})
    context = world.services.context
    policy = replace(context.policy, owners={})
    chosen = replace(world.services, context=replace(context, policy=policy))
    lines = {line.attribute: str(line) for line in chosen.person(_id(world)).said}
    assert lines["title"] == (
        "Engineer, by corp: it is authoritative; it says Clerk now; hr says Engineer"
    )


def _id(world):
    return world.services.reports.find("Ann")


def test_the_owner_of_managers_says_who_manages(world):
    """P6: and its silence leaves it to the others."""
    bob, cid = ("uid=bob,ou=People,dc=corp,dc=example", "uid=cid,ou=People,dc=corp,dc=example")
    both(world, {}, {}, "bob")
    both(world, {}, {}, "cid")
    both(world, {"manager": bob}, {"manager": cid})
    assert person(world).manager.display_name == "Cid"
    assert said(world)["manager"] == f"{cid}, by hr: it owns manager; corp says {bob}"
    both(world, {"manager": bob}, {})
    assert person(world).manager.display_name == "Bob"


def test_owning_an_attribute_keeps_nobody_in(world):
    """D3: the employee leaves when the authoritative source says so."""
    both(world, {}, {"title": "Engineer"})
    both(world, {}, {}, "zoe")
    world.accept("Ann", "Zoe")
    world.others["hr"].remove("ann")
    world.night("hr")
    assert world.states() == {"Ann": "active", "Zoe": "active"}
    world.others["hr"].add(entry("ann", employeeNumber="ann"))
    world.night("hr")
    world.directory.remove("ann")
    world.night()
    assert world.states() == {"Ann": "dismissed", "Zoe": "active"}


def test_the_owner_of_the_mail_says_where_letters_go(make_world):
    """I5, E2: an invitation and the contact e-mail follow it, and nobody else."""
    policy = Policy(
        missing_grace_nights=0,
        owners={"mail": "hr"},
        contact_email=ContactPolicy.FOLLOW_DIRECTORY,
    )
    world = make_world(policy=policy, others={"hr": {"authoritative": False}})
    both(world, {}, {})
    both(world, {"mail": "corp@corp.example"}, {})
    assert person(world).invitation["address"] == "ann@corp.example"
    both(world, {"mail": "corp@corp.example"}, {"mail": "hr@corp.example"})
    assert person(world).invitation["address"] == "hr@corp.example"
    world.accept("Ann")
    both(world, {"mail": "more@corp.example"}, {"mail": "hr@corp.example"})
    contacts = [line.value for line in person(world).addresses if line.role == "contact"]
    assert contacts == ["hr@corp.example"]
    both(world, {"mail": "more@corp.example"}, {"mail": "last@corp.example"})
    contacts = [line.value for line in person(world).addresses if line.role == "contact"]
    assert contacts == ["last@corp.example"]


def test_two_real_directories(openldap, samba, sqlite_url):
    """P6: the company's Active Directory, and the titles of personnel's OpenLDAP."""
    branches = {"corp": samba.branch(2), "hr": openldap.branch(2)}
    for branch in branches.values():
        for uid in ("u0", "u1"):
            name = "employeeID" if branch is branches["corp"] else "employeeNumber"
            branch.modify(uid, title=f"{branch.server.kind.id_attribute} {uid}", **{name: uid})
    sources = {}
    for name, branch in branches.items():
        readable = make_readable(name, "ldap", branch.options(changes="off"), {})
        sources[name] = {"directory": readable.directory, "mapping": readable.mapping}
    world = new_world(
        sqlite_url,
        policy=Policy(missing_grace_nights=0, owners={"title": "hr"}),
        corp=sources["corp"],
        others={"hr": {**sources["hr"], "authoritative": False}},
    )
    try:
        world.sync()
        world.sync("hr")
        assert [person(world, f"Tim U{n}").title for n in (0, 1)] == [
            "entryUUID u0",
            "entryUUID u1",
        ]
        branches["hr"].modify("u1", title="")
        branches["corp"].modify("u0", title="Clerk", department="Ops")
        world.night()
        world.night("hr")
        assert [person(world, f"Tim U{n}").title for n in (0, 1)] == [
            "entryUUID u0",
            "objectGUID u1",
        ]
        assert person(world, "Tim U0").department == "Ops"
    finally:
        world.services.context.database.close()
