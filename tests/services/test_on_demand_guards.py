"""One person alone comes under every guard of a run, and takes the locks of a push (R9, S3)."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from provisioning.domain.errors import DigestMismatchError, HeldError
from provisioning.domain.policy import Policy
from provisioning.services.context import InvitationTimes
from provisioning.storage.models.runs import RemovalRecord
from tests.kit.nights import ME, count
from tests.kit.sources import entry
from tests.services.test_on_demand import actions, done, said, shown


def test_somebody_disabled_leaves_and_is_counted(world):
    """D1, D5, D6: one removal like any other, and the seat goes to whoever waits."""
    world.services.seats.set_limit(1, ME)
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    world.services.delivery.deliver_due()
    assert world.states() == {"Ann": "invited", "Bob": "waiting"}
    world.directory.add(entry("ann", disabled="yes"))
    trace = done(world, "ann")
    assert actions(trace) == [("revoke", None)]
    assert said(trace)["seat"] == "one is given back: then 0 of 1 are"
    assert count(world, RemovalRecord) == 1
    assert world.states() == {"Ann": "dismissed", "Bob": "invited"}


def test_removals_one_by_one_come_under_the_limits_of_runs(world):
    """D5: the first three go; the fourth of ten is held and stays."""
    world.directory.add(*(entry(f"p{number}") for number in range(10)))
    world.sync()
    names = ("p0", "p1", "p2", "p3")
    world.directory.add(*(entry(name, disabled="yes") for name in names))
    for name in names[:3]:
        assert actions(done(world, name)) == [("revoke", None)]
    trace = done(world, names[3])
    assert actions(trace) == [("revoke", "rolling_share")]
    assert (trace.held, trace.does_something) == (True, False)
    assert "P3" in world.states()


def test_a_protected_person_stays(make_world):
    """D4: held, shown, not done."""
    world = make_world(policy=Policy(missing_grace_nights=0, protected=frozenset({"ann"})))
    world.directory.add(entry("ann"))
    world.sync()
    world.directory.add(entry("ann", disabled="yes"))
    assert actions(shown(world, "ann")) == [("revoke", "protected")]
    trace = done(world, "ann")
    assert (actions(trace), trace.effects) == ([("revoke", "protected")], [])
    assert world.states() == {"Ann": "invited"}


def test_an_unreleased_source_shows_and_does_not(make_world):
    """I10: the trace says what waits; doing it waits for the release."""
    world = make_world(first_run="plan")
    world.directory.add(entry("ann"))
    trace = shown(world, "ann")
    assert said(trace)["invitation"] == (
        "one to ann@corp.example; its letter waits for the release of corp"
    )
    with pytest.raises(HeldError, match="waits for its release"):
        done(world, "ann")
    assert world.states() == {}
    world.services.invitations.release("corp", ME)
    assert done(world, "ann").done


def test_something_else_than_what_was_shown_is_not_done(world):
    """R4: the digest names the decisions; the directory changed meanwhile."""
    world.directory.add(entry("ann"))
    digest = shown(world, "ann").digest
    world.directory.add(entry("ann", departmentNumber="Ops"))
    with pytest.raises(DigestMismatchError, match="nothing was done"):
        done(world, "ann", digest=digest)
    assert world.states() == {}


def test_many_at_once_do_it_once(make_world):
    """R9, L1: the locks of a push: one employee, one letter, one seat, whoever is first."""
    world = make_world(seats=5, times=InvitationTimes(grace=timedelta(0)))
    world.directory.add(entry("ann"), entry("bob"))
    failures = []

    def work(name):
        try:
            done(world, name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("ann", "bob") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert world.states() == {"Ann": "invited", "Bob": "invited"}
    assert world.services.reports.seats().taken == 2
    assert world.services.delivery.deliver_due() == 2
