"""`usher inbound`, and that a server that is told to stop writes what it noted."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request

import pytest

from tests.kit.postgres import free_port


@pytest.fixture(params=["sqlite", "postgresql"])
def folder(request, make_folder):
    """A folder whose server has two workers, on either kind of database."""
    usher = make_folder()
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres")
        usher.environ["DATABASE_URL"] = postgres.url(postgres.create_database())
    usher.environ["WEB_CONCURRENCY"] = "2"
    return usher


def ask(port, token, path):
    """One request of a provider; returns the status."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/scim/v2{path}", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_what_several_workers_noted_is_there_after_they_stopped(folder):
    """An orderly end loses nothing: every request of every worker, once."""
    made = folder("token", "create", "idp", "--json").json
    port = free_port()
    with folder.serving(port, "--no-scheduler"):
        for number in range(40):
            assert ask(port, made["token"], f"/Users/{number}") == 404
        assert ask(port, "no", "/Users") == 401
    found = folder("inbound", "--json").json
    paths = [row["path"] for row in found["requests"]]
    assert sorted(paths) == sorted(["/Users", *(f"/Users/{number}" for number in range(40))])
    assert found["dropped"] == 0
    narrowed = folder("inbound", "--source", "idp", "--failed", "--since", "1h", "--limit", "7")
    assert "7 requests" in narrowed.out
    assert "not there" in narrowed.out
    assert made["token"] not in json.dumps(found)


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "words"])
def test_requests_are_followed_until_somebody_stops_it(usher, as_json):
    """New ones as they come, one on a line, oldest first; Ctrl-C is no failure."""
    token = usher("token", "create", "idp", "--json").json["token"]
    port = free_port()
    words = ["--json"] if as_json else []
    with usher.serving(port, "--no-scheduler"):
        assert ask(port, token, "/Users/before") == 404
        usher("inbound", "--follow", "--since", "1h", "--limit", "1")
        with usher.running("inbound", "--follow", "--failed", *words) as following:
            hint = following.stderr if as_json else following.stdout
            assert hint.readline() == "Waiting for requests; Ctrl-C ends.\n"
            assert ask(port, token, "/Users") == 200
            for number in range(3):
                assert ask(port, token, f"/Users/{number}%1b%5b31m") == 404
            lines = [following.stdout.readline() for _ in range(3)]
            following.send_signal(signal.SIGINT)
            rest, complaints = following.communicate(timeout=60)
    assert (following.returncode, rest, complaints) == (0, "", "")
    if as_json:
        paths = [json.loads(line)["path"] for line in lines]
        assert paths == [f"/Users/{number}\x1b[31m" for number in range(3)]
    else:
        for number, line in enumerate(lines):
            assert f"idp  404 not there  GET /Users/{number}?[31m  there is no user" in line
        assert "\x1b" not in "".join(lines)


def test_a_wrong_question_is_a_sentence(usher):
    """What there is, and how a length of time is written."""
    assert "write 90s, 30m, 1h or 7d" in usher("inbound", "--since", "soon", code=64).err
    assert 'there is no source "x"' in usher("inbound", "--source", "x", code=1).err
    assert usher("inbound", "--json").json == {"requests": [], "dropped": 0}
