"""Reading people over LDAP, a first load, a night without changes, and one with some.

    .venv/bin/python benchmarks/nights.py [--people 10000]
    .venv/bin/python benchmarks/nights.py --people 1000000 --seeded --database sqlite postgresql

Each line is one process, from its start to its end: seconds on the clock, CPU seconds, peak memory.
`ldapsearch` reads the same people with the same page size in the same run and is the baseline of
the ratios. With --seeded the registry is filled past the services, and there is no first load to
wait for: the first night changes nothing, but asks for photos. "the run alone" is what the
scheduler needs, which is running already.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime
from itertools import count, islice
from pathlib import Path

import ldap3

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from app import make_services, read_settings  # noqa: E402 - found by then
from benchmarks.kit.costs import cost_of  # noqa: E402 - the kit is found by then
from benchmarks.kit.registry import seed_registry  # noqa: E402 - the kit is found by then
from tests.kit.people import plain_people  # noqa: E402 - the same
from tests.kit.postgres import running_postgres  # noqa: E402 - the same
from tests.kit.slapd import Slapd, running_slapd  # noqa: E402 - the same

USHER = str(Path(sys.executable).parent / "usher")
READ = """
import sys
from connectors.factory import make_readable
options = dict(zip(("uri", "bind_dn", "bind_password", "base_dn", "ca_file"), sys.argv[1:]))
people = make_readable("ldap", "ldap", options | {"preset": "openldap"}, {}).directory.read()
print(sum(1 for _ in people))
"""


TITLES = (f"Title {number}" for number in count())
"""Another one each time: whoever gets it is news to every database."""


def measure(server: Slapd, people: int, url: str, *, seeded: bool) -> None:
    os.environ |= {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": url,
        "SECRET_KEY": "only for what is measured here, " * 2,
        "LDAP_URI": server.ldaps_uri,
        "LDAP_BIND_DN": server.reader_dn,
        "LDAP_BIND_PASSWORD": server.reader_password,
        "LDAP_BASE_DN": server.people_dn,
        "LDAP_CA_FILE": str(server.ca_file),
        "LDAPTLS_CACERT": str(server.ca_file),
        # One person in a hundred is another than before, which is no reason to wait here.
        "USHER_LOG__LEVEL": "WARNING",
    }
    access = [server.ldaps_uri, server.reader_dn, server.reader_password, server.people_dn]
    search = ["ldapsearch", "-LLL", "-H", access[0], "-x", "-D", access[1], "-w", access[2]]
    search += ["-b", access[3], "-E", "pr=1000/noprompt", "(objectClass=inetOrgPerson)"]
    table = Table(people)
    table.line("ldapsearch", search)
    table.line("read by Usher", [sys.executable, "-c", READ, *access, str(server.ca_file)])
    quiet = "night, no change"
    if seeded:
        _seed()
        quiet = "first night"
    else:
        table.line("first plan", [USHER, "plan", "ldap", "--json"])
        table.line("release", [USHER, "release", "ldap"])
        table.line("first load", [USHER, "sync", "ldap", "--json"])
    table.line(quiet, [USHER, "sync", "ldap", "--json"])
    _change(server, people // 100)
    table.line("night, 1 % changed", [USHER, "sync", "ldap", "--json"])
    _change(server, 100)
    table.line("changes of 100", [USHER, "jobs", "run", "changes"])
    table.note("the run alone", _seconds_of_last_run())
    table.line("changes of none", [USHER, "jobs", "run", "changes"])


class Table:
    """What each process took, and how often that is the baseline's CPU."""

    def __init__(self, people: int) -> None:
        self.people, self.baseline = people, 0.0
        print(f"{'':18}{'seconds':>9}{'CPU s':>8}{'us/person':>11}{'MB':>7}{'x ldapsearch':>14}")

    def note(self, name: str, seconds: float) -> None:
        print(f"  {name:16}{seconds:9.1f}", flush=True)

    def line(self, name: str, words: list[str]) -> None:
        cost = cost_of(words, os.environ)
        self.baseline = self.baseline or cost.cpu
        each = cost.cpu / self.people * 1e6
        times = cost.cpu / self.baseline
        print(
            f"{name:18}{cost.seconds:9.1f}{cost.cpu:8.2f}{each:11.0f}{cost.megabytes:7.0f}"
            f"{times:13.1f}x",
            flush=True,
        )


def _seed() -> None:
    services = make_services(read_settings())
    seed_registry(services, "ldap")
    services.context.database.close()


def _seconds_of_last_run() -> float:
    said = subprocess.run([USHER, "runs", "--json"], check=True, capture_output=True).stdout
    last = json.loads(said)["runs"][0]
    began, ended = (datetime.fromisoformat(last[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _change(server: Slapd, number: int) -> None:
    """Give so many people another title."""
    title = next(TITLES)
    with server.administering() as connection:
        for entry in islice(server.entries.values(), number):
            connection.modify(entry.dn, {"title": [(ldap3.MODIFY_REPLACE, [title])]})


def main() -> None:
    parser = argparse.ArgumentParser(description="Reading, a first load, nights, changes.")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--seeded", action="store_true", help="fill the registry past the services")
    parser.add_argument(
        "--database", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite"]
    )
    chosen = parser.parse_args()
    with running_slapd(plain_people(chosen.people)) as server:
        for database in chosen.database:
            print(f"{chosen.people:,} people, OpenLDAP with TLS, {database}; one process each:")
            with ExitStack() as stack:
                measure(server, chosen.people, _empty(database, stack), seeded=chosen.seeded)


def _empty(database: str, stack: ExitStack) -> str:
    """Return the address of an empty database that ends with the stack."""
    if database == "postgresql":
        postgres = stack.enter_context(running_postgres())
        return postgres.url(postgres.create_database())
    return f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/usher.db"


if __name__ == "__main__":
    main()
