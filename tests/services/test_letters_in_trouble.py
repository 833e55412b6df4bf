"""Letters that break, are refused for good, or take long (I4, R5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.domain.errors import DeliveryError, InvitationError
from provisioning.services.delivery import CLAIM, DeliveryService
from tests.kit.nights import ME, kinds
from tests.kit.postbox import Postbox, deliver, messages
from tests.kit.sources import entry
from tests.kit.world import join_token


@pytest.fixture
def invited(world):
    """Ann is invited, her letter not sent yet."""
    world.directory.add(entry("ann"))
    world.sync()
    return world


def test_a_letter_that_breaks_keeps_no_other_from_leaving(world):
    """R5: it is tried again later, behind the others."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    assert len(deliver(world, RuntimeError("a bug"))) == 1
    first, second = messages(world)
    assert (first.state, first.error) == ("waiting", "internal error: RuntimeError")
    assert second.state == "delivered"
    world.clock.advance(timedelta(minutes=2))
    assert len(deliver(world)) == 1


def test_a_slow_relay_does_not_lose_its_letter_to_another_worker(invited):
    """R5: a letter under way is nobody else's, however long the relay takes."""

    class Slow(Postbox):
        def send(self, letter):
            super().send(letter)
            invited.clock.advance(CLAIM + timedelta(minutes=1))
            DeliveryService(invited.services.context, other).deliver_due()

    other, slow = Postbox(), Slow()
    assert DeliveryService(invited.services.context, slow).deliver_due() == 1
    assert (len(slow.letters), other.letters) == (1, [])


def test_an_address_no_relay_takes_gives_its_seat_to_the_next(make_world):
    """I4, L3: lapsed, with a finding that says what was refused; a new address invites again."""
    world = make_world(seats=1)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    link = join_token(world.services, world.services.reports.find("Ann"))
    deliver(world, DeliveryError("550 no such user", permanent=True))
    assert world.services.waiting.serve() == 1
    assert world.states() == {"Ann": "waiting", "Bob": "invited"}
    (finding,) = world.services.reports.mismatches()
    assert (finding.kind, finding.evidence["refused"]) == ("no_usable_address", "550 no such user")
    with pytest.raises(InvitationError, match="is over"):
        world.services.invitations.find(link)
    assert kinds(world.night()) == {}
    world.services.seats.set_limit(2, ME)
    world.directory.add(entry("ann", mail="ann.weber@corp.example"))
    assert kinds(world.night()) == {"invite": 1}
    assert world.services.reports.mismatches() == []


def test_who_leaves_while_the_letter_is_under_way_is_remembered(invited):
    """D1: the letter arrives, so the person was written to."""

    class Leaving(Postbox):
        def send(self, letter):
            super().send(letter)
            invited.directory.add(entry("bob"))
            invited.directory.remove("ann")
            invited.night()

    assert DeliveryService(invited.services.context, Leaving()).deliver_due() == 1
    assert invited.states()["Ann"] == "dismissed"
