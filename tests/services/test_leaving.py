"""Leaving, lapsing and coming back (D1, D2, S6, I4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from provisioning.domain.errors import InvitationError
from provisioning.domain.policy import Policy
from provisioning.services.context import InvitationTimes
from provisioning.storage.models.accounts import IdentityRecord, RoleGrantRecord, RoleName
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.models.intranets import SourceRecord
from tests.kit.nights import ME, kinds
from tests.kit.sources import entry
from tests.kit.world import PASSWORD, join_token


def test_leaving_after_acceptance_is_a_dismissal_that_keeps_the_row(world):
    """D1, S2: dismissed, never deleted; the seat is free."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.remove("ann")
    plan = world.night()
    assert kinds(plan) == {"dismiss": 1}
    assert world.states() == {"Ann": "dismissed", "Bob": "invited"}
    assert world.services.reports.seats().taken == 1


def test_leaving_before_the_letter_removes_the_row(make_world):
    """D1, I9: nobody was written to, nothing stays but the audit."""
    world = make_world(times=InvitationTimes(grace=timedelta(minutes=10)))
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.directory.remove("ann")
    assert kinds(world.sync()) == {"revoke": 1}
    assert world.states() == {"Bob": "invited"}
    assert world.services.reports.seats().taken == 1
    world.clock.advance(timedelta(minutes=11))
    assert world.services.delivery.deliver_due() == 1
    with world.services.context.database.read() as session:
        assert "removed" in session.scalars(select(EventRecord.kind)).all()


def test_leaving_after_the_letter_keeps_a_dismissed_row(world):
    """D1: who was written to is remembered."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.delivery.deliver_due()
    world.directory.remove("ann")
    world.night()
    assert world.states()["Ann"] == "dismissed"


def test_who_comes_back_is_hired_back_with_their_history(world):
    """S6: the same employee, active at once because an account is bound."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    before = world.services.reports.find("ann@corp.example")
    ann = world.directory.people["id-ann"]
    world.directory.remove("ann")
    world.night()
    world.directory.add(ann)
    plan = world.night()
    assert kinds(plan) == {"hire_back": 1}
    assert world.states()["Ann"] == "active"
    assert world.services.reports.find("ann@corp.example") == before


def test_a_night_of_grace_and_back_in_time_is_nothing(make_world):
    """D2: marked, not dismissed; back, and the mark is gone."""
    world = make_world(policy=Policy(missing_grace_nights=1))
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    ann = world.directory.people["id-ann"]
    world.directory.remove("ann")
    assert kinds(world.night()) == {"flag": 1}
    assert kinds(world.sync()) == {}
    world.directory.add(ann)
    assert kinds(world.night()) == {}
    world.directory.remove("ann")
    assert kinds(world.night()) == {"flag": 1}
    assert kinds(world.night()) == {"dismiss": 1}


def test_an_expired_invitation_frees_the_seat_and_does_not_loop(world):
    """I4: lapsed, and no run invites them again without a new fact."""
    world.directory.add(entry("ann"))
    world.sync()
    world.services.delivery.deliver_due()
    world.clock.advance(timedelta(days=15))
    assert world.services.invitations.expire_due() == 1
    assert world.services.reports.seats().taken == 0
    assert kinds(world.night()) == {}
    world.directory.add(entry("ann", departmentNumber="Sales"))
    assert kinds(world.night()) == {"invite": 1}


