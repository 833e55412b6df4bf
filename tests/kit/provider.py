"""A whole Usher as an identity provider meets it: served, with a token, on either database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient

from tests.kit.postgres import free_port
from tests.kit.usher import Usher


@dataclass(frozen=True)
class Provider:
    """A served Usher and what its administrator typed into an identity provider."""

    usher: Usher
    url: str
    token: str

    @contextmanager
    def scim(self) -> Iterator[SyncSCIMClient]:
        """A client that knows nothing yet but the address and the token."""
        head = {"Authorization": f"Bearer {self.token}"}
        with httpx2.Client(base_url=self.url, headers=head, timeout=60) as http:
            yield SyncSCIMClient(http)


@contextmanager
def running_provider(
    folder: Path, database_url: str, environ: Mapping[str, str] | None = None
) -> Iterator[Provider]:
    """A served Usher on a migrated database, with a released source called "idp"."""
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    settings = {"DATABASE_URL": database_url, "PUBLIC_URL": site, **(environ or {})}
    usher = Usher(folder, settings)
    made = usher("token", "create", "idp", "--first-run", "apply", "--json").json
    with usher.serving(port):
        yield Provider(usher, f"{site}/scim/v2", made["token"])
