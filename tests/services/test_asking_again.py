"""Reminders, lapsed invitations and letters that got lost (I4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from provisioning.domain.errors import InvitationError, NotFoundError, NotInvitableError
from provisioning.services.context import Actor
from provisioning.storage.models.effects import OutboxRecord
from tests.kit.nights import ME
from tests.kit.services import make_services
from tests.kit.sources import entry
from tests.kit.world import join_token

DAY = timedelta(days=1)


def letters(world):
    with world.services.context.database.read() as session:
        return session.scalars(select(OutboxRecord.topic).order_by(OutboxRecord.id)).all()


def ann(world):
    return world.services.reports.find("ann@corp.example")


def timeline(world):
    return [line.kind for line in world.services.person(ann(world)).timeline]


@pytest.fixture
def invited(make_world):
    """Ann's letter has left; one seat, and it is hers."""
    world = make_world(seats=1)
    world.directory.add(entry("ann"))
    world.sync()
    world.services.delivery.deliver_due()
    return world


def test_who_has_not_joined_is_reminded_once_with_the_same_link(invited):
    """I4: after five days, and never again."""
    invited.clock.advance(5 * DAY - timedelta(seconds=1))
    assert invited.services.invitations.remind_due() == 0
    invited.clock.advance(timedelta(seconds=1))
    assert invited.services.invitations.remind_due() == 1
    assert invited.services.invitations.remind_due() == 0
    assert invited.services.delivery.deliver_due() == 1
    assert letters(invited) == ["letter.invitation", "letter.reminder"]
    first, reminder = (invited.services.delivery.letter(number) for number in (1, 2))
    link = f"/join/{join_token(invited.services, ann(invited))}"
    assert link in reminder.get_body(("plain",)).get_content()
    assert reminder["To"] == first["To"]
    assert reminder["Message-ID"] != first["Message-ID"]
    assert timeline(invited).count("reminder_kept") == 1


def test_a_reminder_does_not_prolong_the_invitation(invited):
    """I3, I4: fourteen days from the first letter."""
    invited.clock.advance(6 * DAY)
    invited.services.invitations.remind_due()
    invited.services.delivery.deliver_due()
    invited.clock.advance(8 * DAY)
    assert invited.services.invitations.expire_due() == 1


def test_nobody_is_reminded_of_a_letter_that_is_not_there_to_be_answered(make_world):
    """I4: joined, not written to yet, or over."""
    world = make_world(seats=3)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.accept("ann@corp.example")
    world.directory.add(entry("cid"))
    world.sync()
    world.clock.advance(20 * DAY)
    assert world.services.invitations.remind_due() == 0


def test_a_reminder_of_who_joined_meanwhile_never_leaves(invited):
    """I4: decided, then not needed any more."""
    invited.clock.advance(5 * DAY)
    invited.services.invitations.remind_due()
    invited.services.accounts.accept(
        join_token(invited.services, ann(invited)), "ann@corp.example", "correct horse battery"
    )
    assert invited.services.delivery.deliver_due() == 0


def test_an_intranet_minds_its_own_invitations_only(invited, database_url):
    """S3: two intranets in one database; neither reminds, expires or opens the other's."""
    other = make_services(database_url, clock=invited.clock, slug="other")
    link = join_token(invited.services, ann(invited))
    with pytest.raises(InvitationError, match="does not belong"):
        other.invitations.find(link)
    invited.clock.advance(6 * DAY)
    assert other.invitations.remind_due() == 0
    invited.clock.advance(14 * DAY)
    assert other.invitations.expire_due() == 0
    with pytest.raises(NotFoundError):
        other.invite_again(ann(invited), ME)
    other.context.database.close()
    assert invited.services.invitations.expire_due() == 1


def test_a_lapsed_person_is_invited_again_when_an_administrator_asks(invited):
    """I4: by the seat gate, with a new link, and it is on the timeline."""
    old = join_token(invited.services, ann(invited))
    invited.clock.advance(15 * DAY)
    invited.services.invitations.expire_due()
    assert invited.services.reports.seats().taken == 0
    assert invited.services.invite_again(ann(invited), ME) == "invited"
    assert invited.services.reports.seats().taken == 1
    assert invited.services.delivery.deliver_due() == 1
    assert join_token(invited.services, ann(invited)) != old
    assert "invitation_asked_for" in timeline(invited)


def test_without_a_seat_the_lapsed_person_waits_in_line(invited):
    """L2, L3: asking does not jump the queue or pass the limit."""
    invited.clock.advance(15 * DAY)
    invited.services.invitations.expire_due()
    invited.directory.add(entry("bob"))
    invited.sync()
    assert invited.services.invite_again(ann(invited), ME) == "waiting"
    assert [row.reason for row in invited.services.reports.waitlist()] == ["no_seat"]
    assert invited.services.reports.seats().taken == 1


def test_a_lost_letter_is_sent_again_after_the_cool_down(invited):
    """I4: one open invitation at a time, and not a letter a minute."""
    old = join_token(invited.services, ann(invited))
    with pytest.raises(NotInvitableError, match="a moment ago"):
        invited.services.invite_again(ann(invited), ME)
    assert letters(invited) == ["letter.invitation"]
    invited.clock.advance(timedelta(hours=1))
    assert invited.services.invite_again(ann(invited), Actor("anna", "page")) == "invited"
    with pytest.raises(InvitationError, match="newer invitation"):
        invited.services.invitations.find(old)
    assert invited.services.delivery.deliver_due() == 1
    assert timeline(invited).count("invitation_kept") == 2
    assert invited.services.reports.seats().taken == 1


def test_asking_for_a_letter_that_has_not_left_is_refused(make_world):
    """I10: an unreleased source keeps its letters, whoever asks."""
    world = make_world()
    world.directory.add(entry("ann"))
    world.sync()
    with pytest.raises(NotInvitableError, match="has not left yet"):
        world.services.invite_again(ann(world), ME)


def test_who_has_joined_or_cannot_be_written_to_is_not_invited(make_world):
    """I1, S1: a sentence that says why, and nothing is sent."""
    world = make_world()
    world.directory.add(entry("ann"), entry("bob", mail=None))
    world.sync()
    world.accept("ann@corp.example")
    with pytest.raises(NotInvitableError, match="is active"):
        world.services.invite_again(ann(world), ME)
    with pytest.raises(NotInvitableError, match="waits \\(no usable address\\)"):
        world.services.invite_again(world.services.reports.find("Bob"), ME)
    assert world.services.delivery.deliver_due() == 0
