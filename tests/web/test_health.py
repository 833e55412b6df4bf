"""Health tells the truth: what a new start would heal, and what it would not."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from provisioning.storage.models.runs import NodeRecord
from provisioning.storage.workers import parent_name


def answers(site):
    """What both say, as codes."""
    client = site.test_client()
    return [client.get(path).status_code for path in ("/healthz", "/readyz")]


def test_a_schedule_that_went_silent_is_a_reason_to_start_anew(site, world):
    """Safety: `usher serve` lives, its scheduler does not; pages and SCIM still work."""
    context = world.services.context
    with context.database.write() as session:
        times = {"started_at": context.now(), "beat_at": context.now()}
        session.add(NodeRecord(intranet_id=context.intranet_id, name=parent_name(), **times))
    assert answers(site) == [200, 200]
    world.clock.advance(timedelta(minutes=2))
    assert answers(site) == [503, 200]
    assert "start it anew" in site.test_client().get("/healthz").json["status"]


def test_another_process_that_went_silent_is_its_own_affair(site, world):
    """Safety: without a scheduler of its own a server is well."""
    world.services.nodes.beat()
    world.clock.advance(timedelta(minutes=2))
    assert answers(site) == [200, 200]


def test_a_database_of_another_revision_is_not_worked_with(site, world):
    """Safety 22: restored from an older backup, or migrated by a newer program."""
    with world.services.context.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert answers(site) == [200, 503]
    assert "usher db upgrade" in site.test_client().get("/readyz").json["status"]
