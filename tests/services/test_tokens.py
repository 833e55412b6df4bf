"""Several tokens of one source, exchanged without a gap."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from provisioning.domain.errors import ConfigurationError, NotFoundError, TokenError
from provisioning.services.access_tokens import KEEP
from provisioning.services.access_tokens import LIFETIME as HOUR
from provisioning.services.tokens import DEFAULT_SCOPES, LIFETIME, SCOPES
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.models.runs import TokenKind, TokenRecord
from tests.kit.nights import ME

DAY = timedelta(days=1)


@pytest.fixture
def services(world):
    return world.services


@pytest.fixture
def tokens(services):
    return services.tokens


def of(tokens, id_):
    """What is kept of one token."""
    return next(token for token, _ in tokens.list() if token.id == id_)


def opens(tokens, token, address="192.0.2.1"):
    return tokens.check(token.secret, address) is not None


def test_a_token_says_what_it_may_and_how_long(tokens, world):
    """What was asked for, in one order; without a word it is the four everyday scopes."""
    plain = tokens.create("idp", ME)
    assert plain.scopes == DEFAULT_SCOPES
    assert plain.expires_at == world.clock.now() + LIFETIME
    narrow = tokens.create(
        "idp", ME, scopes=["users:write", "users:read"], lifetime=3 * DAY, note="a trial"
    )
    kept = of(tokens, narrow.id)
    assert (kept.scopes, kept.note, kept.created_by) == (
        "users:read users:write",
        "a trial",
        ME.name,
    )
    assert tokens.check(narrow.secret, "").scopes == {"users:read", "users:write"}
    world.clock.advance(3 * DAY)
    assert not opens(tokens, narrow)
    assert opens(tokens, plain)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["users:read", "root"]},
        {"scopes": []},
        {"lifetime": timedelta(0)},
        {"lifetime": timedelta(days=3_651)},
    ],
)
def test_what_makes_no_sense_makes_no_token(tokens, wrong):
    with pytest.raises(ConfigurationError, match="No token was made"):
        tokens.create("idp", ME, **wrong)
    assert tokens.list() == []


def test_after_a_rotation_both_work_and_then_only_the_new_one(tokens, world):
    """No gap in which the provider is refused; scopes, note and lifetime are handed on."""
    old = tokens.create("idp", ME, scopes=SCOPES, lifetime=90 * DAY, note="entra")
    world.clock.advance(80 * DAY)
    new = tokens.rotate(old.id, ME, overlap=timedelta(hours=2))
    assert new.secret != old.secret
    assert (new.source, new.scopes) == ("idp", SCOPES)
    assert new.expires_at == world.clock.now() + 90 * DAY
    assert of(tokens, new.id).note == "entra"
    assert of(tokens, old.id).replaced_by == new.id
    world.clock.advance(timedelta(hours=2) - timedelta(seconds=1))
    assert opens(tokens, old)
    assert opens(tokens, new)
    world.clock.advance(timedelta(seconds=1))
    assert not opens(tokens, old)
    assert of(tokens, old.id).last_rejected == f"replaced by {new.id}"
    assert opens(tokens, new)


def test_an_overlap_never_prolongs_a_token(tokens, world):
    old = tokens.create("idp", ME, lifetime=DAY)
    tokens.rotate(old.id, ME, overlap=30 * DAY)
    world.clock.advance(DAY)
    assert not opens(tokens, old)


def test_what_is_over_is_not_rotated(tokens, world):
    """And the sentence says which of the reasons it is."""
    revoked, replaced = tokens.create("idp", ME), tokens.create("idp", ME)
    expired = tokens.create("idp", ME, lifetime=DAY)
    tokens.revoke(revoked.id, ME)
    new = tokens.rotate(replaced.id, ME)
    world.clock.advance(DAY)
    for token, words in ((revoked, "is revoked"), (replaced, new.id), (expired, "has expired")):
        with pytest.raises(TokenError, match=words):
            tokens.rotate(token.id, ME)
    with pytest.raises(NotFoundError):
        tokens.rotate("00000000", ME)
    with pytest.raises(ConfigurationError):
        tokens.rotate(new.id, ME, overlap=timedelta(seconds=-1))
    assert len(tokens.list()) == 4


def test_every_change_is_on_record_without_a_secret(services, tokens):
    """S4: who made, replaced and revoked what; a copy of the database opens nothing."""
    old = tokens.create("idp", ME)
    new = tokens.rotate(old.id, ME)
    for _ in range(2):
        tokens.revoke(new.id, ME)
    with services.context.database.read() as session:
        events = session.scalars(select(EventRecord).order_by(EventRecord.id)).all()
    assert [event.kind for event in events][-3:] == [
        "token_created",
        "token_rotated",
        "token_revoked",
    ]
    for event in events:
        said = f"{event.because} {event.before} {event.after}"
        assert old.secret.split("_", 2)[2] not in said
        assert new.secret.split("_", 2)[2] not in said


def test_a_wrong_secret_is_told_with_its_address(tokens, world):
    """To a minute; the good token is not hurt by it."""
    token = tokens.create("idp", ME)
    start = world.clock.now()
    wrong = f"usher_{token.id}_guess"
    assert tokens.check(wrong, "198.51.100.7") is None
    world.clock.advance(timedelta(seconds=59))
    assert tokens.check(wrong, "198.51.100.8") is None
    kept = of(tokens, token.id)
    assert (kept.last_rejected_at, kept.last_rejected) == (start, "wrong secret")
    assert kept.last_rejected_from == "198.51.100.7"
    assert opens(tokens, token, "192.0.2.1")
    kept = of(tokens, token.id)
    assert (kept.last_used_at, kept.last_used_from) == (world.clock.now(), "192.0.2.1")


def test_a_clients_secret_is_no_token_and_a_token_is_no_client(services, tokens):
    client, token = tokens.create("idp", ME, client=True), tokens.create("idp", ME)
    assert tokens.check(f"usher_{client.id}_{client.secret}", "") is None
    assert tokens.check(client.secret, "") is None
    assert services.access_tokens.client(token.id, token.secret, "") is None
    assert services.access_tokens.client(client.id, client.secret, "").token_id == client.id


def access(services, client, scopes=("users:read",)):
    """An access token of a client."""
    caller = services.access_tokens.client(client.id, client.secret, "192.0.2.1")
    return services.access_tokens.issue(caller, scopes)


def test_an_access_token_speaks_for_its_client_for_an_hour(services, tokens, world):
    """And is listed nowhere; the client shows that it was used."""
    client = tokens.create("idp", ME, client=True)
    token = access(services, client)
    caller = tokens.check(token.secret, "192.0.2.1")
    assert (caller.token_id, caller.source, caller.scopes) == (client.id, "idp", {"users:read"})
    assert [row.id for row, _ in tokens.list()] == [client.id]
    world.clock.advance(timedelta(minutes=30))
    assert opens(tokens, token, "192.0.2.2")
    kept = of(tokens, client.id)
    assert (kept.last_used_at, kept.last_used_from) == (world.clock.now(), "192.0.2.2")
    world.clock.advance(timedelta(minutes=30))
    assert not opens(tokens, token)
    assert of(tokens, client.id).last_rejected is None


def test_revoking_a_client_revokes_its_access_at_once(services, tokens):
    """And nobody else's; who is authenticated already is given no more."""
    client, other = (tokens.create("idp", ME, client=True) for _ in range(2))
    token, others = access(services, client), access(services, other)
    caller = services.access_tokens.client(client.id, client.secret, "")
    tokens.revoke(client.id, ME)
    assert not opens(tokens, token)
    assert opens(tokens, others)
    with pytest.raises(TokenError):
        services.access_tokens.issue(caller, ["users:read"])
    assert services.access_tokens.client(client.id, client.secret, "") is None
    assert of(tokens, client.id).last_rejected == "revoked"


