"""What SCIM asked for and a guard stopped, from the terminal (D6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.services.context import InvitationTimes, SystemClock
from provisioning.storage.migrate import upgrade
from tests.kit.scim_client import connect
from tests.kit.services import make_services


@pytest.fixture
def services(usher, tmp_path):
    """Beside the command: of seven people dismissed over SCIM, four are held."""
    url = usher.environ["DATABASE_URL"]
    upgrade(url)
    grace = InvitationTimes(grace=timedelta(0))
    services = make_services(url, clock=SystemClock(), times=grace)
    idp = connect(services)
    people = [idp.create(f"p{number}") for number in range(7)]
    services.delivery.deliver_due()
    for one in people:
        idp.activate(one["id"], False)
    yield services
    services.context.database.close()


def held(services):
    return [row.display_name for row in services.hold_reports.held()]


def test_held_effects_are_listed_and_decided_one_by_one(usher, services):
    """D6: a row each, and what was spent; a decision is made once."""
    first, second = (str(row.id) for row in services.hold_reports.held()[:2])
    listed = usher("held", "list", "--source", "idp", "--reason", "breaker").out
    assert "P3" in listed
    assert "3 of at most 3 people were removed within a day" in listed
    assert f"Held ({first})" in usher("person", "P3", "--why").out
    done = usher("held", "approve", first, "--comment", "left", "--json").json
    assert done == {"held": int(first), "end": "approved"}
    again = usher("held", "reject", first, "--comment", "is here", code=1)
    assert "is approved; nothing was done" in again.err
    usher("held", "reject", second, "--comment", "is here")
    assert held(services) == ["P5", "P6"]
    assert [row.display_name for row in services.reports.everyone()] == ["P4", "P5", "P6"]


def test_a_breaker_is_released_by_whoever_saw_how_many(usher, services):
    """D6, D4: all of them, and only with their number."""
    words = ("held", "approve-all", "idp", "--comment", "closed", "--number")
    assert "4 are held" in usher(*words, "3", code=1).err
    assert "one by one" in usher(*words, "4", "--reason", "protected", code=3).err
    assert held(services) == ["P3", "P4", "P5", "P6"]
    assert usher(*words, "4", "--json").json == {"done": 4, "left": []}
    assert usher("held").out.strip().endswith("Nothing is held.")


def test_a_wrong_feed_is_rejected_at_once(usher, services):
    """D6: everybody stays."""
    words = ("idp", "--comment", "a wrong filter", "--number", "4")
    assert usher("held", "reject-all", *words).out.startswith("4 decided.")
    assert held(services) == []
    assert services.reports.seats().taken == 4
