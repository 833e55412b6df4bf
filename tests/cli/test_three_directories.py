"""A first load and a night of three real directories, by the command line alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.services.context import InvitationTimes, SystemClock
from tests.kit.branches import Branch
from tests.kit.services import make_services
from tests.kit.usher import Usher
from tests.kit.world import PASSWORD, join_token

CONFIG = """
[departures]
missing_grace_nights = 0
[invitations]
grace_minutes = 0
[limits]
dismiss_percent = 100
rolling_percent = 100
[sources.corp]
type = "ldap"
uri = "{uri}"
bind_dn = "{bind_dn}"
bind_password = "{bind_password}"
base_dn = "{base_dn}"
ca_file = "{ca_file}"
first_run = "apply"
"""


@pytest.fixture
def branch(ldap_server) -> Branch:
    """Six people, and somebody outside of what is read."""
    branch = ldap_server.branch(6)
    branch.add("c0", unit="Contractors")
    branch.add_unit("Berlin", "People")
    return branch


BY_GROUPS = """
[sources.corp.mapping]
department = { expr = 'all("group_names").filter(name, name.startsWith("dept-"))' }
"""


@pytest.fixture
def usher(branch, tmp_path) -> Usher:
    """An Usher that finds out by itself what kind of directory it reads."""
    config = tmp_path / "usher.toml"
    config.write_text(CONFIG.format(**branch.options()))
    database = f"sqlite:///{tmp_path}/usher.db"
    return Usher(tmp_path, {"USHER_CONFIG": str(config), "DATABASE_URL": database})


def people(usher, *options):
    """Names and states of people."""
    listed = usher("people", "--json", *options).json["people"]
    return {person["display_name"].removeprefix("Tim "): person["state"] for person in listed}


def all_join(usher):
    """Everybody who was invited follows their link."""
    services = make_services(
        usher.environ["DATABASE_URL"],
        clock=SystemClock(),
        times=InvitationTimes(grace=timedelta(0)),
    )
    services.delivery.deliver_due()
    for row in services.reports.everyone():
        address = services.person(row.id).addresses[1].value
        assert address is not None
        services.accounts.accept(join_token(services, row.id), address, PASSWORD)
    services.context.database.close()


def test_a_first_load_the_changes_of_a_day_and_the_night_after_it(usher, branch):
    """R6, D1, D2: changes apply within minutes, and only the night says who is gone."""
    first = usher("sync", "corp", "--json").json
    assert (first["read"], first["counts"]["invite"]) == (6, 6)
    all_join(usher)

    branch.add("newcomer")
    branch.move("c0", "People")
    branch.modify("u0", title="Boss")
    branch.rename("u1", "renamed")
    branch.disable("u2")
    branch.delete("u3")
    branch.move("u4", "Contractors")
    branch.move("u5", "Berlin,OU=People")
    branch.add_group("crew", "u0", "renamed")
    said = usher("jobs", "run", "changes").out
    assert "corp: run " in said
    assert "corp: nothing to apply" in usher("jobs", "run", "changes").out
    here = dict.fromkeys(("U0", "U1", "U3", "U4", "U5"), "active")
    assert people(usher) == here | {"Newcomer": "invited", "C0": "invited"}
    assert people(usher, "--state", "dismissed") == {"U2": "dismissed"}
    assert usher("person", "Tim U0", "--json").json["title"] == "Boss"
    last = usher("runs", "--json").json["runs"][0]
    assert last["read"] == 6, "two newcomers and u0, u1, u2, u5; not everyone"

    branch.rename_unit("Berlin", "Potsdam", "People")
    branch.enable("u2")
    assert usher("sync", "corp", "--json").json["read"] == 6
    here = dict.fromkeys(("U0", "U1", "U2", "U5"), "active")
    assert people(usher) == here | {"Newcomer": "invited", "C0": "invited"}
    assert set(people(usher, "--state", "dismissed")) == {"U3", "U4"}


def test_a_group_that_names_departments_is_followed_within_minutes(usher, branch):
    """R6: nobody's entry changed; everyone is read, because groups decide here."""
    branch.add_group("dept-sales", "u0")
    config = usher.folder / "usher.toml"
    config.write_text(config.read_text() + BY_GROUPS)
    usher("sync", "corp")
    branch.set_members("dept-sales", "u1")
    usher("jobs", "run", "changes")
    departments = {
        name: usher("person", f"Tim {name}", "--json").json["department"] for name in ("U0", "U1")
    }
    assert departments == {"U0": None, "U1": "dept-sales"}
