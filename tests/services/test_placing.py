"""Which employee a person is, over nights and pushes (P1-P7)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from provisioning.domain.errors import MatchError
from provisioning.domain.policy import ContactPolicy, Policy
from provisioning.storage.models.employees import LinkRecord
from tests.kit.matching import (
    NEW,
    SAME,
    decide,
    doubtful,
    events,
    only_question,
    with_zoe,
)
from tests.kit.nights import kinds
from tests.kit.scim_client import user
from tests.kit.sources import entry


@pytest.fixture
def idp(world):
    """A provider whose Zoe was here first, and has joined."""
    return with_zoe(world)


def links(world):
    """Who is linked to whom: (anchor, hidden)."""
    with world.services.context.database.read() as session:
        rows = session.execute(select(LinkRecord.anchor, LinkRecord.hidden))
        return {anchor: hidden for anchor, hidden in rows if anchor.startswith("id-")}


def test_linking_by_a_key_leaves_the_contact_alone_as_well(make_world):
    """P5: whoever links, an administrator or a strong key."""
    policy = Policy(missing_grace_nights=0, contact_email=ContactPolicy.FOLLOW_DIRECTORY)
    world = make_world(policy=policy)
    world.directory.add(entry("zoe", employeeNumber="7"))
    world.sync()
    world.accept("Zoe")
    world.directory.remove("zoe")
    world.directory.add(entry("zoe2", employeeNumber="7", cn="Zoe", mail="zoe2@corp.example"))
    assert kinds(world.night()) == {"update": 1}
    person = world.services.person(world.services.reports.find("Zoe"))
    assert {line.role: line.value for line in person.addresses}["contact"] == "zoe@corp.example"
    assert ("linked", "is Zoe by employee number (P2)") in events(world, "Zoe")
    world.directory.add(entry("zoe2", employeeNumber="7", cn="Zoe", mail="zoe3@corp.example"))
    world.night()
    person = world.services.person(world.services.reports.find("Zoe"))
    assert {line.role: line.value for line in person.addresses}["contact"] == "zoe3@corp.example"


def test_two_people_of_one_source_are_never_one_employee(world):
    """P3: whom another present person is linked to cannot be named."""
    world.directory.add(entry("zoe"))
    world.sync()
    world.directory.add(entry("zoe2", mail="zoe@corp.example"))
    world.night()
    row = only_question(world)
    assert row.candidates[0].taken
    with pytest.raises(MatchError, match=r"linked to zoe of corp \(id-zoe\), who is there"):
        decide(world, row, SAME, "Zoe")
    assert links(world) == {"id-zoe": False}
    assert only_question(world).decision is None


def test_who_was_made_again_under_a_new_id_is_decided_and_comes_back(world):
    """P2, P5, S6: the old entry is gone, Zoe was dismissed; the word brings her back."""
    world.directory.add(entry("zoe"), entry("ann"))
    world.sync()
    world.accept("Zoe")
    world.directory.remove("zoe")
    world.directory.add(entry("zoe", anchor="id-zoe-again"))
    assert kinds(world.night()) == {"dismiss": 1, "flag": 1}
    decide(world, only_question(world), SAME, "Zoe")
    assert world.states() == {"Zoe": "active", "Ann": "invited"}
    assert links(world) == {"id-zoe": True, "id-zoe-again": False, "id-ann": False}
    assert kinds(world.night()) == {}


def test_a_name_given_anew_takes_nobody_over_even_if_weak_keys_link(make_world):
    """P2: the source knew Zoe by another id; another human may have her address now."""
    world = make_world(policy=Policy(missing_grace_nights=0, link_weak_keys=True))
    world.directory.add(entry("zoe"), entry("ann"))
    world.sync()
    world.accept("Zoe")
    world.directory.remove("zoe")
    world.directory.add(entry("zoe", anchor="id-zoe-again"))
    assert kinds(world.night()) == {"dismiss": 1, "flag": 1}
    assert world.states()["Zoe"] == "dismissed"


def test_an_entry_that_comes_back_is_who_it_was(world):
    """P1: its directory id decides, although another entry had taken its place."""
    world.directory.add(entry("zoe", employeeNumber="7"), entry("ann"))
    world.sync()
    world.directory.remove("zoe")
    world.directory.add(entry("zed", employeeNumber="7", cn="Zoe"))
    world.night()
    assert links(world) == {"id-zoe": True, "id-zed": False, "id-ann": False}
    world.directory.remove("zed")
    world.directory.add(entry("zoe", employeeNumber="8", cn="Zoe"))
    assert kinds(world.night()) == {"update": 1}
    assert links(world) == {"id-zoe": False, "id-zed": True, "id-ann": False}
    assert kinds(world.night()) == {}
    assert sorted(world.states()) == ["Ann", "Zoe"]


def test_several_sources_fill_one_employee_attribute_by_attribute(world, idp):
    """P6: what one does not say, the other may; nothing is taken away by silence."""
    row = doubtful(world, departmentNumber="Sales")
    decide(world, row, SAME, "Zoe")
    (zoe,) = idp.find('userName eq "zoe@corp.example"')
    idp.put(zoe["id"], user("zoe", title="Head", displayName="Zoe Z"))
    person = world.services.person(world.services.reports.find("Zoe Z"))
    assert (person.title, person.department) == ("Head", "Sales")
    world.directory.add(entry("zoe", cn="Zoe Z"))
    world.night()
    person = world.services.person(world.services.reports.find("Zoe Z"))
    assert (person.title, person.department) == ("Head", None)


def test_a_key_the_policy_leaves_out_is_not_used(make_world):
    """P2, P7: without the mail there is nothing in common, so it is a newcomer."""
    policy = Policy(correlation_keys=tuple(key for key in Policy().correlation_keys[:3]))
    world = make_world(policy=policy)
    with_zoe(world)
    world.directory.add(entry("zoe", cn="Zoe Other"))
    assert kinds(world.sync()) == {"invite": 1}


def test_suggestions_rank_by_name_and_address_and_link_nobody(world, idp):
    """P4: the likeliest first, with how alike; the candidate by a key is not repeated."""
    for name, shown in (("anna.weber", "Anna Weber"), ("a.web", "Weber, Ana"), ("bob", "Bob Roe")):
        idp.create(name, displayName=shown)
    row = doubtful(world, cn="Ana Weber")
    full = world.services.matches.one(row.id)
    assert [one.name for one in full.candidates] == ["Zoe"]
    assert {one.name for one in full.suggestions} == {"Weber, Ana", "Anna Weber"}
    assert all(75 <= one.percent <= 100 and not one.keys for one in full.suggestions)
    decide(world, row, SAME, "Anna Weber")
    assert world.services.matches.one(row.id).suggestions == ()


def test_whoever_was_the_other_newcomer_is_an_employee_once_decided(world):
    """P3, P5: one of two newcomers is new; the other one is asked about with that in sight."""
    world.directory.add(entry("ann", mail="x@corp.example"), entry("bob", mail="x@corp.example"))
    world.sync()
    ann, bob = world.services.matches.rows()
    assert [one.state for one in bob.candidates] == ["newcomer"]
    decide(world, ann, NEW)
    world.night()
    again = only_question(world)
    assert (again.id, again.candidates[0].state, again.candidates[0].taken) == (
        bob.id,
        "invited",
        True,
    )
