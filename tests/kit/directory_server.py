"""What the real directories of the suite have in common: two ports, a folder, an administrator."""

from __future__ import annotations

import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, TypeVar

import ldap3

from tests.kit.branches import Branch, Kind
from tests.kit.certificates import make_authority
from tests.kit.postgres import free_port
from tests.kit.waiting import wait_for_ldap


class DirectoryServer(ABC):
    """One server on loopback, with TLS; tests that share it work each in a branch of their own."""

    kind: ClassVar[Kind]
    suffix: ClassVar[str]
    reader_dn: ClassVar[str]
    reader_password: ClassVar[str]
    admin_dn: ClassVar[str]
    admin_password: ClassVar[str]
    environ: ClassVar[Mapping[str, str] | None] = None
    """What the server gets instead of the suite's environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.uri = f"ldap://127.0.0.1:{self.port}"
        self.ldaps_uri = f"ldaps://127.0.0.1:{self.tls_port}"
        self.authority = make_authority(folder)
        self.ca_file = self.authority.ca_file
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """Return what runs the server in the foreground, on its ports and data."""

    def start(self) -> None:
        """Start, and wait until it answers."""
        path = self.folder / "server.log"
        with path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environ,
            )
        wait_for_ldap(self.process, self.port, path)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Stop; SIGKILL is a crash."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    @contextmanager
    def administering(
        self, dn: str = "", password: str = "", *, uri: str = ""
    ) -> Iterator[ldap3.Connection]:
        """A connection that may change everything, or another account's."""
        server = ldap3.Server(uri or self.uri, get_info=ldap3.NONE)
        connection = ldap3.Connection(
            server, dn or self.admin_dn, password or self.admin_password,
            auto_bind=True, check_names=False,
        )  # fmt: skip
        try:
            yield connection
        finally:
            connection.unbind()

    def branch(self, people: int = 0) -> Branch:
        """A part of the directory of one's own."""
        return Branch.make(self, people)


Server = TypeVar("Server", bound=DirectoryServer)


@contextmanager
def running(make: Callable[[Path], Server]) -> Iterator[Server]:
    """A server in a folder of its own, which ends with the block."""
    with TemporaryDirectory(prefix="usher-directory-") as folder:
        server = make(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def succeeded(done: Any, connection: ldap3.Connection) -> None:
    """Fail the test when the server refused what an administrator did."""
    assert done, connection.result
