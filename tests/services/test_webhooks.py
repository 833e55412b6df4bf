"""Programs are told what administrators are told, through the outbox."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from provisioning.domain.errors import DeliveryError, DeliveryInDoubtError, SourceError
from provisioning.storage.models.effects import OutboxState
from tests.kit.sources import entry


class Pager:
    """Keeps the events it takes, and fails as told: one outcome an event, then none."""

    def __init__(self):
        self.outcomes, self.events = [], []

    def send(self, message_id, at, body):
        self.events.append((message_id, at, json.loads(body)))
        if self.outcomes:
            raise self.outcomes.pop(0)


@pytest.fixture
def pager():
    return Pager()


@pytest.fixture
def alarmed(make_world, pager):
    """A world whose directory broke off twice."""
    world = make_world(webhooks={"pager": pager})
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.directory.cut_after = 1
    for _ in range(2):
        with pytest.raises(SourceError):
            world.sync()
    return world


def look(world):
    world.services.alarms.look()
    return world.services.delivery.deliver_due()


def test_an_event_says_what_a_letter_says_and_when_it_is_over(alarmed, pager):
    """R7: with the page where something can be done; it needs no administrator's address."""
    look(alarmed)
    ((name, at, event),) = pager.events
    assert name.startswith("msg_")
    assert at == alarmed.clock.now()
    assert event["type"] == "source.failing"
    assert event["timestamp"] == alarmed.clock.now().isoformat()
    data = event["data"]
    assert data["subject"] == "corp"
    assert data["url"] == "https://intranet.example/admin/connections/corp"
    assert "sizeLimitExceeded" in " ".join(data["sentences"])
    look(alarmed)
    assert len(pager.events) == 1
    alarmed.directory.cut_after = None
    alarmed.sync()
    look(alarmed)
    assert pager.events[1][2]["type"] == "source.failing.ended"
    assert pager.events[1][2]["data"]["alarm"] == data["alarm"]
    assert pager.events[1][0] != name


@pytest.mark.parametrize(
    "outcome", [DeliveryError("503", permanent=False), DeliveryInDoubtError("answer lost")]
)
def test_an_event_that_was_not_taken_is_sent_again_under_its_id(alarmed, pager, outcome):
    """R7: the same id and the same words, at another time."""
    pager.outcomes.append(outcome)
    look(alarmed)
    alarmed.clock.advance(timedelta(minutes=2))
    look(alarmed)
    (first, second) = pager.events
    assert first[0] == second[0]
    assert first[2] == second[2]
    assert second[1] > first[1]
    states = {row.state for row in alarmed.services.outbox.messages() if row.topic == "webhook"}
    assert states == {OutboxState.DELIVERED}


def test_a_program_that_is_gone_or_configured_no_more_is_not_told(alarmed, pager):
    """R7: 410 ends it; what the configuration does not name any more is dead, not stuck."""
    pager.outcomes.append(DeliveryError("410", permanent=True))
    look(alarmed)
    alarmed.directory.cut_after = None
    alarmed.sync()
    del alarmed.services.delivery._webhooks["pager"]
    look(alarmed)
    rows = [row for row in alarmed.services.outbox.messages() if row.topic == "webhook"]
    assert [(row.state, row.error) for row in rows] == [
        ("dead", "no longer wanted"),
        ("dead", "410"),
    ]
    assert alarmed.services.delivery.letter(rows[0].id) is None
