"""A real 389 Directory Server on loopback: private, any user, ready in about three seconds.

Its own installer wants systemd and sleeps most of half a minute; the folder it would make is a
template of Debian's with the paths put in, and a certificate database.
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.branches import DS389
from tests.kit.certificates import Authority
from tests.kit.directory_server import DirectoryServer, running
from tests.kit.people import SUFFIX

_PROGRAM = "/usr/sbin/ns-slapd"
_DATA = Path("/usr/share/dirsrv/data")
_ON = ("Retro Changelog Plugin", "Content Synchronization", "MemberOf Plugin", "USN")
_FOLDERS = ("conf", "db", "run", "lock", "log", "ldif", "bak", "tmp", "inst")
_ACI = (
    '(targetattr="*")(version 3.0; acl "readers"; allow (read, search, compare) '
    f'userdn="ldap:///cn=reader,ou=Services,{SUFFIX}";)'
)


class Ds389(DirectoryServer):
    """One running server."""

    kind, suffix = DS389, SUFFIX
    admin_dn, admin_password = "cn=Directory Manager", "admin-secret"
    reader_dn, reader_password = f"cn=reader,ou=Services,{SUFFIX}", "reader-secret"
    plain_dn = f"cn=plain,ou=Services,{SUFFIX}"
    """May sign in with the reader's password, and read nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for name in _FOLDERS:
            (folder / name).mkdir()
        self._conf = folder / "conf"
        shutil.copytree("/etc/dirsrv/schema", self._conf / "schema")
        for name in ("slapd-collations.conf", "certmap.conf"):
            shutil.copy(f"/etc/dirsrv/config/{name}", self._conf / name)
        (self._conf / "dse.ldif").write_text(self._configuration())
        self._trust(self.authority)
        self.start()
        self._fill()

    def command(self) -> Sequence[str | Path]:
        pid = self.folder / "run" / "pid"
        return (
            *("setpriv", "--pdeathsig", "TERM"),
            *(_PROGRAM, "-D", self._conf, "-i", pid, "-d", "0"),
        )

    def _configuration(self) -> str:
        salt = b"of a test"
        digest = hashlib.sha512(self.admin_password.encode() + salt).digest() + salt
        at = {f"{name}_dir": str(self.folder / name) for name in _FOLDERS}
        words = {
            **at, "schema_dir": self._conf / "schema", "cert_dir": self._conf,
            "config_dir": self._conf, "db_home_dir": self.folder / "db", "db_lib": "bdb",
            "fqdn": "localhost", "ds_port": self.port, "ds_user": getpass.getuser(),
            "rootdn": self.admin_dn, "ds_passwd": "{SSHA512}" + base64.b64encode(digest).decode(),
            "ldapi": self.folder / "run" / "ldapi", "ldapi_enabled": "off",
            "ldapi_autobind": "off", "ds_suffix": SUFFIX, "ds_bename": "userRoot",
        }  # fmt: skip
        text = "".join(
            re.sub(r"^#.*\n", "", (_DATA / name).read_text(), flags=re.MULTILINE) + "\n\n"
            for name in ("template-dse.ldif", "template-suffix-db.ldif")
        )
        filled = re.sub(r"%(\w+)%", lambda found: str(words[found[1]]), text)
        entries = re.split(r"\n\s*\n", filled.strip())
        return "".join(f"{self._adapted(entry)}\n\n" for entry in entries)

    def _adapted(self, entry: str) -> str:
        if entry.startswith("dn: cn=config\n"):
            return (
                f"{entry}\nnsslapd-listenhost: 127.0.0.1\nnsslapd-securelistenhost: 127.0.0.1\n"
                f"nsslapd-security: on\nnsslapd-securePort: {self.tls_port}\n"
                "nsslapd-accesslog-logging-enabled: off\nnsslapd-securitylog-logging-enabled: off"
            )
        if entry.startswith(tuple(f"dn: cn={name}," for name in _ON)):
            entry = entry.replace("nsslapd-pluginenabled: off", "nsslapd-pluginenabled: on")
        if entry.startswith(f"dn: cn={_ON[0]},"):
            entry += "\nnsslapd-attribute: nsuniqueid:targetUniqueId"
        return entry

    def _trust(self, authority: Authority) -> None:
        database, bundle = f"sql:{self._conf}", self.folder / "server.p12"
        _run("certutil", "-N", "-d", database, "--empty-password")
        _run(
            *("openssl", "pkcs12", "-export", "-name", "Server-Cert", "-out", bundle),
            *("-in", authority.certificate, "-inkey", authority.key, "-passout", "pass:x"),
        )
        _run("pk12util", "-i", bundle, "-d", database, "-W", "x", "-K", "")
        _run("certutil", "-A", "-d", database, "-n", "CA", "-t", "CT,,", "-i", authority.ca_file)

    def _fill(self) -> None:
        with self.administering() as connection:
            connection.raise_exceptions = True
            connection.add(SUFFIX, "domain", {"aci": _ACI})
            connection.add(f"ou=Services,{SUFFIX}", "organizationalUnit")
            for dn in (self.reader_dn, self.plain_dn):
                connection.add(dn, ["organizationalRole", "simpleSecurityObject"],
                               {"userPassword": self.reader_password})  # fmt: skip


@contextmanager
def running_ds389() -> Iterator[Ds389]:
    """A server without people; it fails the test when there is no 389 Directory Server."""
    if not Path(_PROGRAM).exists() or not shutil.which("certutil"):
        pytest.fail("389 Directory Server is missing: apt-get install 389-ds-base")
    with running(Ds389) as server:
        yield server


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
