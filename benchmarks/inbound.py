"""What the inbound log costs a look-up: the same requests with and without it, in one process.

    .venv/bin/python benchmarks/inbound.py [--people 1000] [--requests 1000] [--rounds 7]

Requests enter at the WSGI application, so that neither sockets nor a client count, with and
without the log in turns. Printed are the medians of the rounds, in CPU: of the request, of noting
it, and of writing it down later, in another thread. Noting may cost a look-up 5 % of its CPU.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from provisioning.storage.migrate import upgrade  # noqa: E402 - the root is found by then
from tests.kit.scim_client import connect  # noqa: E402 - the same
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


def lookup(application, token: str, number: int) -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/scim/v2/Users",
        "QUERY_STRING": "filter=" + quote(f'userName eq "p{number}@corp.example"'),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    answer = application(environ, lambda _status, _headers: None)
    if b'"totalResults":1' not in b"".join(answer):
        raise SystemExit(f"person {number} was not found")


def measure(world, idp, silent, chosen) -> tuple[float, float, float]:
    """Return microseconds: a look-up without the log, noting it, writing it."""
    spent = {True: 0.0, False: 0.0}
    for number in range(chosen.requests):
        # In turns, so that both see the same noise.
        for logged, application in ((True, idp.app), (False, silent)):
            before = time.thread_time()
            lookup(application, idp.token, number % chosen.people)
            spent[logged] += time.thread_time() - before
    before = time.thread_time()
    world.services.inbound.flush()
    writing = time.thread_time() - before
    scale = 1e6 / chosen.requests
    return spent[False] * scale, (spent[True] - spent[False]) * scale, writing * scale


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
        # Written at the end of a round and not in between, so that it is seen on its own.
        with patch.object(log, "_start", lambda: None):
            costs = [measure(world, idp, silent, chosen) for _ in range(chosen.rounds)]
        world.services.context.database.close()
    without, noting, writing = (statistics.median(found) for found in zip(*costs, strict=True))
    print(f"a look-up without the log {without:8.1f} us CPU")
    print(f"noting it                 {noting:8.1f} us CPU")
    print(f"writing it                {writing:8.1f} us CPU")
    print(f"the log costs             {(noting + writing) / without * 100:8.1f} %")


if __name__ == "__main__":
    main()
