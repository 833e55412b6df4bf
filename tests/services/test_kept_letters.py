"""Letters kept for reading while no relay is named, and what becomes of them (I1, I3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from provisioning.domain.errors import DeliveryError, NotInvitableError
from provisioning.services.delivery import DeliveryService
from provisioning.services.kept_letters import send_kept
from provisioning.storage.models.effects import OutboxRecord
from tests.kit.sources import entry


class Relay:
    """A mailer that takes every letter, or refuses each for now."""

    keeps_letters = False

    def __init__(self, *, refusing=False):
        self.refusing, self.letters = refusing, []

    def send(self, letter):
        if self.refusing:
            raise DeliveryError("451 try again later", permanent=False)
        self.letters.append(letter)


@pytest.fixture
def kept(world):
    """Ann and Bob are invited, and their letters kept."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.delivery.deliver_due()
    return world


def states(world):
    with world.services.context.database.read() as session:
        return session.scalars(select(OutboxRecord.state).order_by(OutboxRecord.id)).all()


def test_a_kept_letter_is_called_kept_and_the_timeline_says_so(kept):
    """I1: nobody was written to, and nothing claims it."""
    assert states(kept) == ["kept", "kept"]
    person = kept.services.person(kept.services.reports.find("Ann"))
    assert person.timeline[0].kind == "invitation_kept"
    assert "nobody wrote to ann@corp.example" in person.timeline[0].because


def test_kept_letters_leave_when_somebody_says_so_with_clocks_that_start_then(kept):
    """I3: the same link, fourteen days from now; who joined meanwhile is left alone."""
    kept.accept("Bob")
    kept.clock.advance(timedelta(days=10))
    relay = Relay()
    sending = DeliveryService(kept.services.context, relay)
    assert sending.deliver_due() == 0
    assert send_kept(kept.services.context, relay) == 1
    assert sending.deliver_due() == 1
    assert ["ann@corp.example" in letter["To"] for letter in relay.letters] == [True]
    assert states(kept) == ["delivered", "kept"]
    kept.clock.advance(timedelta(days=13))
    assert kept.services.invitations.expire_due() == 0
    assert send_kept(kept.services.context, relay) == 0


def test_without_a_relay_kept_letters_stay(kept):
    """I1: the sentence names the setting."""
    with pytest.raises(NotInvitableError, match="SMTP_URL"):
        send_kept(kept.services.context, kept.services.mailer)
    assert states(kept) == ["kept", "kept"]


def test_whoever_asks_for_delivery_is_told_what_stays_and_why(world):
    """R5: a job that did not do its work does not say it did."""
    world.directory.add(entry("ann"))
    world.sync()
    sending = DeliveryService(world.services.context, Relay(refusing=True))
    with pytest.raises(DeliveryError, match=r"1 could not .* 451 try again later"):
        sending.require_delivered()
    with pytest.raises(DeliveryError, match="0 message"):
        sending.require_delivered()
    world.clock.advance(timedelta(minutes=2))
    assert DeliveryService(world.services.context, Relay()).require_delivered() == 1
