"""What the inbound log costs a request: the same ones with and without it, in one process.

    .venv/bin/python benchmarks/inbound.py [--people 1000] [--requests 1000] [--rounds 7]

Requests enter at the WSGI application, so that neither sockets nor a client count, with and
without the log in turns. Printed are the medians of the rounds, in CPU: of the request, of noting
it, and of writing it down later, in another thread. Noting may cost a request 5 % of its CPU.
"""

from __future__ import annotations

import argparse
import io
import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote

import orjson

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from provisioning.storage.migrate import upgrade  # noqa: E402 - the root is found by then
from tests.kit.scim_client import ENTERPRISE, connect, user  # noqa: E402 - the same
from tests.kit.site import make_site  # noqa: E402 - the same
from tests.kit.world import make_world  # noqa: E402 - the same


class Silent:
    """In the place of RequestNotes: hears nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def add_to(self, *_: object) -> None:
        pass

    def note(self, *_: object) -> None:
        pass


def environ_of(token: str, method: str, path: str, *, query: str = "", body: bytes = b"") -> dict:
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/scim/v2{path}",
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/scim+json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "SERVER_PROTOCOL": "HTTP/1.1",
    }


class Asking:
    """Sends one kind of request after the other, each about somebody else."""

    def __init__(self, token: str, people: int) -> None:
        self.token = token
        self.people = people
        self.numbers = itertools.count()

    def look_up(self, application) -> None:
        number = next(self.numbers) // 2 % self.people
        query = "filter=" + quote(f'userName eq "p{number}@corp.example"')
        environ = environ_of(self.token, "GET", "/Users", query=query)
        if b'"totalResults":1' not in answer_of(application, environ):
            raise SystemExit(f"person {number} was not found")

    def create(self, application) -> None:
        """A person as Entra posts one."""
        number = next(self.numbers)
        body = user(
            f"c{number}",
            name={"formatted": f"Given {number}", "givenName": "Given", "familyName": f"{number}"},
            title="Chief",
            phoneNumbers=[{"type": "work", "value": "+49 30 1234567"}],
            **{ENTERPRISE: {"department": "IT", "employeeNumber": f"{number}"}},
        )
        environ = environ_of(self.token, "POST", "/Users", body=orjson.dumps(body))
        if b'"id":' not in answer_of(application, environ):
            raise SystemExit(f"person {number} was not made")


def answer_of(application, environ) -> bytes:
    return b"".join(application(environ, lambda _status, _headers: None))


def measure(log, ask, logged, silent, requests: int) -> tuple[float, float, float]:
    """Return microseconds of a request: without the log, noting it, writing it."""
    spent = {logged: 0.0, silent: 0.0}
    for number in range(requests):
        # In turns, so that both see the same noise.
        for application in (logged, silent) if number % 2 else (silent, logged):
            before = time.thread_time()
            ask(application)
            spent[application] += time.thread_time() - before
    before = time.thread_time()
    log.flush()
    writing = time.thread_time() - before
    scale = 1e6 / requests
    return spent[silent] * scale, (spent[logged] - spent[silent]) * scale, writing * scale


def show(words: str, costs: list[tuple[float, float, float]]) -> None:
    without, noting, writing = (statistics.median(found) for found in zip(*costs, strict=True))
    print(f"{words} without the log {without:8.1f} us CPU")
    for what, cost in (("noting it", noting), ("writing it", writing)):
        print(f"{what:{len(words) + 16}} {cost:8.1f} us CPU {cost / without:8.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/usher.db"
        upgrade(url)
        world = make_world(url)
        log = world.services.inbound
        idp = connect(world.services)
        for number in range(chosen.people):
            idp.create(f"p{number}")
        log.stop()
        with (
            patch("provisioning.scim.provider.RequestNotes", Silent),
            patch("provisioning.scim.fast_lane.RequestNotes", Silent),
        ):
            silent = make_site(world.services)
        asking = Asking(idp.token, chosen.people)
        # Written at the end of a round and not in between, so that it is seen on its own.
        with patch.object(log, "_start", lambda: None):
            for words, ask, requests in (
                ("a look-up", asking.look_up, chosen.requests),
                ("a create ", asking.create, chosen.requests // 10),
            ):
                rounds = range(chosen.rounds)
                show(words, [measure(log, ask, idp.app, silent, requests) for _ in rounds])
        world.services.context.database.close()


if __name__ == "__main__":
    main()
