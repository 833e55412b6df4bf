"""The deployment's key: given, or made once and kept beside a database of one machine."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import make_url

from provisioning.domain.errors import ConfigurationError


def deployment_key(given: str, database_url: str) -> bytes:
    """Return what signs invitation links and sessions.

    Args:
        given: SECRET_KEY, empty if nobody set it.
        database_url: Where everything is kept.

    Raises:
        ConfigurationError: Several machines may share this database, and would differ; or the
            key can be neither read nor made.
    """
    if given:
        return given.encode()
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise ConfigurationError(
            "SECRET_KEY is not set. It signs invitation links and sessions, and must be the same "
            "on every machine that uses this database: set it to 32 or more random characters."
        )
    path = Path(url.database).with_suffix(".key")
    try:
        if not path.exists():
            _make(path)
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the key {path} can be neither read nor made: {error.strerror}. Nothing was done; "
            "give this user the folder, or set SECRET_KEY"
        ) from error


def _make(path: Path) -> None:
    """Write a key whole before it has its name: two first starts at once agree on one."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        with suppress(FileExistsError):
            os.link(file.name, path)
