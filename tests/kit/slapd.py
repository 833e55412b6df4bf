"""A real OpenLDAP on loopback: private, seeded, with TLS, its limits and rights to be changed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import ldap3
import pytest

from tests.kit.branches import OPENLDAP
from tests.kit.directory_server import DirectoryServer, running, succeeded
from tests.kit.people import PEOPLE, SUFFIX, Entry, ldif

READER = f"cn=reader,ou=Services,{SUFFIX}"
ADMIN = f"cn=admin,{SUFFIX}"
DATABASE = "olcDatabase={1}mdb,cn=config"
_PATH = "/usr/sbin:/usr/local/sbin:/usr/bin:/bin"
_CONFIG = """\
dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: {folder}/slapd.pid
olcThreads: 4
olcTLSCACertificateFile: {ca}
olcTLSCertificateFile: {certificate}
olcTLSCertificateKeyFile: {key}
olcTLSVerifyClient: never

dn: cn=module{{0}},cn=config
objectClass: olcModuleList
cn: module{{0}}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: ppolicy
olcModuleLoad: syncprov
olcModuleLoad: memberof

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif

include: file:///etc/ldap/schema/cosine.ldif

include: file:///etc/ldap/schema/nis.ldif

include: file:///etc/ldap/schema/inetorgperson.ldif

include: file:///etc/ldap/schema/misc.ldif

dn: olcDatabase={{-1}}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {{-1}}frontend
olcAccess: {{0}}to dn.base="" by * read
olcSizeLimit: unlimited

dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config
olcRootDN: cn=config
olcRootPW: config-secret

dn: olcDatabase={{1}}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {{1}}mdb
olcDbDirectory: {folder}/db
olcDbMaxSize: 4294967296
olcDbNoSync: TRUE
olcSuffix: {suffix}
olcRootDN: {admin}
olcRootPW: admin-secret
olcDbIndex: objectClass,uid,mail,entryUUID,entryCSN,modifyTimestamp eq
olcAccess: {{0}}to attrs=userPassword by anonymous auth by * none
olcAccess: {{1}}to * by dn.exact="{reader}" read by * none

dn: olcOverlay={{0}}memberof,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcMemberOfConfig
olcOverlay: {{0}}memberof

dn: olcOverlay={{1}}syncprov,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcSyncProvConfig
olcOverlay: {{1}}syncprov
olcSpCheckpoint: 1 1
olcSpSessionlog: 10000
"""


class Slapd(DirectoryServer):
    """One running server, with people it began with beside the branches."""

    kind, suffix, people_dn = OPENLDAP, SUFFIX, PEOPLE
    admin_dn, admin_password = ADMIN, "admin-secret"
    reader_dn, reader_password = READER, "reader-secret"
    environ = {"PATH": _PATH, "LDAPNOINIT": "1"}  # noqa: RUF012 - as declared

    def __init__(self, folder: Path, entries: Sequence[Entry]) -> None:
        super().__init__(folder)
        self.entries = {entry.uid: entry for entry in entries}
        (folder / "db").mkdir()
        (folder / "slapd.d").mkdir()
        self._load(0, _CONFIG.format(
            folder=folder, ca=self.ca_file, certificate=self.authority.certificate,
            key=self.authority.key, suffix=SUFFIX, admin=ADMIN, reader=READER,
        ))  # fmt: skip
        self._load(1, "".join(ldif(list(entries))))
        self.start()

    def command(self) -> Sequence[str | Path]:
        # slapd sizes its tables by the limit of open files; a container's million costs memory.
        listening = f"{self.uri}/ {self.ldaps_uri}/"
        return (
            *("prlimit", "--nofile=1024:1024", "slapd"),
            *("-F", self.folder / "slapd.d", "-d", "0", "-h", listening),
        )

    def mails(self) -> list[str]:
        return [entry.mail for entry in self.entries.values()]

    def uids_by_mail(self) -> dict[str, str]:
        return {entry.mail: uid for uid, entry in self.entries.items()}

    def add(self, *uids: str) -> None:
        """Add plain people."""
        with self.administering() as connection:
            for uid in uids:
                entry = Entry(uid=uid, given="New", family="Comer")
                self.entries[uid] = entry
                succeeded(connection.add(entry.dn, attributes=entry.attributes()), connection)

    def delete(self, uid: str) -> None:
        with self.administering() as connection:
            succeeded(connection.delete(self.entries.pop(uid).dn), connection)

    def modify(self, uid: str, **values: str | bytes | list[str]) -> None:
        """Replace attributes; an empty value takes one away."""
        changes = {
            name: [
                (ldap3.MODIFY_REPLACE, value if isinstance(value, list) else [value] * bool(value))
            ]
            for name, value in values.items()
        }
        with self.administering() as connection:
            succeeded(connection.modify(self.entries[uid].dn, changes), connection)

    def rename(self, uid: str, new: str) -> None:
        """Give a new uid, and so a new DN; the mail stays."""
        with self.administering() as connection:
            succeeded(connection.modify_dn(self.entries[uid].dn, f"uid={new}"), connection)

    def move(self, uid: str, ou: str) -> None:
        """Move below another unit of the suffix."""
        superior = f"ou={ou},{SUFFIX}"
        with self.administering() as connection:
            done = connection.modify_dn(self.entries[uid].dn, f"uid={uid}", new_superior=superior)
            succeeded(done, connection)

    def limit_size(self, limit: int | None) -> None:
        """Let the reader have so many entries and no more."""
        words = f'dn.exact="{READER}" size={limit}' if limit else None
        self.configure(olcLimits=words)

    def configure(self, of: str = DATABASE, /, **values: str | Sequence[str] | None) -> None:
        """Replace settings of the database, or of another part, while it runs; None takes away."""
        changes = {
            name: [(ldap3.MODIFY_REPLACE, [value] if isinstance(value, str) else list(value or ()))]
            for name, value in values.items()
        }
        with self.administering("cn=config", "config-secret") as connection:
            succeeded(connection.modify(of, changes), connection)

    @contextmanager
    def hiding(self, what: str) -> Iterator[None]:
        """Keep something from the reader, e.g. attrs=mail, while the block lasts."""
        password = "to attrs=userPassword by anonymous auth by * none"
        everything = f'to * by dn.exact="{READER}" read by * none'
        self.configure(
            olcAccess=[f"{{0}}{password}", f"{{1}}to {what} by * none", f"{{2}}{everything}"]
        )
        try:
            yield
        finally:
            self.configure(olcAccess=[f"{{0}}{password}", f"{{1}}{everything}"])

    def _load(self, number: int, text: str) -> None:
        subprocess.run(
            ["slapadd", "-F", str(self.folder / "slapd.d"), "-n", str(number), "-q", "-w"]
            if number
            else ["slapadd", "-F", str(self.folder / "slapd.d"), "-n", "0"],
            input=text.encode(),
            env={"PATH": _PATH},
            check=True,
            capture_output=True,
        )


@contextmanager
def running_slapd(entries: Sequence[Entry]) -> Iterator[Slapd]:
    """A server with these people; it fails the test when there is no slapd."""
    if not all(shutil.which(name, path=_PATH) for name in ("slapd", "slapadd", "ldapsearch")):
        pytest.fail("slapd is missing: apt-get install slapd ldap-utils")
    with running(lambda folder: Slapd(folder, entries)) as server:
        yield server
