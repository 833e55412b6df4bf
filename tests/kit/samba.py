"""A real Active Directory domain controller on loopback: Samba, private, any user."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import ldap3
import pytest

from tests.kit.branches import ACTIVE_DIRECTORY, Branch
from tests.kit.certificates import make_authority
from tests.kit.postgres import free_port
from tests.kit.waiting import wait_for_ldap

_HERE = Path(__file__).parent
_PASSWORD = "Secret.of.a.test.1"
_NEEDED = ("/usr/sbin/samba", "/usr/lib/python3/dist-packages/samba")


class Samba:
    """One running server; tests share it and work each in a branch of their own."""

    kind, suffix = ACTIVE_DIRECTORY, "DC=ad,DC=corp,DC=example"
    reader_dn, reader_password = "svc-reader@ad.corp.example", _PASSWORD
    """May use DirSync and see deleted objects."""

    usn_dn = "svc-usn@ad.corp.example"
    """May see deleted objects only; the password is the reader's."""

    plain_dn = "svc-plain@ad.corp.example"
    """May read what everybody may."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.uri = f"ldap://127.0.0.1:{self.port}"
        self.ldaps_uri = f"ldaps://127.0.0.1:{self.tls_port}"
        authority = make_authority(folder)
        authority.key.chmod(0o600)  # Samba refuses a key that others can read
        self.ca_file = authority.ca_file
        made = subprocess.run(
            ["/usr/bin/python3", "-I", _HERE / "samba_domain.py", folder / "dc", authority.ca_file,
             authority.certificate, authority.key, _PASSWORD],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, on the same ports and data."""
        for stale in (self.folder / "dc" / "run").glob("*.pid"):
            stale.unlink()
        with (self.folder / "samba.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, _HERE / "samba_space.py", self.folder / "dc" / "etc" / "smb.conf",
                 f"{self.port}:389", f"{self.tls_port}:636"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        wait_for_ldap(self.process, self.port, self.folder / "samba.log")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    @contextmanager
    def administering(self) -> Iterator[ldap3.Connection]:
        server = ldap3.Server(self.uri, get_info=ldap3.NONE)
        connection = ldap3.Connection(
            server, "Administrator@ad.corp.example", _PASSWORD, auto_bind=True, check_names=False
        )
        try:
            yield connection
        finally:
            connection.unbind()

    def branch(self, people: int = 0) -> Branch:
        """A part of the directory of one's own."""
        return Branch.make(self, people)


@contextmanager
def running_samba() -> Iterator[Samba]:
    """A domain without people; it fails the test when there is no Samba."""
    if not all(Path(each).exists() for each in _NEEDED):
        pytest.fail(
            "Samba is missing: apt-get install samba-ad-dc samba-ad-provision ldb-tools "
            "python3-samba"
        )
    with TemporaryDirectory(prefix="usher-samba-") as folder:
        server = Samba(Path(folder))
        try:
            yield server
        finally:
            server.stop()
