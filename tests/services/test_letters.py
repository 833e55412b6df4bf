"""Letters: once, in time, at the corporate address, and never to who left before (I, R5, D7)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from provisioning.domain.errors import (
    CredentialsError,
    DeliveryError,
    DeliveryInDoubtError,
    InvitationError,
    PasswordError,
)
from provisioning.services.context import Actor, InvitationTimes
from provisioning.services.delivery import CLAIM, DeliveryService
from provisioning.services.links import invitation_token
from provisioning.storage.models.accounts import InvitationRecord, SessionRecord, TaskRecord
from provisioning.storage.models.effects import Lane, OutboxRecord
from provisioning.storage.models.intranets import SourceRecord
from tests.kit.postbox import Postbox, deliver, messages
from tests.kit.scim_people import scim_person
from tests.kit.sources import entry

ME = Actor("anna", "cli")
PASSWORD = "correct horse battery"


def token_of(world, address):
    with world.services.context.database.read() as session:
        invitation = session.scalars(
            select(InvitationRecord).where(InvitationRecord.address == address)
        ).all()[-1]
    return invitation_token(world.services.context, invitation.id)


@pytest.fixture
def invited(world):
    world.directory.add(entry("ann"))
    world.sync()
    return world


def test_a_letter_leaves_once_for_the_corporate_address_with_its_link(invited):
    """I1, I3, R5."""
    (letter,) = deliver(invited)
    assert "ann@corp.example" in letter["To"]
    text = letter.get_body(("plain",)).get_content()
    assert f"https://intranet.example/join/{token_of(invited, 'ann@corp.example')}" in text
    assert deliver(invited) == []


def test_no_letter_leaves_before_the_grace_is_over(make_world):
    """I9: ten minutes to think again; the seat is reserved meanwhile."""
    world = make_world(times=InvitationTimes(grace=timedelta(minutes=10)))
    world.directory.add(entry("ann"))
    world.sync()
    assert deliver(world) == []
    assert world.services.reports.seats().taken == 1
    world.clock.advance(timedelta(minutes=10))
    assert len(deliver(world)) == 1


def test_the_default_task_comes_when_the_letter_leaves(invited):
    """I8: and only once."""

    def tasks():
        with invited.services.context.database.read() as session:
            return session.scalars(select(TaskRecord.title)).all()

    assert tasks() == []
    deliver(invited)
    deliver(invited)
    assert tasks() == ["Complete profile"]


def test_a_relay_that_is_away_is_asked_again_later(invited):
    """R5: backed off, not lost."""
    assert deliver(invited, DeliveryError("451 later", permanent=False)) == []
    (message,) = messages(invited)
    assert (message.state, message.attempts, message.error) == ("waiting", 1, "451 later")
    assert deliver(invited) == []
    invited.clock.advance(timedelta(minutes=2))
    assert len(deliver(invited)) == 1


def test_an_address_that_is_refused_for_good_is_not_tried_again(invited):
    """I4: dead, with what the relay said."""
    deliver(invited, DeliveryError("550 no such user", permanent=True))
    invited.clock.advance(timedelta(days=2))
    assert deliver(invited) == []
    assert messages(invited)[0].state == "dead"


def test_a_lost_answer_repeats_the_letter_under_the_same_message_id(invited):
    """R5: a mail system can tell that it is the same letter."""
    first = deliver(invited, DeliveryInDoubtError("no answer"))
    invited.clock.advance(timedelta(minutes=2))
    second = deliver(invited)
    assert first[0]["Message-ID"] == second[0]["Message-ID"]
    link = f"/join/{token_of(invited, 'ann@corp.example')}"
    assert all(link in letter.get_body(("plain",)).get_content() for letter in first + second)


def test_a_worker_that_died_leaves_its_claim_to_the_next(invited):
    """R5: after the claim's time, and its late outcome changes nothing."""
    service = DeliveryService(invited.services.context, Postbox())
    ((message_id, fence),) = service._claim()
    assert deliver(invited) == []
    invited.clock.advance(CLAIM + timedelta(seconds=1))
    assert len(deliver(invited)) == 1
    service._failed(message_id, fence, DeliveryError("late", permanent=True), permanent=True)
    assert messages(invited)[0].state == "delivered"


def test_who_left_before_the_letter_is_not_written_to(make_world):
    """I9, D1: the letter dies with the invitation."""
    world = make_world(times=InvitationTimes(grace=timedelta(minutes=10)))
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.directory.remove("ann")
    world.sync()
    world.clock.advance(timedelta(hours=1))
    (letter,) = deliver(world)
    assert "bob@corp.example" in letter["To"]
    assert {message.state for message in messages(world)} == {"dead", "delivered"}


def test_removals_overtake_letters(world):
    """D7: the priority lane, whatever waits in the other."""
    world.directory.add(*(entry(f"p{n:02}") for n in range(60)))
    world.sync()
    with world.services.context.database.write() as session:
        last = session.scalars(select(OutboxRecord).order_by(OutboxRecord.id.desc())).first()
        last.lane = Lane.REMOVAL
        last_to = last.payload["to"]
    assert last_to in deliver(world)[0]["To"]


