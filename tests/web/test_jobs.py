"""The page Jobs: the schedule and the brakes, and the banner on every page (R6)."""

from __future__ import annotations

import pytest

from provisioning.domain.brakes import Brake
from provisioning.storage.models.accounts import RoleName
from tests.kit.nights import ME
from tests.kit.site import administrator, place, words
from tests.kit.sources import entry
from tests.kit.world import PASSWORD, join_token


def send(admin, path, **fields):
    return admin.send(f"/admin/{path}", page="/admin/jobs", **fields)


def test_every_job_is_told_and_that_nobody_runs_them(admin, world):
    """R6: what it does and when it comes next; a schedule that nobody runs is an alarm."""
    page = words(admin.get("/admin/jobs").text)
    assert "No scheduler runs: nothing happens by itself." in page
    assert "nightly reads every source at 02:00 local time 24 Nov 2026 02:00" in page
    world.services.nodes.beat()
    assert "The schedule runs on" in words(admin.get("/admin/jobs").text)


def test_a_job_is_paused_with_a_reason_and_resumed(admin, world):
    """R6: by whom, since when, why."""
    assert place(send(admin, "jobs/nightly/pause")) == "/admin/jobs"
    assert "Nothing was stopped." in words(admin.get("/admin/jobs").text)
    send(admin, "jobs/nightly/pause", comment="the directory moves")
    page = words(admin.get("/admin/jobs").text)
    assert "paused since 23 Nov 2026 12:00 by admin@localhost: the directory moves" in page
    send(admin, "jobs/nightly/run")
    assert "It runs on no node and was not run now" in words(admin.get("/admin/jobs").text)
    send(admin, "jobs/nightly/resume")
    assert world.services.switches.pauses() == {}


def test_a_job_is_asked_for_and_waits_for_a_scheduler(admin, world):
    """R6: the page waits for nobody; the history says who asked."""
    send(admin, "jobs/seats/run")
    page = words(admin.get("/admin/jobs?job=seats").text)
    assert "seats is asked for and waits: no scheduler runs." in page
    assert "asked for by admin@localhost" in page
    assert admin.get("/admin/jobs?job=nonsense").status_code == 404
    assert admin.get("/admin/jobs.csv?job=nonsense").status_code == 404


def test_the_history_goes_on_on_the_next_page(admin, world):
    """R6: newest first."""
    for _ in range(51):
        world.services.slots.by_hand("seats", ME, lambda: None)
    page = admin.get("/admin/jobs").text
    assert "before=2" in page
    lines = admin.get("/admin/jobs.csv?job=seats").text.splitlines()
    assert (len(lines), lines[1].split(",")[:3]) == (52, ["51", "seats", ""])
    (seats,) = (one for one in admin.get("/admin/jobs.json").json["jobs"] if one["name"] == "seats")
    assert (seats["last"]["state"], seats["paused"]) == ("done", None)
    assert admin.get("/admin/jobs?before=2").text.count("asked for by anna") == 1


def test_a_brake_is_pulled_and_every_page_says_so(admin, world):
    """Safety: nobody forgets that it is on."""
    send(admin, "brakes/read-only/on")
    assert world.services.switches.brakes()[0].on is None
    send(admin, "brakes/read-only/on", comment="a restore")
    for path in ("", "people", "held", "jobs", "connections"):
        page = words(admin.get(f"/admin/{path}").text)
        assert "The brake read-only is on since 23 Nov 2026 12:00" in page, path
        assert "admin@localhost: a restore" in page
    assert admin.send("/admin/brakes/nonsense/on", page="/admin/jobs").status_code == 404
    send(admin, "brakes/read-only/off")
    assert "The brake read-only is on" not in words(admin.get("/admin/").text)


def test_a_page_that_changes_something_says_which_brake_stopped_it(admin, world):
    """S3: and changes nothing."""
    admin.get("/admin/connections/corp")
    world.services.switches.pull(Brake.READ_ONLY, ME, "a restore")
    answer = admin.send("/admin/connections/corp/release", page="/admin/connections/corp")
    assert place(answer) == "/admin/connections/corp"
    page = words(admin.get("/admin/connections/corp").text)
    assert 'anna pulled the brake read-only: "a restore". Nothing was done here' in page


def test_nobody_joins_while_nothing_may_change(admin, world, site):
    """I3: the page says that the link stays good."""
    world.directory.add(entry("ann"))
    world.sync()
    world.services.delivery.deliver_due()
    link = f"/join/{join_token(world.services, world.services.reports.find('ann'))}"
    world.services.switches.pull(Brake.READ_ONLY, ME, "a restore")
    fields = {"address": "ann@corp.example", "password": PASSWORD, "repeat": PASSWORD}
    answer = admin.send(link, **fields)
    assert answer.status_code == 503
    assert "your link stays good" in words(answer.text)
    assert "a restore" not in answer.text


@pytest.mark.parametrize(
    ("role", "path"),
    [(RoleName.VIEWER, "jobs/seats/run"), (RoleName.OPERATOR, "brakes/read-only/on")],
)
def test_who_may_stop_what(site, world, role, path):
    """A7: jobs need an operator, brakes an administrator."""
    visitor = administrator(site, world.services, role)
    answer = visitor.send(f"/admin/{path}", page="/admin/people", comment="why")
    assert answer.status_code == 403
