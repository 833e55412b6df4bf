"""A real SCIM client over a real socket against `usher serve`, and letters that really leave."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, ResponseParameters, SCIMException, SearchRequest

from tests.kit.postgres import free_port
from tests.kit.relay import running_relay
from tests.kit.scim_client import OURS, operation
from tests.kit.usher import Usher

CONFIG = """
[seats]
limit = 3
[invitations]
grace_minutes = 0
[schedule]
delivery_seconds = 1
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A served Usher with three seats and its scheduler, a relay, and a token."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "usher.toml").write_text(CONFIG)
    port = free_port()
    with running_relay() as (relay, smtp_url):
        usher = Usher(
            folder,
            {
                "USHER_CONFIG": str(folder / "usher.toml"),
                "DATABASE_URL": f"sqlite:///{folder}/usher.db",
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
                "SMTP_URL": smtp_url,
                "MAIL_FROM": "Corp <intranet@corp.example>",
            },
        )
        made = usher("token", "create", "idp", "--first-run", "apply", "--json").json
        with usher.serving(port):
            yield usher, relay, f"http://127.0.0.1:{port}/scim/v2", made["token"]


@pytest.fixture
def http(served):
    """A plain HTTP client with the token."""
    _, _, url, token = served
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


@pytest.fixture
def scim(http):
    """A client that learns everything it knows from discovery, and checks every answer by it."""
    client = SyncSCIMClient(http)
    client.discover()
    return client


def eventually(seconds: float = 30) -> Iterator[None]:
    """Tries, until the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


def test_a_provider_pushes_a_company(served, scim):
    """S3, D1, S6, P2, L3: create, look up, change, dismiss, hire back, delete; the fourth waits."""
    usher, relay, _, _ = served
    User = scim.get_resource_model("User")  # noqa: N806 - a class, made from /Schemas

    def new(name):
        address = f"{name}@corp.example"
        return scim.create(
            User(
                user_name=address,
                external_id=f"x-{name}",
                display_name=name.title(),
                emails=[{"value": address, "type": "work", "primary": True}],
                active=True,
            )
        )

    def patch(resource, *operations):
        return scim.modify(resource, PatchOp[User](operations=list(operations)))

    def found(text):
        listed = scim.query(User, query_parameters=SearchRequest(filter=text))
        assert listed.total_results == len(listed.resources or [])
        return [resource.id for resource in listed.resources or []]

    def state(resource):
        facts = ResponseParameters[User](attributes=[OURS])
        return scim.query(User, resource.id, query_parameters=facts).model_dump()[OURS]

    # Three seats, three letters.
    assert found('userName eq "ann@corp.example"') == []
    ann, bob, cid = (new(name) for name in ("ann", "bob", "cid"))
    for _ in eventually():
        if sorted(to for to, _ in relay.letters) == [
            "ann@corp.example",
            "bob@corp.example",
            "cid@corp.example",
        ]:
            break
    assert found('userName eq "ANN@corp.example"') == [ann.id]
    assert found('externalId eq "x-bob"') == [bob.id]

    # The fourth is taken and waits.
    dan = new("dan")
    assert dan.active is True
    assert (state(dan)["state"], state(dan)["reason"]) == ("waiting", "no_seat")
    assert "no seat is left of 3" in state(dan)["because"]

    # The same person twice is refused, and the answer says whom to change instead.
    with pytest.raises(SCIMException, match=ann.id):
        new("ann")

    # Described anew, whole and in part.
    ann.display_name = "Anna"
    ann = scim.replace(ann)
    assert (ann.display_name, ann.meta.version) == ("Anna", 'W/"2"')
    ann = patch(ann, operation("replace", "title", "Chief"), operation("add", "nickName", "Ann"))
    assert (ann.title, ann.nick_name, ann.meta.version) == ("Chief", "Ann", 'W/"3"')
    assert scim.query(User, ann.id).title == "Chief"

    # Somebody leaves, and the fourth is invited by that alone.
    bob = patch(bob, operation("replace", "active", False))
    assert (bob.active, state(bob)["state"]) == (False, "dismissed")
    assert state(dan)["state"] == "invited"
    for _ in eventually():
        if "dan@corp.example" in [to for to, _ in relay.letters]:
            break

    # Back again: no seat, until one is deleted.
    bob = patch(bob, operation("replace", "active", True))
    assert (bob.active, state(bob)["reason"]) == (True, "hired_back")
    scim.delete(cid)
    assert state(bob)["state"] == "invited"
    with pytest.raises(SCIMException, match="there is no user"):
        scim.query(User, cid.id)
    assert found('externalId eq "x-cid"') == []
    assert scim.query(User).total_results == 3

    # Sent once more, it is the same employee under a new id, at the end of the line.
    again = new("cid")
    assert again.id != cid.id
    assert state(again)["reason"] == "hired_back"
    people = usher("people", "--json").json["people"]
    assert sorted(person["display_name"] for person in people) == ["Anna", "Bob", "Cid", "Dan"]
    seats = usher("seats", "--json").json
    assert (seats["invited"], seats["waiting"]) == (3, 1)


def test_a_body_without_a_length_is_read_and_bounded(http):
    """Chunked bodies are read to their end, and cut at the limit (safety 18)."""
    head = {"Content-Type": "application/scim+json"}
    chunks = [b'{"userName": "', b"chunked@corp.example", b'", "active": false}']
    assert http.post("/Users", content=iter(chunks), headers=head).status_code == 201
    answer = http.post("/Users", content=iter([b" " * 65_536] * 17), headers=head)
    assert (answer.status_code, answer.json()["status"]) == (413, "413")


@pytest.mark.parametrize(
    "path",
    [
        "/scim/v2",
        "/scim/v2/",
        "/%73cim/v2/Users",
        "/scim/v2/%55sers",
        "/scim/v2//Users",
        "/scim/v2/x",
    ],
)
def test_over_a_socket_nothing_is_said_without_a_token(served, path):
    """Safety 9, with the server's own reading of addresses."""
    base = served[2].removesuffix("/scim/v2")
    for method in ("GET", "POST", "TRACE", "OPTIONS", "PROPFIND"):
        answer = httpx2.request(method, base + path)
        assert answer.status_code in (401, 404), (method, answer.text)
        assert answer.headers["Content-Type"] == "application/scim+json"
