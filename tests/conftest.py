"""What every test may ask for: a database of its own, and the marks its folder gives it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.kit.any_order import New
from tests.kit.ds389 import Ds389, running_ds389
from tests.kit.postgres import Postgres, running_postgres
from tests.kit.samba import Samba, running_samba
from tests.kit.slapd import Slapd, running_slapd
from tests.kit.world import World
from tests.kit.world import make_world as make

ROOT = Path(__file__).parents[1]

collect_ignore = ["kit/samba_domain.py"]
"""Runs under Debian's own Python, where Samba's modules are: not a place for doctests."""

MARKS = {
    ROOT / "tests" / "unit": "fast",
    ROOT / "provisioning" / "domain": "fast",
    ROOT / "tests" / "faults": "faults",
}


def pytest_configure(config: pytest.Config) -> None:
    """Leave the long soaks out, unless a mark or a path asks for them; nothing here is timed."""
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    if not config.option.markexpr and not any("faults" in path for path in config.args):
        config.option.markexpr = "not faults"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the folder they are in."""
    for item in items:
        for folder, mark in MARKS.items():
            if item.path.is_relative_to(folder):
                item.add_marker(mark)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL of this test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgres: Postgres) -> str:
    """The name of a migrated database to copy from."""
    from provisioning.storage.migrate import upgrade

    name = postgres.create_database()
    upgrade(postgres.url(name))
    return name


@pytest.fixture
def new_postgresql(postgres: Postgres, postgresql_template: str) -> New:
    """Return a maker of empty, migrated PostgreSQL databases, each gone after its block."""

    @contextmanager
    def making() -> Iterator[str]:
        name = postgres.create_database(template=postgresql_template)
        yield postgres.url(name)
        postgres.drop_database(name)

    return making


@pytest.fixture
def postgresql_url(new_postgresql: New) -> Iterator[str]:
    """An empty, migrated PostgreSQL database of this test."""
    with new_postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from."""
    from provisioning.storage.migrate import upgrade

    path = tmp_path_factory.mktemp("template") / "usher.db"
    upgrade(f"sqlite:///{path}")
    left_open = path.with_name("usher.db-wal")
    assert not left_open.exists(), "upgrade() must close what it opened"
    return path


@pytest.fixture
def new_sqlite(tmp_path: Path, sqlite_template: Path) -> New:
    """Return a maker of empty, migrated SQLite databases, each gone after its block."""
    numbers = count()

    @contextmanager
    def making() -> Iterator[str]:
        path = Path(shutil.copy(sqlite_template, tmp_path / f"usher{next(numbers) or ''}.db"))
        yield f"sqlite:///{path}"
        path.unlink()

    return making


@pytest.fixture
def sqlite_url(new_sqlite: New) -> Iterator[str]:
    """An empty, migrated SQLite database of this test."""
    with new_sqlite() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty, migrated database of this test: each test runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def make_world(database_url: str) -> Iterator[Callable[..., World]]:
    """Return a maker of worlds on this test's database; every one is closed."""
    worlds: list[World] = []

    def making(**choices: Any) -> World:
        worlds.append(make(database_url, **choices))
        return worlds[-1]

    yield making
    for world in worlds:
        world.services.context.database.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A world without limits."""
    return make_world()


@pytest.fixture(scope="session")
def openldap() -> Iterator[Slapd]:
    """A real OpenLDAP of this test process; tests work each in a branch of their own."""
    with running_slapd([]) as server:
        yield server


@pytest.fixture(scope="session")
def samba() -> Iterator[Samba]:
    """A real Active Directory of this test process; tests work each in a branch."""
    with running_samba() as server:
        yield server


@pytest.fixture(scope="session")
def ds389() -> Iterator[Ds389]:
    """A real 389 Directory Server of this test process; tests work each in a branch."""
    with running_ds389() as server:
        yield server


@pytest.fixture(params=["openldap", "samba", "ds389"])
def ldap_server(request: pytest.FixtureRequest) -> Slapd | Samba | Ds389:
    """Each kind of directory, one after the other."""
    server: Slapd | Samba | Ds389 = request.getfixturevalue(request.param)
    return server