def test_held_letters_leave_when_the_source_is_released(make_world):
    """I10: a push is answered, the letter waits; the grace starts at the release."""
    world = make_world(times=InvitationTimes(grace=timedelta(minutes=10)))
    services = world.services
    services.tokens.create("idp", ME)
    with services.context.database.read() as session:
        source_id = session.scalars(select(SourceRecord.id).where(SourceRecord.name == "idp")).one()
    services.scim_users.create(source_id, scim_person(1), ME)
    world.clock.advance(timedelta(days=1))
    assert (deliver(world), services.reports.seats().taken) == ([], 1)
    assert services.invitations.release("idp", ME) == 1
    assert deliver(world) == []
    world.clock.advance(timedelta(minutes=10))
    assert len(deliver(world)) == 1
    assert services.invitations.release("idp", ME) == 0


def test_accepting_makes_an_account_and_the_employee_active(invited):
    """I6, I3: the link works once."""
    deliver(invited)
    token = token_of(invited, "ann@corp.example")
    accounts = invited.services.accounts
    accounts.accept(token, "ann@corp.example", PASSWORD)
    assert invited.states() == {"Ann": "active"}
    with pytest.raises(InvitationError, match="accepted already"):
        accounts.accept(token, "ann@corp.example", PASSWORD)
    assert invited.services.sessions.sign_in("ANN@corp.example ", PASSWORD)


def test_accepting_with_another_address_is_allowed_and_reported(invited):
    """I6, E3: the login differs from the contact; nothing is changed behind anybody's back."""
    deliver(invited)
    token = token_of(invited, "ann@corp.example")
    invited.services.accounts.accept(token, "ann@home.example", PASSWORD)
    found = {row.kind for row in invited.services.reports.mismatches()}
    assert found == {"login_differs_from_contact", "login_differs_from_directory"}


def test_an_existing_account_is_bound_by_its_password_only(world):
    """A1, I6: an address is not a proof."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    deliver(world)
    accounts = world.services.accounts
    accounts.accept(token_of(world, "ann@corp.example"), "ann@corp.example", PASSWORD)
    with pytest.raises(CredentialsError):
        accounts.accept(token_of(world, "bob@corp.example"), "ann@corp.example", "guess " * 4)
    with pytest.raises(CredentialsError, match="another employee"):
        accounts.accept(token_of(world, "bob@corp.example"), "ann@corp.example", PASSWORD)
    assert world.states() == {"Ann": "active", "Bob": "invited"}


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 2000])
def test_a_poor_password_is_refused_and_the_invitation_stays_open(invited, password):
    """A6: with a sentence."""
    deliver(invited)
    token = token_of(invited, "ann@corp.example")
    with pytest.raises(PasswordError):
        invited.services.accounts.accept(token, "ann@corp.example", password)
    assert invited.states() == {"Ann": "invited"}


@pytest.mark.parametrize("token", ["", "x" * 43, "é" * 43, "a/../b"])
def test_a_guessed_link_opens_nothing(invited, token):
    """I3: unknown is all it says."""
    with pytest.raises(InvitationError, match="does not belong to any"):
        invited.services.invitations.find(token)


def test_a_replaced_link_says_that_there_is_a_newer_one(invited):
    """I5."""
    deliver(invited)
    old = token_of(invited, "ann@corp.example")
    invited.directory.add(entry("ann", mail="ann.weber@corp.example"))
    invited.night()
    with pytest.raises(InvitationError, match="newer invitation"):
        invited.services.invitations.find(old)


def test_dismissing_ends_sessions(invited):
    """D7: signed in a moment ago, out now."""
    deliver(invited)
    accounts = invited.services.accounts
    accounts.accept(token_of(invited, "ann@corp.example"), "ann@corp.example", PASSWORD)
    sessions = invited.services.sessions
    secret = sessions.sign_in("ann@corp.example", PASSWORD)
    assert sessions.signed_in(secret) is not None
    invited.directory.add(entry("ann", disabled="yes"))
    invited.night()
    assert sessions.signed_in(secret) is None
    with invited.services.context.database.read() as session:
        assert session.scalars(select(SessionRecord.ended_at)).one() is not None


def test_guessing_passwords_is_slowed_down(invited):
    """A6: the right one does not help meanwhile, and nothing tells who has an account."""
    deliver(invited)
    accounts, sessions = invited.services.accounts, invited.services.sessions
    accounts.accept(token_of(invited, "ann@corp.example"), "ann@corp.example", PASSWORD)

    def said(address, password):
        with pytest.raises(CredentialsError) as refused:
            sessions.sign_in(address, password)
        return str(refused.value)

    known = [said("ann@corp.example", "wrong") for _ in range(5)]
    known.append(said("ann@corp.example", PASSWORD))
    assert {*known, said("nobody@corp.example", "wrong")} == {known[0]}
    invited.clock.advance(timedelta(minutes=2))
    assert sessions.sign_in("ann@corp.example", PASSWORD)


def test_the_first_administrator_is_made_once(world):
    """A7: a one-time password, which has to be replaced."""
    password = world.services.accounts.create_administrator("admin@localhost")
    assert world.services.accounts.create_administrator("admin@localhost") is None
    secret = world.services.sessions.sign_in("admin@localhost", password)
    signed_in = world.services.sessions.signed_in(secret)
    assert (signed_in.role, signed_in.must_change_password) == ("admin", True)
    elsewhere = world.services.sessions.sign_in("admin@localhost", password)
    world.services.accounts.change_password(
        signed_in.account_id, PASSWORD, session_id=signed_in.session_id
    )
    assert not world.services.sessions.signed_in(secret).must_change_password
    assert world.services.sessions.signed_in(elsewhere) is None, "whoever knew the old one is out"