def test_a_reborn_entry_with_the_employee_number_is_the_same_employee(world):
    """P2: a strong key links the new entry, and nobody is dismissed for the old one."""
    world.directory.add(entry("ann", employeeNumber="7"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.remove("ann")
    world.directory.add(entry("ann", employeeNumber="7", anchor="id-reborn"))
    plan = world.night()
    assert kinds(plan) == {"update": 1}
    assert world.states()["Ann"] == "active"
    assert kinds(world.night()) == {}


def test_a_mark_and_its_finding_go_when_they_are_back(make_world):
    """D2, E5: somebody missing for a night is to be seen, and then not."""
    world = make_world(policy=Policy(missing_grace_nights=2))
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    ann = world.directory.people["id-ann"]
    world.directory.remove("ann")
    world.night()
    assert [row.kind for row in world.services.reports.mismatches()] == ["missing_from_source"]
    world.directory.add(ann)
    world.night()
    assert world.services.reports.mismatches() == []


def test_who_comes_back_without_an_address_waits_for_one(world):
    """S6, I1: never accepted and dismissed; back without mail, they cannot be invited."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.delivery.deliver_due()
    world.directory.remove("ann")
    world.night()
    world.directory.add(entry("ann", mail=None))
    assert kinds(world.night()) == {"flag": 1}
    assert world.states()["Ann"] == "waiting"
    assert kinds(world.night()) == {}
    world.directory.add(entry("ann"))
    assert kinds(world.night()) == {"invite": 1}


def test_who_moves_to_a_foreign_domain_before_joining_is_not_written_to_there(make_world):
    """I5, I1: the old link opens nothing, the seat is free, and the new address is a finding."""
    policy = Policy(missing_grace_nights=0, verified_domains=("corp.example",))
    world = make_world(policy=policy)
    world.directory.add(entry("ann"))
    world.sync()
    world.services.delivery.deliver_due()
    old = join_token(world.services, world.services.reports.find("Ann"))
    world.directory.add(entry("ann", mail="ann@elsewhere.example"))
    assert kinds(world.night()) == {"flag": 1}
    assert world.states() == {"Ann": "waiting"}
    assert world.services.reports.seats().taken == 0
    assert "unverified_domain" in {row.kind for row in world.services.reports.mismatches()}
    with pytest.raises(InvitationError, match="withdrawn"):
        world.services.invitations.find(old)
    assert world.services.delivery.deliver_due() == 0
    assert kinds(world.night()) == {}
    world.directory.add(entry("ann"))
    assert kinds(world.night()) == {"invite": 1}


def test_who_loses_the_address_in_the_line_is_not_invited_to_nowhere(make_world):
    """I1, L3: a seat is free, and nobody to write to: it goes to the next."""
    world = make_world(seats=1)
    world.directory.add(entry("ann"), entry("bob"), entry("cid"))
    world.sync()
    world.directory.add(entry("bob", mail=None))
    assert kinds(world.night()) == {"flag": 1}
    world.directory.remove("ann")
    world.night()
    assert world.states() == {"Bob": "waiting", "Cid": "invited"}


def test_a_policy_that_closes_a_domain_takes_people_out_of_the_line(make_world):
    """I1, L3: the line is looked at again when a seat is free, whatever was decided before."""
    world = make_world(seats=1)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.seats.set_limit(2, ME)
    strict = make_world(seats=2, policy=Policy(verified_domains=("elsewhere.example",)))
    assert strict.services.waiting.serve() == 0
    assert strict.states()["Bob"] == "waiting"
    found = {row.kind for row in strict.services.reports.mismatches()}
    assert "unverified_domain" in found


def test_an_administrator_is_not_dismissed_by_a_run(world):
    """D4: held, and when somebody approves it the roles go with the access."""
    world.services.accounts.create_administrator("ann@corp.example")
    with world.services.context.database.write() as session:
        session.execute(
            update(IdentityRecord).values(password_hash=PasswordHasher().hash(PASSWORD))
        )
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("Ann")
    world.directory.remove("ann")
    plan = world.night()
    assert [action.held for action in plan.actions] == ["protected"]
    assert world.states()["Ann"] == "active"
    other = another_administrator(world)
    assert world.services.runs.approve(plan.run, ME) == "applied"
    assert world.states()["Ann"] == "dismissed"
    with world.services.context.database.read() as session:
        assert session.scalars(select(RoleGrantRecord.account_id)).all() == [other]


def another_administrator(world):
    """Somebody else may go on, so that the last one is not the one who leaves (A7)."""
    world.accept("Bob")
    context = world.services.context
    with context.database.write() as session:
        bob = session.scalars(
            select(IdentityRecord.account_id).where(IdentityRecord.address == "bob@corp.example")
        ).one()
        session.add(
            RoleGrantRecord(
                account_id=bob,
                intranet_id=context.intranet_id,
                role=RoleName.ADMIN,
                granted_by="test",
                granted_at=context.now(),
            )
        )
    return bob


def test_a_mark_made_while_another_source_vouched_does_not_open_the_gate(world):
    """D3, D5: when the other lets go, everybody counts, and forty at once are held."""
    context = world.services.context
    world.services.tokens.create("idp", ME, first_run="apply")
    world.directory.add(*(entry(f"p{n:02}") for n in range(41)))
    world.sync()
    with context.database.write() as session:
        idp = session.scalars(select(SourceRecord.id).where(SourceRecord.name == "idp")).one()
        session.execute(update(LinkRecord).values(authoritative=False))
        links = session.scalars(select(LinkRecord)).all()
        session.add_all(also_linked(link, idp) for link in links)
    world.directory.remove(*(f"p{n:02}" for n in range(40)))
    assert kinds(world.night()) == {"flag": 40}
    with context.database.write() as session:
        session.execute(
            update(LinkRecord)
            .where(LinkRecord.source_id == idp)
            .values(missing_since=context.today() + timedelta(days=1))
        )
    plan = world.night()
    assert {action.held for action in plan.actions} == {"mass_removal"}
    assert len(plan.actions) == 40


def also_linked(link, source_id):
    """The same person as another source has them."""
    return LinkRecord(
        source_id=source_id,
        anchor=f"idp-{link.anchor}",
        employee_id=link.employee_id,
        applied=link.applied,
        user_name=link.user_name,
        user_name_key=link.user_name_key,
        linked_at=link.linked_at,
    )
