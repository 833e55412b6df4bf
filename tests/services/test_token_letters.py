"""Administrators are told in time that a token ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from provisioning.services.tokens import LIFETIME
from provisioning.storage.models.accounts import IdentityRecord
from provisioning.storage.models.effects import OutboxRecord
from tests.kit.nights import ME
from tests.kit.services import make_services

DAY = timedelta(days=1)


@pytest.fixture
def services(world):
    return world.services


@pytest.fixture
def tokens(services):
    return services.tokens


def administrator_at(services, address):
    """An administrator whom a letter reaches."""
    services.accounts.create_administrator("admin@localhost")
    with services.context.database.write() as session:
        session.execute(update(IdentityRecord).values(address=address))


def letters(services):
    """What was written so far: (token, days)."""
    with services.context.database.read() as session:
        payloads = session.scalars(select(OutboxRecord.payload).order_by(OutboxRecord.id)).all()
    return [(payload["about"]["token"], payload["about"]["days"]) for payload in payloads]


def test_administrators_are_told_30_7_and_1_days_before_and_at_the_end(services, tokens, world):
    """Once each, however often one looks; as a letter that can be read."""
    administrator_at(services, "boss@corp.example")
    token = tokens.create("okta", ME, note="the new tenant")
    told = {}
    for day in range(LIFETIME.days + 30):
        for _ in range(2):
            if services.token_letters.write_due():
                told[LIFETIME.days - day] = services.outbox.messages()[0].id
        world.clock.advance(DAY)
    assert letters(services) == [(token.id, 30), (token.id, 7), (token.id, 1), (token.id, 0)]
    assert list(told) == [30, 7, 1, 0]
    assert services.delivery.deliver_due() == 4
    first, last = (services.delivery.letter(told[days]) for days in (30, 0))
    assert first["To"] == "boss@corp.example"
    assert "okta expires on 23 November 2027" in first["Subject"]
    assert "has expired" in last["Subject"]
    for part in first.iter_parts():
        assert token.id in part.get_content()
        assert "/admin/tokens" in part.get_content()
        assert "the new tenant" in part.get_content()
        assert token.secret not in part.get_content()


def test_who_looks_late_gets_one_letter_and_short_tokens_fewer(services, tokens, world):
    """Nobody is told "30 days" of a token made for a week."""
    administrator_at(services, "boss@corp.example")
    week, day = (tokens.create("okta", ME, lifetime=days * DAY) for days in (6, 1))
    assert services.token_letters.write_due() == 0
    world.clock.advance(5.5 * DAY)
    services.token_letters.write_due()
    assert sorted(letters(services)) == sorted([(week.id, 1), (day.id, 0)])
    world.clock.advance(30 * DAY)
    old = tokens.create("okta", ME, lifetime=DAY)
    world.clock.advance(8 * DAY + timedelta(seconds=1))
    assert services.token_letters.write_due() == 0
    assert (old.id, 0) not in letters(services)


def test_what_is_revoked_or_replaced_alarms_nobody(services, tokens, world):
    """Nor does an access token; a letter that waits when it is replaced never leaves."""
    administrator_at(services, "boss@corp.example")
    revoked, replaced, late = (tokens.create("okta", ME, lifetime=40 * DAY) for _ in range(3))
    client = tokens.create("okta", ME, client=True)
    tokens.revoke(revoked.id, ME)
    new = tokens.rotate(replaced.id, ME, overlap=20 * DAY)
    caller = services.access_tokens.client(client.id, client.secret, "")
    services.access_tokens.issue(caller, ["users:read"])
    world.clock.advance(15 * DAY)
    assert services.token_letters.write_due() == 2
    assert set(letters(services)) == {(late.id, 30), (new.id, 30)}
    tokens.revoke(new.id, ME)
    tokens.rotate(late.id, ME)
    assert services.delivery.deliver_due() == 0
    assert {row.error for row in services.outbox.messages()} == {"no longer wanted"}


def test_only_administrators_with_an_address_are_told(services, tokens, world, database_url):
    """A7: admin@localhost reads no letters, and another intranet's administrator is not ours."""
    services.accounts.create_administrator("admin@localhost")
    tokens.create("okta", ME, lifetime=20 * DAY)
    other = make_services(database_url, clock=world.clock, slug="other")
    try:
        world.clock.advance(14 * DAY)
        assert services.token_letters.write_due() == 0
        with services.context.database.write() as session:
            session.execute(update(IdentityRecord).values(address="boss@corp.example"))
        assert other.token_letters.write_due() == 0
        assert services.token_letters.write_due() == 1
        with services.context.database.read() as session:
            assert session.scalar(select(func.count()).select_from(OutboxRecord)) == 1
    finally:
        other.context.database.close()
