"""The link of an invitation: GET shows, POST accepts, once (I3, I6, A6)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from provisioning.domain.errors import CredentialsError
from provisioning.services.credentials import MIN_PASSWORD
from provisioning.storage.models.accounts import AccountRecord, IdentityRecord
from tests.kit.site import Visitor, make_site, place
from tests.kit.sources import entry
from tests.kit.world import PASSWORD, join_token


@pytest.fixture
def site(world):
    """The web application over a world."""
    return make_site(world.services)


@pytest.fixture
def link(world):
    """Ann's link."""
    world.directory.add(entry("ann"))
    world.sync()
    world.services.delivery.deliver_due()
    return link_of(world, "Ann")


def link_of(world, name):
    return f"/join/{join_token(world.services, world.services.reports.find(name))}"


def join(visitor, link, address="ann@corp.example", password=PASSWORD, repeat=None):
    return visitor.send(
        link, address=address, password=password, repeat=password if repeat is None else repeat
    )


def rows(world, table):
    with world.services.context.database.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_opening_the_link_shows_who_invites_whom_and_accepts_nothing(site, world, link):
    """I3: mail scanners follow links; only a POST accepts."""
    for method in ("GET", "HEAD"):
        answer = Visitor(site).client.open(link, method=method, base_url="https://intranet.example")
        assert answer.status_code == 200
    page = Visitor(site).get(link)
    assert "Welcome, Ann" in page.text
    assert "ann@corp.example" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert world.states() == {"Ann": "invited"}


def test_accepting_makes_an_account_and_the_employee_active(site, world, link):
    """I6: bound to the person, active, with the login they chose; a hash is all that is kept."""
    answer = join(Visitor(site), link)
    assert answer.status_code == 200
    assert "You are in" in answer.text
    assert world.states() == {"Ann": "active"}
    assert world.services.sessions.sign_in("ANN@corp.example", PASSWORD)
    with world.services.context.database.read() as session:
        identity = session.scalars(select(IdentityRecord)).one()
    assert identity.password_hash.startswith("$argon2id$")


def test_somebody_may_sign_in_with_another_address(site, world, link):
    """I6, E3: the login differs from the contact e-mail, and the report says so."""
    join(Visitor(site), link, address="ann@home.example")
    assert world.states() == {"Ann": "active"}
    assert world.services.sessions.sign_in("ann@home.example", PASSWORD)
    found = {finding.kind for finding in world.services.reports.mismatches()}
    assert "login_differs_from_contact" in found


def test_a_colleagues_address_is_nobody_elses_to_take(site, world, link):
    """I6, A5: whoever has it could not make an account of their own any more."""
    world.directory.add(entry("bob"), entry("cyd", mailbox="box@corp.example"))
    world.sync()
    for address in ("bob@corp.example", "BOX@corp.example"):
        answer = join(Visitor(site), link, address=address)
        assert answer.status_code == 422
        assert "another person" in answer.text
    assert world.states()["Ann"] == "invited"
    assert rows(world, AccountRecord) == 0
    world.accept("Bob")
    assert world.states()["Bob"] == "active"


def test_only_the_invited_address_counts_as_proven(site, world, link):
    """A5: a letter to it was answered; to another one none was."""
    join(Visitor(site), link, address="ann@home.example")
    world.directory.add(entry("bob"))
    world.sync()
    world.accept("Bob")
    with world.services.context.database.read() as session:
        found = session.execute(select(IdentityRecord.address, IdentityRecord.confirmed_at)).all()
    proven = {address: moment is not None for address, moment in found}
    assert proven == {"ann@home.example": False, "bob@corp.example": True}


def test_a_link_works_once(site, world, link):
    """I3: what was accepted is over, and the page says so."""
    join(Visitor(site), link)
    again = Visitor(site).get(link)
    assert again.status_code == 410
    assert rows(world, AccountRecord) == 1


def test_two_at_once_with_one_link_make_one_account(site, world, link):
    """Safety 29: whoever comes second is told that the link was used."""
    visitors = [Visitor(site) for _ in range(4)]
    tokens = [visitor.form_token(link) for visitor in visitors]

    def accept(number):
        return visitors[number].client.post(
            link,
            base_url="https://intranet.example",
            data={
                "csrf_token": tokens[number],
                "address": f"ann{number}@corp.example",
                "password": PASSWORD,
                "repeat": PASSWORD,
            },
        )

    with ThreadPoolExecutor(len(visitors)) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(accept, range(4)))
    assert statuses == [200, 410, 410, 410]
    assert rows(world, AccountRecord) == 1


def test_an_expired_link_says_so(site, world, link):
    """I3: two weeks, and not a minute longer."""
    world.clock.advance(timedelta(days=14, minutes=11))
    answer = Visitor(site).get(link)
    assert answer.status_code == 410
    assert join(Visitor(site), link).status_code in (400, 410)
    assert world.states() == {"Ann": "invited"}


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "..%2f..", "é" * 43, "a" * 4000])
def test_a_guessed_link_opens_nothing(site, link, token):
    """Safety 29: 404, the same for everybody."""
    answer = Visitor(site).get(f"/join/{token}")
    assert answer.status_code == 404
    assert "Ann" not in answer.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"password": "short", "repeat": "short"}, str(MIN_PASSWORD)),
        ({"password": PASSWORD, "repeat": PASSWORD + "x"}, "differ"),
        ({"password": "", "repeat": ""}, "required"),
        ({"address": "no address"}, "is not an e-mail address"),
        ({"address": ""}, "required"),
        ({"password": "x" * 5000, "repeat": "x" * 5000}, "longer than"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_is_done(
    site, world, link, fields, sentence
):
    answer = Visitor(site).send(
        link, **{"address": "ann@corp.example", "password": PASSWORD, "repeat": PASSWORD, **fields}
    )
    assert answer.status_code == 422
    assert sentence in answer.text
    assert world.states() == {"Ann": "invited"}
    assert rows(world, AccountRecord) == 0


def test_an_account_that_exists_is_bound_only_with_its_password(site, world, link):
    """A1, safety 11: knowing an address is not owning it."""
    world.directory.add(entry("bob"))
    world.sync()
    world.accept("Bob")
    answer = join(Visitor(site), link, address="bob@corp.example", password="a wrong password")
    assert answer.status_code == 422
    assert world.states()["Ann"] == "invited"


def test_an_invitation_is_no_place_to_guess_passwords(site, world, link):
    """A6: as slow as signing in, and counted with it."""
    world.directory.add(entry("bob"))
    world.sync()
    world.accept("Bob")
    for _ in range(5):
        join(Visitor(site), link, address="bob@corp.example", password="a wrong password")
    with pytest.raises(CredentialsError):
        world.services.sessions.sign_in("bob@corp.example", PASSWORD)


def test_a_post_without_the_token_of_the_form_does_nothing(site, world, link):
    answer = Visitor(site).client.post(
        link,
        base_url="https://intranet.example",
        data={"address": "ann@corp.example", "password": PASSWORD, "repeat": PASSWORD},
    )
    assert answer.status_code == 400
    assert world.states() == {"Ann": "invited"}


def test_the_link_of_somebody_who_left_meanwhile_opens_nothing(site, world, link):
    """D1, I3: a withdrawn invitation is over."""
    world.directory.add(entry("bob"))
    world.directory.remove("ann")
    world.night()
    assert Visitor(site).get(link).status_code == 410
    assert world.states()["Ann"] == "dismissed"


def test_who_comes_without_a_link_is_led_to_the_entrance(site):
    assert place(Visitor(site).get("/")) == "/admin/"
