"""Reading everyone over LDAP: Usher beside ldapsearch, python-ldap and plain ldap3.

    .venv/bin/python benchmarks/ldap_read.py [--people 100000 1000000]

Each line is one process that reads the same people with the same attributes, TLS and pages of
1,000, the four one after the other in several rounds: seconds on the clock, CPU seconds, peak
memory of the round with the least CPU, and how often that is the CPU of `ldapsearch`. Usher's line
ends with people as a run gets them: decoded, in the mapping's spelling, with their id; the others
end with what their library returns.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.kit.costs import Cost, cost_of  # noqa: E402 - the kit is found by then
from tests.kit.people import plain_people  # noqa: E402 - the same
from tests.kit.slapd import Slapd, running_slapd  # noqa: E402 - the same

DEBIAN_PYTHON = "/usr/bin/python3"
INSTALL = "apt-get install --no-install-recommends python3-ldap"
PAGE = 1000
FILTER = "(objectClass=inetOrgPerson)"
ATTRIBUTES = (
    "uid", "cn", "sn", "givenName", "displayName", "mail", "title", "departmentNumber",
    "employeeType", "entryUUID",
)  # fmt: skip

USHER = """
import sys
from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
uri, dn, password, base, authority, asked, *attributes = sys.argv[1:]
settings = LdapSettings(uri=uri, bind_dn=dn, bind_password=password, base_dn=base,
                        ca_file=authority, user_filter=asked, preset="openldap", changes="off")
print(sum(1 for _ in LdapDirectory("corp", settings, attributes).read()))
"""
LDAP3 = """
import ssl, sys
import ldap3
uri, dn, password, base, authority, asked, *attributes = sys.argv[1:]
tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=authority)
with ldap3.Connection(ldap3.Server(uri, tls=tls), dn, password, auto_bind=True) as connection:
    found = connection.extend.standard.paged_search(
        base, asked, attributes=attributes, paged_size=1000, generator=True)
    print(sum(1 for _ in found))
"""
PYTHON_LDAP = """
import sys
import ldap
from ldap.controls import SimplePagedResultsControl
uri, dn, password, base, authority, asked, *attributes = sys.argv[1:]
connection = ldap.initialize(uri)
connection.set_option(ldap.OPT_X_TLS_CACERTFILE, authority)
connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
connection.simple_bind_s(dn, password)
paging, count = SimplePagedResultsControl(True, 1000, ""), 0
while True:
    number = connection.search_ext(base, ldap.SCOPE_SUBTREE, asked, attributes,
                                   serverctrls=[paging])
    _, entries, _, controls = connection.result3(number)
    count += len(entries)
    paging.cookie = controls[0].cookie
    if not paging.cookie:
        break
print(count)
"""


def commands(server: Slapd) -> dict[str, list[str]]:
    """Return what each reader is started with."""
    who = [server.ldaps_uri, server.reader_dn, server.reader_password, server.people_dn]
    asked = [*who, str(server.ca_file), FILTER, *ATTRIBUTES]
    search = ["ldapsearch", "-LLL", "-H", who[0], "-x", "-D", who[1], "-w", who[2], "-b", who[3]]
    return {
        "ldapsearch": [*search, "-E", f"pr={PAGE}/noprompt", FILTER, *ATTRIBUTES],
        "Usher": [sys.executable, "-c", USHER, *asked],
        "python-ldap": [DEBIAN_PYTHON, "-c", PYTHON_LDAP, *asked],
        "ldap3, default": [sys.executable, "-c", LDAP3, *asked],
    }


def measure(server: Slapd, people: int, rounds: int) -> None:
    """Print a table: a line for each reader."""
    print(f"{people:,} people, OpenLDAP with TLS, {len(ATTRIBUTES)} attributes, pages of {PAGE:,}:")
    print(f"{'':16}{'seconds':>9}{'CPU s':>9}{'us/person':>11}{'MB':>7}{'x ldapsearch':>14}")
    environ = os.environ | {"PYTHONPATH": str(ROOT), "LDAPTLS_CACERT": str(server.ca_file)}
    found: dict[str, Cost] = {}
    for _ in range(rounds):
        for name, words in commands(server).items():
            costs = [cost_of(words, environ), *([found[name]] if name in found else [])]
            found[name] = min(costs, key=lambda cost: cost.cpu)
    for name, cost in found.items():
        times = cost.cpu / found["ldapsearch"].cpu
        print(
            f"{name:16}{cost.seconds:9.1f}{cost.cpu:9.2f}{cost.cpu / people * 1e6:11.1f}"
            f"{cost.megabytes:7.0f}{times:13.1f}x",
            flush=True,
        )
    less = found["ldap3, default"].cpu / found["Usher"].cpu
    print(f"Usher takes {less:.1f} times less CPU than ldap3 by default.\n", flush=True)


def require_python_ldap() -> None:
    """Stop with the command that helps: a table without a line would look whole."""
    words = [DEBIAN_PYTHON, "-c", "import ldap"]
    if not Path(DEBIAN_PYTHON).exists() or subprocess.run(words, capture_output=True).returncode:  # noqa: PLW1510 - asked for its code
        raise SystemExit(f"python-ldap is missing for {DEBIAN_PYTHON}: {INSTALL}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Reading everyone, four readers in turn.")
    parser.add_argument("--people", type=int, nargs="+", default=[100_000])
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    require_python_ldap()
    for people in chosen.people:
        with running_slapd(plain_people(people)) as server:
            measure(server, people, chosen.rounds)


if __name__ == "__main__":
    main()