def test_access_never_outlives_its_client(services, tokens, world):
    client = tokens.create("idp", ME, client=True, lifetime=timedelta(minutes=40))
    assert access(services, client).lifetime == timedelta(minutes=40)
    token = access(services, tokens.create("idp", ME, client=True))
    rotated = next(row for row, _ in tokens.list() if row.id != client.id)
    tokens.rotate(rotated.id, ME, overlap=timedelta(minutes=10))
    world.clock.advance(timedelta(minutes=10))
    assert not opens(tokens, token)


def test_old_access_tokens_are_forgotten(services, tokens, world):
    """A day after their end; those that are good, and everything else, stay."""
    client = tokens.create("idp", ME, client=True)
    access(services, client)
    world.clock.advance(HOUR + KEEP)
    assert services.access_tokens.forget_old() == 0
    world.clock.advance(timedelta(seconds=1))
    fresh = access(services, client)
    assert services.access_tokens.forget_old() == 1
    assert opens(tokens, fresh)
    with services.context.database.read() as session:
        kinds = select(TokenRecord.kind).order_by(TokenRecord.kind)
        assert session.scalars(kinds).all() == [TokenKind.ACCESS, TokenKind.CLIENT]


def test_no_access_slips_past_a_revocation(services, tokens):
    """Whichever comes first, afterwards nothing of the client opens anything."""
    for _ in range(10):
        client = tokens.create("idp", ME, client=True)
        caller = services.access_tokens.client(client.id, client.secret, "")
        gate, given = threading.Barrier(2), []

        def fetch(caller=caller, gate=gate, given=given):
            gate.wait()
            with contextlib.suppress(TokenError):
                given.append(services.access_tokens.issue(caller, ["users:read"]))

        thread = threading.Thread(target=fetch)
        thread.start()
        gate.wait()
        tokens.revoke(client.id, ME)
        thread.join()
        assert not any(opens(tokens, token) for token in given)
