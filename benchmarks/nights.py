"""Reading 10,000 people over LDAP, a first load, and a night without changes.

    .venv/bin/python benchmarks/nights.py [--people 10000]

Each line is one process: seconds on the clock, CPU seconds, peak memory. `ldapsearch` reads the
same people with the same page size in the same run and is the baseline of the ratios.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.kit.people import plain_people  # noqa: E402 - the kit is found by then
from tests.kit.slapd import Slapd, running_slapd  # noqa: E402 - the same

READ = """
import sys
from connectors.factory import make_readable
options = dict(zip(("uri", "bind_dn", "bind_password", "base_dn", "ca_file"), sys.argv[1:]))
people = make_readable("ldap", "ldap", options | {"preset": "openldap"}, {}).directory.read()
print(sum(1 for _ in people))
"""


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    seconds: float
    cpu: float
    megabytes: float


def run(words: list[str], environ: dict[str, str]) -> Cost:
    """Run a process; its peak memory is polled, for wait4 would report ours before the exec."""
    began, peak, ended = time.perf_counter(), 0, 0
    process = subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL)
    while not ended:
        peak = max(peak, _peak_kilobytes(process.pid))
        time.sleep(0.02)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words[:3]} ended with {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(time.perf_counter() - began, cpu, peak / 1024)


def _peak_kilobytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found else 0


def measure(server: Slapd, people: int, folder: Path) -> None:
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"sqlite:///{folder}/usher.db",
        "LDAP_URI": server.ldaps_uri,
        "LDAP_BIND_DN": server.reader_dn,
        "LDAP_BIND_PASSWORD": server.reader_password,
        "LDAP_BASE_DN": server.people_dn,
        "LDAP_CA_FILE": str(server.ca_file),
        "LDAPTLS_CACERT": str(server.ca_file),
    }
    usher = str(Path(sys.executable).parent / "usher")
    access = [server.ldaps_uri, server.reader_dn, server.reader_password, server.people_dn]
    search = ["ldapsearch", "-LLL", "-H", access[0], "-x", "-D", access[1], "-w", access[2]]
    search += ["-b", access[3], "-E", "pr=1000/noprompt", "(objectClass=inetOrgPerson)"]
    steps = {
        "ldapsearch": search,
        "read by Usher": [sys.executable, "-c", READ, *access, str(server.ca_file)],
        "first plan": [usher, "plan", "ldap", "--json"],
        "release": [usher, "release", "ldap"],
        "first load": [usher, "sync", "ldap", "--json"],
        "night, no change": [usher, "sync", "ldap", "--json"],
    }
    print(f"{people:,} people, OpenLDAP with TLS, SQLite; one process each:")
    print(f"{'':18}{'seconds':>9}{'CPU s':>8}{'us/person':>11}{'MB':>7}{'x ldapsearch':>14}")
    baseline = 0.0
    for name, words in steps.items():
        cost = run(words, environ)
        baseline = baseline or cost.cpu
        print(
            f"{name:18}{cost.seconds:9.1f}{cost.cpu:8.2f}{cost.cpu / people * 1e6:11.0f}"
            f"{cost.megabytes:7.0f}{cost.cpu / baseline:13.1f}x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Reading, a first load, a night.")
    parser.add_argument("--people", type=int, default=10_000)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_slapd(plain_people(chosen.people)) as server,
    ):
        measure(server, chosen.people, Path(folder))


if __name__ == "__main__":
    main()
