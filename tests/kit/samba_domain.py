"""Make a domain in a folder: `/usr/bin/python3 samba_domain.py FOLDER CA CERTIFICATE KEY PASSWORD`.

Runs under Debian's own Python, where Samba's modules are. Whatever else the domain needs, LDAP
can do later; passwords and rights are quicker here.
"""

import logging
import sys
from pathlib import Path

import ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.ndr import ndr_pack, ndr_unpack
from samba.param import LoadParm
from samba.provision import provision
from samba.samdb import SamDB

REALM, DOMAIN = "AD.CORP.EXAMPLE", "CORPAD"
REPLICATE = "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2"
"""DS-Replication-Get-Changes: "Replicating Directory Changes"."""

_CONF = """\
[global]
 netbios name = DC1
 realm = {realm}
 workgroup = {domain}
 server role = active directory domain controller
 server services = ldap
 private dir = {folder}/private
 state directory = {folder}/state
 lock directory = {folder}
 cache directory = {folder}/cache
 binddns dir = {folder}/bind-dns
 pid directory = {folder}/run
 ncalrpc dir = {folder}/ncalrpc
 log file = {folder}/log/log.samba
 logging = file
 interfaces = lo
 bind interfaces only = yes
 ldap server require strong auth = no
 tls enabled = yes
 tls cafile = {ca}
 tls certfile = {certificate}
 tls keyfile = {key}
[sysvol]
 path = {folder}/state/sysvol
[netlogon]
 path = {folder}/state/sysvol/scripts
"""


def main() -> None:
    """Provision, and add the accounts that read."""
    folder, ca, certificate, key, password = Path(sys.argv[1]), *sys.argv[2:6]
    for name in ("etc", "private/tls", "state", "cache", "run", "log", "ncalrpc", "bind-dns"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    conf = folder / "etc" / "smb.conf"
    conf.write_text(
        _CONF.format(
            realm=REALM, domain=DOMAIN, folder=folder, ca=ca, certificate=certificate, key=key
        )
    )
    settings = LoadParm()
    settings.load(str(conf))
    log = logging.getLogger("provision")
    log.addHandler(logging.NullHandler())
    provision(
        log, system_session(), smbconf=str(conf), realm=REALM, domain=DOMAIN, hostname="dc1",
        hostip="127.0.0.1", adminpass=password, serverrole="active directory domain controller",
        dns_backend="NONE", lp=settings, skip_sysvolacl=True, use_ntvfs=False,
        backend_store="tdb", batch_mode=True, root="root",
        dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
    )  # fmt: skip
    database = SamDB(
        url=settings.private_path("sam.ldb"), session_info=system_session(), lp=settings
    )
    add_readers(database, password)


def add_readers(database: SamDB, password: str) -> None:
    """Add svc-reader (all rights a reader needs), svc-usn (deleted objects), svc-plain (none)."""
    base = str(database.domain_dn())
    database.add({"dn": f"OU=Services,{base}", "objectClass": "organizationalUnit"})
    for name in ("reader", "usn", "plain"):
        database.add(
            {
                "dn": f"CN=svc-{name},OU=Services,{base}",
                "objectClass": "user",
                "sAMAccountName": f"svc-{name}",
                "userPrincipalName": f"svc-{name}@{REALM.lower()}",
                "userAccountControl": "66048",
                "unicodePwd": f'"{password}"'.encode("utf-16-le"),
            }
        )
    reader, usn = (
        sid_of(database, f"CN=svc-{name},OU=Services,{base}") for name in ("reader", "usn")
    )
    grant(database, base, f"(OA;;CR;{REPLICATE};;{reader})", ["sd_flags:1:4"])
    deleted, controls = f"CN=Deleted Objects,{base}", ["sd_flags:1:4", "show_deleted:1"]
    grant(database, deleted, f"(A;CI;LCRPLO;;;{reader})(A;CI;LCRPLO;;;{usn})", controls)


def sid_of(database: SamDB, dn: str) -> str:
    """Return an account's SID as text."""
    found = database.search(dn, scope=ldb.SCOPE_BASE, attrs=["objectSid"])
    return str(ndr_unpack(security.dom_sid, found[0]["objectSid"][0]))


def grant(database: SamDB, dn: str, rights: str, controls: list[str]) -> None:
    """Put rights, in SDDL, at the head of an object's list."""
    found = database.search(
        dn, scope=ldb.SCOPE_BASE, attrs=["nTSecurityDescriptor"], controls=controls
    )
    words = ndr_unpack(security.descriptor, found[0]["nTSecurityDescriptor"][0]).as_sddl()
    at = words.index("(", words.index("D:"))
    sid = security.dom_sid(database.get_domain_sid())
    descriptor = security.descriptor.from_sddl(words[:at] + rights + words[at:], sid)
    message = ldb.Message(ldb.Dn(database, dn))
    message["rights"] = ldb.MessageElement(
        ndr_pack(descriptor), ldb.FLAG_MOD_REPLACE, "nTSecurityDescriptor"
    )
    database.modify(message, controls=controls)


if __name__ == "__main__":
    main()
