"""Some nights of a company: a real directory, a real relay, real commands, real acceptances."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.kit.people import plain_people
from tests.kit.postgres import free_port
from tests.kit.relay import running_relay
from tests.kit.slapd import running_slapd
from tests.kit.usher import Usher

PEOPLE = 1_000
ACCEPTING = 500
PASSWORD = "correct horse battery"
CONFIG = """
[departures]
missing_grace_nights = 0
[invitations]
grace_minutes = 0
[sources.ldap]
type = "ldap"
[sources.ldap.mapping]
active = { expr = 'first("employeeType") != "disabled"' }
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A directory of 1,000, a relay, and an Usher that knows both."""
    folder = tmp_path_factory.mktemp("company")
    (folder / "usher.toml").write_text(CONFIG)
    with running_slapd(plain_people(PEOPLE)) as directory, running_relay() as (relay, smtp_url):
        port = free_port()
        usher = Usher(
            folder,
            {
                "USHER_CONFIG": str(folder / "usher.toml"),
                "DATABASE_URL": f"sqlite:///{folder}/usher.db",
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
                "SMTP_URL": smtp_url,
                "MAIL_FROM": "Corp <intranet@corp.example>",
                "LDAP_URI": directory.ldaps_uri,
                "LDAP_BIND_DN": directory.reader_dn,
                "LDAP_BIND_PASSWORD": directory.reader_password,
                "LDAP_BASE_DN": directory.suffix,
                "LDAP_CA_FILE": str(directory.ca_file),
            },
        )
        yield usher, directory, relay, port


def changed(plan):
    return {kind: count for kind, count in plan["counts"].items() if count}


def whom(plan):
    """Who is acted upon, by kind of action."""
    found = {}
    for action in plan["actions"]:
        found.setdefault(action["action"], set()).add(action["person"])
    return found


def state_of(usher):
    """Everything about people that a run may change."""
    with sqlite3.connect(usher.folder / "usher.db") as database:
        return database.execute("SELECT seq, state, version FROM employee ORDER BY seq").fetchall()


def join(url):
    """Open the letter's link in a browser and accept."""
    with httpx2.Client(follow_redirects=True) as browser:
        page = browser.get(url)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        assert token is not None, page.text
        address = re.search(r'name="address"[^>]*value="([^"]+)"', page.text)
        assert address is not None, page.text
        answer = browser.post(
            url,
            data={
                "csrf_token": token[1],
                "address": address[1],
                "password": PASSWORD,
                "repeat": PASSWORD,
            },
        )
        return answer.status_code


def the_first_night_is_released(usher):
    """I10: planned, refused before the release, applied after it."""
    plan = usher("plan", "ldap", "--json").json
    assert changed(plan) == {"invite": PEOPLE}
    assert usher("apply", str(plan["run"]), "--json", code=3).json["error"]["code"] == "held"
    assert state_of(usher) == []
    usher("release", "ldap")
    applied = usher("apply", str(plan["run"]), "--json").json
    assert applied["state"] == "applied"
    assert usher("seats", "--json").json["invited"] == PEOPLE


def half_of_the_company_joins(usher, port, links):
    """Over HTTP, four browsers at a time, each with the link of a letter."""
    with usher.serving(port, "--no-scheduler"), ThreadPoolExecutor(4) as browsers:
        assert Counter(browsers.map(join, links)) == {200: len(links)}
    assert usher("seats", "--json").json["active"] == len(links)


@pytest.mark.timeout(900)
def test_some_nights_of_a_company(company):
    """R1-R5, I1-I10, D1, D5 in one story; each step needs the one before."""
    usher, directory, relay, port = company

    the_first_night_is_released(usher)

    # Every letter arrives at the corporate address, once.
    usher("jobs", "run", "delivery")
    usher("jobs", "run", "delivery")
    assert Counter(to for to, _ in relay.letters) == Counter(directory.mails())

    links = relay.links()
    joining = sorted(links)[:ACCEPTING]
    half_of_the_company_joins(usher, port, [links[mail] for mail in joining])

    # The next night: exactly what happened in the directory.
    people = directory.uids_by_mail()
    joined = [people[mail] for mail in joining]
    for uid in joined[0:5]:
        directory.delete(uid)
    for uid in joined[5:8]:
        directory.modify(uid, employeeType="disabled")
    for uid in joined[8:18]:
        directory.modify(uid, title="Something else")
    directory.rename(joined[18], joined[18] + "-renamed")
    directory.move(joined[19], "Contractors")
    directory.add(*(f"newcomer{number}" for number in range(7)))
    night = usher("sync", "ldap", "--json").json
    assert night["state"] == "applied"
    assert changed(night) == {"dismiss": 8, "update": 12, "invite": 7}
    newcomers = {f"newcomer{number}" for number in range(7)}
    assert whom(night) == {
        "dismiss": {*joined[0:8]},
        "update": {*joined[8:18], joined[18] + "-renamed", joined[19]},
        "invite": newcomers,
    }
    usher("jobs", "run", "delivery")
    assert {to.partition("@")[0] for to, _ in relay.letters[PEOPLE:]} == newcomers
    assert changed(usher("plan", "ldap", "--json").json) == {}

    # The server answers only 200 entries: nothing is concluded from that.
    before = state_of(usher)
    directory.limit_size(200)
    failed = usher("sync", "ldap", "--json", code=65).json
    assert failed["error"]["code"] == "incomplete"
    assert "sizeLimitExceeded" in failed["error"]["message"]
    assert usher("runs", "--json").json["runs"][0]["state"] == "incomplete"
    assert state_of(usher) == before
    directory.limit_size(None)

    # 120 people vanish for real: held, approved by digest, applied.
    vanished = joined[20:80] + [people[mail] for mail in sorted(links)[600:660]]
    for uid in vanished:
        directory.delete(uid)
    held = usher("sync", "ldap", "--json", code=3).json
    assert (held["state"], len(held["actions"])) == ("held", 120)
    assert {action["held"] for action in held["actions"]} == {"mass_removal"}
    assert set.union(*whom(held).values()) == {*vanished}
    assert state_of(usher) == before
    run, digest = str(held["run"]), held["digest"]
    usher("approve", run, "--digest", "0" * 64, "--comment", "no", code=1)
    done = usher("approve", run, "--digest", digest, "--comment", "site closed", "--json").json
    assert done["state"] == "applied"
    assert usher("seats", "--json").json["active"] == ACCEPTING - 8 - 60
    assert changed(usher("plan", "ldap", "--json").json) == {}
