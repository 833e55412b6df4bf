"""A real Active Directory domain controller on loopback: Samba, private, any user."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.branches import ACTIVE_DIRECTORY
from tests.kit.directory_server import DirectoryServer, running

_HERE = Path(__file__).parent
_PASSWORD = "Secret.of.a.test.1"
_NEEDED = ("/usr/sbin/samba", "/usr/lib/python3/dist-packages/samba")


class Samba(DirectoryServer):
    """One running domain controller."""

    kind, suffix = ACTIVE_DIRECTORY, "DC=ad,DC=corp,DC=example"
    admin_dn, admin_password = "Administrator@ad.corp.example", _PASSWORD
    reader_dn, reader_password = "svc-reader@ad.corp.example", _PASSWORD
    """May use DirSync and see deleted objects."""

    usn_dn = "svc-usn@ad.corp.example"
    """May see deleted objects only; the password is the reader's."""

    plain_dn = "svc-plain@ad.corp.example"
    """May read what everybody may."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        authority = self.authority
        authority.key.chmod(0o600)  # Samba refuses a key that others can read
        made = subprocess.run(
            ["/usr/bin/python3", "-I", _HERE / "samba_domain.py", folder / "dc", authority.ca_file,
             authority.certificate, authority.key, _PASSWORD],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        self.start()

    def command(self) -> Sequence[str | Path]:
        for stale in (self.folder / "dc" / "run").glob("*.pid"):
            stale.unlink()
        conf = self.folder / "dc" / "etc" / "smb.conf"
        ports = (f"{self.port}:389", f"{self.tls_port}:636")
        return (sys.executable, _HERE / "samba_space.py", conf, *ports)


@contextmanager
def running_samba() -> Iterator[Samba]:
    """A domain without people; it fails the test when there is no Samba."""
    if not all(Path(each).exists() for each in _NEEDED):
        pytest.fail(
            "Samba is missing: apt-get install samba-ad-dc samba-ad-provision ldb-tools "
            "python3-samba"
        )
    with running(Samba) as server:
        yield server
