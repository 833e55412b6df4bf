"""One connection for many requests, as providers keep it: a refusal spoils none after it."""

from __future__ import annotations

import http.client
from contextlib import closing

import pytest

from tests.kit.provider import running_provider

PATH = "/scim/v2/Users"
GOOD = {"Content-Type": "application/scim+json"}


@pytest.fixture(scope="module")
def served(sqlite_template, tmp_path_factory):
    """What is on the wire is the same with either database."""
    folder = tmp_path_factory.mktemp("kept")
    path = folder / "usher.db"
    path.write_bytes(sqlite_template.read_bytes())
    with running_provider(folder, f"sqlite:///{path}") as provider:
        yield provider


@pytest.fixture
def kept(served):
    """Return a function that sends a request over one connection; it returns status and text."""
    host = served.url.split("/")[2]
    with closing(http.client.HTTPConnection(host, timeout=60)) as connection:

        def send(method, path, body=None, token=served.token, **headers):
            head = {"Authorization": f"Bearer {token}", **headers}
            connection.request(method, path, body, head)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        yield send


@pytest.mark.parametrize("size", [2, 100_000])
def test_a_request_after_one_that_was_refused_unread_is_answered(kept, size):
    """Safety 9: nothing is read of who may not pass; and who is refused can go on at once."""
    body = b"x" * size
    for _ in range(6):
        assert kept("POST", PATH, body, token="usher_0", **GOOD)[0] == 401
        assert kept("PROPFIND", PATH, body, **GOOD)[0] == 405
        assert kept("POST", PATH, body, **{"Content-Type": "text/plain"})[0] == 415
        assert kept("GET", f"{PATH}/1", body)[0] == 404
        assert kept("GET", PATH)[0] == 200


def test_what_was_read_costs_no_connection(served):
    """A client is told to hang up only where the server would."""
    head = {"Authorization": f"Bearer {served.token}", **GOOD}
    with closing(http.client.HTTPConnection(served.url.split("/")[2], timeout=60)) as connection:
        for body in (b"{}", b"[", b'{"userName": ""}'):
            connection.request("POST", PATH, body, head)
            answer = connection.getresponse()
            assert answer.status == 400
            assert not answer.will_close
            answer.read()


@pytest.mark.parametrize("piece", [None, 100_000])
def test_whoever_sends_too_much_hears_that_it_is_too_much(kept, piece):
    """Safety 18: 413 with the limit, and no cut connection, with a length and without."""
    body = b"x" * 5_000_000
    parts = body if piece is None else (body[at : at + piece] for at in range(0, len(body), piece))
    for _ in range(2):
        status, text = kept("POST", PATH, parts, **GOOD)
        assert (status, "the limit" in text) == (413, True)
        parts = body
    assert kept("GET", PATH)[0] == 200
