"""An identity provider beside a whole Usher, on both kinds of database."""

from __future__ import annotations

import shutil
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, update

from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.scim import ScimCounterRecord, ScimUserRecord
from tests.kit.provider import running_provider
from tests.kit.scim_client import CORE, connect
from tests.kit.world import make_world as make


@pytest.fixture
def idp(world):
    """A client of a world without limits."""
    return connect(world.services)


@pytest.fixture
def make_idp(make_world):
    """Return a maker of a world and its client: choices are those of a world."""

    def making(*, release="apply", **choices):
        world = make_world(**choices)
        return world, connect(world.services, first_run=release)

    return making


@pytest.fixture
def sqlite_world(sqlite_url):
    """A world for what is decided before anything is stored: one kind of database is enough."""
    world = make(sqlite_url)
    yield world
    world.services.context.database.close()


@pytest.fixture(scope="module")
def protocol(sqlite_template, tmp_path_factory):
    """One client for all tests of a module that leave nothing behind another could trip over."""
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("protocol") / "usher.db")
    world = make(f"sqlite:///{path}")
    yield connect(world.services)
    world.services.context.database.close()


@pytest.fixture
def many_people(idp):
    """Return a maker of so many visible resources at once; nobody is invited for them."""

    def document(id_):
        return b'{"schemas":["%s"],"id":"%s"}' % (CORE.encode(), str(id_).encode())

    def make(number):
        with idp.services.context.database.write() as session:
            source = session.scalars(
                select(SourceRecord.id).where(SourceRecord.name == idp.source)
            ).one()
            ids = [uuid4() for _ in range(number)]
            now = idp.services.context.now()
            session.execute(
                insert(ScimUserRecord),
                [
                    {
                        "id": id_, "seq": place, "source_id": source, "user_name_key": str(id_),
                        "desired_active": True, "created_at": now, "modified_at": now,
                        "document": document(id_), "search": {"active": "true"}, "version": 1,
                    }
                    for place, id_ in enumerate(ids, start=1)
                ],
            )  # fmt: skip
            session.execute(
                update(ScimCounterRecord)
                .where(ScimCounterRecord.source_id == source)
                .values(users=number, next_seq=number + 1)
            )
        return [str(id_) for id_ in ids]

    return make


@pytest.fixture
def logged(world):
    """Return a reader of the log, newest first."""

    def read(**chosen):
        assert world.services.inbound.flush()
        return list(world.services.inbound_reports.requests(**chosen))

    return read


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served_usher(request, tmp_path_factory):
    """A served Usher for all tests of a module, once on each kind of database."""
    folder = tmp_path_factory.mktemp("served")
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("sqlite_template"), folder / "usher.db")
        url = f"sqlite:///{path}"
    else:
        postgres = request.getfixturevalue("postgres")
        template = request.getfixturevalue("postgresql_template")
        url = postgres.url(postgres.create_database(template=template))
    with running_provider(folder, url) as served:
        yield served


@pytest.fixture
def people(idp):
    """Ann, Bob and Cid."""
    return [idp.create(name) for name in ("ann", "bob", "cid")]
