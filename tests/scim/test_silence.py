"""An identity provider that falls silent is told of, by its own history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.kit.nights import ME

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def told(world):
    """Return a look at the letters about silence so far."""
    world.services.accounts.create_administrator("anna@corp.example")

    def look():
        world.services.alarms.look()
        rows = world.services.outbox.messages(limit=500)
        return [row for row in rows if row.topic == "letter.source_silent"]

    return look


def week(world, idp, hours, weekend=0):
    """Let a provider ask every so many hours for five days, and be silent for the weekend."""
    for _ in range(5 * 24 // hours):
        idp.list()
        world.clock.advance(hours * HOUR)
    idp.list()
    world.clock.advance(weekend * HOUR)


def test_silence_for_longer_than_usual_is_told_once_and_daily(world, idp, told):
    """R7: every two hours for weeks, so that six hours are a lot."""
    for _ in range(3):
        week(world, idp, 2, weekend=2)
        assert told() == []
    idp.list()
    world.clock.advance(6 * HOUR)
    assert told() == []
    world.clock.advance(HOUR)
    (row,) = told()
    letter = world.services.delivery.letter(row.id)
    assert letter["Subject"] == "idp has sent nothing for 7 hours"
    assert told() == [row]
    world.clock.advance(DAY)
    assert len(told()) == 2
    idp.list()
    world.clock.advance(5 * HOUR)
    assert len(told()) == 2


def test_weekends_are_no_alarm(world, idp, told):
    """R7: what is silent for 48 hours every week may be silent for 72."""
    for _ in range(3):
        week(world, idp, 4, weekend=48)
    idp.list()
    world.clock.advance(71 * HOUR)
    assert told() == []
    world.clock.advance(2 * HOUR)
    assert len(told()) == 1


def test_a_new_provider_and_one_without_a_token_alarm_nobody(world, idp, told):
    """R7: two weeks teach what is usual; the end of a token is told for itself."""
    week(world, idp, 2)
    world.clock.advance(DAY)
    assert told() == []
    for _ in range(2):
        week(world, idp, 2, weekend=2)
    for token, _ in world.services.tokens.list():
        world.services.tokens.revoke(token.id, ME)
    world.clock.advance(3 * DAY)
    assert told() == []
