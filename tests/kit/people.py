"""People of an imaginary company, as LDIF: the same ones every time."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

SUFFIX = "dc=corp,dc=example"
PEOPLE = f"ou=People,{SUFFIX}"
_NAMESPACE = uuid.UUID("6f0a4c1e-6f5b-4f5e-9a3e-2f9f5f0b7a11")
_GIVEN = ("Anna", "Jürgen", "Zoë", "Łukasz", "Ольга", "Søren", "José", "Tim", "Şule", "Chloé")
_FAMILY = ("Weber", "Müller", "Núñez", "Иванова", "Żółć", "O'Neil", "Sørensen", "van Dijk")


@dataclass(frozen=True)
class Entry:
    """One inetOrgPerson."""

    uid: str
    given: str
    family: str
    ou: str = "People"

    @property
    def dn(self) -> str:
        return f"uid={self.uid},ou={self.ou},{SUFFIX}"

    @property
    def mail(self) -> str:
        return f"{self.uid}@corp.example"

    @property
    def entry_uuid(self) -> str:
        return str(uuid.uuid5(_NAMESPACE, self.uid))

    def attributes(self) -> dict[str, str]:
        return {
            "objectClass": "inetOrgPerson",
            "uid": self.uid,
            "cn": f"{self.given} {self.family}",
            "givenName": self.given,
            "sn": self.family,
            "displayName": f"{self.given} {self.family}",
            "mail": self.mail,
            "title": "Engineer",
            "departmentNumber": "Sales",
            "employeeType": "employee",
        }


def plain_people(number: int) -> list[Entry]:
    """People without quirks: everyone has a mail of their own and is enabled."""
    return [
        Entry(
            uid=f"u{n:06}",
            given=_GIVEN[n % len(_GIVEN)],
            family=_FAMILY[n % len(_FAMILY)],
        )
        for n in range(number)
    ]


def ldif(entries: list[Entry]) -> Iterator[str]:
    """The whole tree for slapadd, operational entryUUID included."""
    yield f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: Corp\ndc: corp\n\n"
    for ou in ("People", "Contractors", "Empty", "Services"):
        yield f"dn: ou={ou},{SUFFIX}\nobjectClass: organizationalUnit\nou: {ou}\n\n"
    yield (
        f"dn: cn=reader,ou=Services,{SUFFIX}\nobjectClass: organizationalRole\n"
        "objectClass: simpleSecurityObject\ncn: reader\nuserPassword: reader-secret\n\n"
    )
    for entry in entries:
        lines = [f"dn: {entry.dn}", f"entryUUID: {entry.entry_uuid}"]
        lines += [_line(name, value) for name, value in entry.attributes().items()]
        yield "\n".join(lines) + "\n\n"


def _line(name: str, value: str) -> str:
    if value.isascii():
        return f"{name}: {value}"
    return f"{name}:: {base64.b64encode(value.encode()).decode()}"
