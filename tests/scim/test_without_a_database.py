"""A database that does not answer: 503 in SCIM, and nothing half done (safety 20)."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError

from provisioning.services.waiting import WaitingService
from provisioning.storage.migrate import upgrade
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from tests.kit.nights import count
from tests.kit.postgres import running_postgres
from tests.kit.scim_client import connect, operation, outcome, refusal, user
from tests.kit.world import make_world


def unavailable(answer):
    """503 tells when to come again, and that nothing happened."""
    assert "nothing was changed" in refusal(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


def test_a_stopped_database_is_said_and_what_was_acknowledged_is_there():
    """A real PostgreSQL, stopped and started again; no request has to be sent by hand."""
    with running_postgres() as server:
        url = server.url(server.create_database())
        upgrade(url)
        world = make_world(url)
        idp = connect(world.services)
        ann = idp.create("ann")
        server.stop()
        for method, path, body in (
            ("GET", "/Users", None),
            ("GET", f"/Users/{ann['id']}", None),
            ("POST", "/Users", user("bob")),
            ("PUT", f"/Users/{ann['id']}", user("ann", title="Chief")),
            ("DELETE", f"/Users/{ann['id']}", None),
            ("PROPFIND", "/Users", None),
        ):
            unavailable(idp(method, path, body))
        server.start()
        assert idp.get(ann["id"]) == ann
        assert idp.list()["Resources"] == [ann]
        assert outcome(idp.create("bob"))["state"] == "invited"
        world.services.context.database.close()


@pytest.mark.parametrize(
    "step",
    [
        "provisioning.services.scim_users.stored_user",
        "provisioning.services.provision.open_invitation",
        "provisioning.services.provision.refresh",
    ],
)
def test_a_creation_that_breaks_off_leaves_nothing(world, idp, step):
    """Resource, employee, link, seat, letter and counter are one transaction."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, _lost)
        unavailable(idp("POST", "/Users", user("ann")))
    assert count(world, EmployeeRecord) == count(world, LinkRecord) == 0
    assert world.services.reports.seats().taken == 0
    assert idp.list()["totalResults"] == 0
    assert world.services.delivery.deliver_due() == 0
    assert outcome(idp.create("ann"))["state"] == "invited"


def test_a_departure_that_breaks_off_changes_nothing(world, idp):
    """The dismissal and the resource change together or not at all."""
    ann = idp.create("ann")
    world.accept("Ann")
    ann = idp.get(ann["id"])
    inactive = operation("replace", "active", False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("provisioning.services.departures.close_findings_of", _lost)
        unavailable(idp.try_patch(ann["id"], inactive))
        unavailable(idp("DELETE", f"/Users/{ann['id']}"))
    assert idp.get(ann["id"]) == ann
    assert idp.list()["totalResults"] == 1
    assert world.services.reports.seats().taken == 1
    assert outcome(idp.patch(ann["id"], inactive))["state"] == "dismissed"


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT", {}, Exception("server closed the connection")),
        PoolTimeoutError("no connection is free"),
        StaleDataError("somebody else was faster"),
    ],
)
def test_a_seat_that_cannot_be_passed_on_undoes_no_departure(idp, monkeypatch, error):
    """L3: the request is done and said to be; the job passes the seat on."""

    def serve(_self):
        raise error

    ann, bob = idp.create("ann"), idp.create("bob")
    monkeypatch.setattr(WaitingService, "serve", serve)
    assert idp.activate(ann["id"], False)["active"] is False
    idp.delete(bob["id"])


def _lost(*_args, **_kwargs):
    raise OperationalError("UPDATE", {}, Exception("server closed the connection"))
