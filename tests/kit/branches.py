"""One test's own part of a directory that many tests share: units, people and groups."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import ldap3

UNITS = ("People", "Contractors", "Empty", "Groups")
Values = dict[str, list[bytes]]


@dataclass(frozen=True)
class Kind:
    """What the directories do each in its own way."""

    rdn: str
    id_attribute: str
    person_class: str
    group_class: str
    enabled: Mapping[str, str]
    disabled: Mapping[str, str]
    """What an administrator writes; an empty value takes the attribute away."""

    empty_groups: bool = True
    """Whether a group may be without members."""

    def person(self, uid: str, login: str) -> dict[str, Any]:
        """Return the attributes of somebody plain; a login is nobody else's on the server."""
        common = {"givenName": "Tim", "sn": uid.title(), "displayName": f"Tim {uid.title()}"}
        common |= {"mail": f"{uid}@corp.example", "title": "Engineer"}
        if self.person_class == "user":
            logins = {"sAMAccountName": login, "userPrincipalName": f"{login}@corp.example"}
            return {**common, **logins, "department": "Sales", **self.enabled}
        return {**common, "uid": uid, "cn": f"Tim {uid.title()}", "departmentNumber": "Sales"}


OPENLDAP = Kind(
    rdn="uid", id_attribute="entryUUID", person_class="inetOrgPerson",
    group_class="groupOfNames", empty_groups=False,
    enabled={"pwdAccountLockedTime": ""}, disabled={"pwdAccountLockedTime": "000001010000Z"},
)  # fmt: skip
DS389 = Kind(
    rdn="uid", id_attribute="nsUniqueId", person_class="inetOrgPerson",
    group_class="groupOfNames",
    enabled={"nsAccountLock": ""}, disabled={"nsAccountLock": "true"},
)  # fmt: skip
ACTIVE_DIRECTORY = Kind(
    rdn="CN", id_attribute="objectGUID", person_class="user", group_class="group",
    enabled={"userAccountControl": "544"}, disabled={"userAccountControl": "546"},
)  # fmt: skip


class Server(Protocol):
    """What a branch needs of its server."""

    kind: Kind
    suffix: str
    uri: str
    ldaps_uri: str
    ca_file: Any
    reader_dn: str
    reader_password: str

    def administering(self) -> AbstractContextManager[ldap3.Connection]: ...


@dataclass
class Branch:
    """A unit below the suffix nobody else touches; people by uid, groups by name."""

    server: Server
    base: str
    people: dict[str, str] = field(default_factory=dict)
    """DNs by uid."""

    groups: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, server: Server, people: int = 0) -> Branch:
        """Make one with its units, and u0, u1 ... in People."""
        branch = cls(server, f"OU=branch-{secrets.token_hex(4)},{server.suffix}")
        with branch.administering() as connection:
            for dn in (branch.base, *(branch.unit(name) for name in UNITS)):
                connection.add(dn, "organizationalUnit")
        branch.add(*(f"u{number}" for number in range(people)))
        return branch

    def unit(self, name: str) -> str:
        """Return the DN of a unit of this branch."""
        return f"OU={name},{self.base}"

    def options(self, **more: Any) -> dict[str, Any]:
        """Return the options of a source that reads People here."""
        return {
            "uri": self.server.ldaps_uri,
            "bind_dn": self.server.reader_dn,
            "bind_password": self.server.reader_password,
            "base_dn": self.unit("People"),
            "ca_file": str(self.server.ca_file),
            **more,
        }

    def add(self, *uids: str, unit: str = "People", **values: Any) -> None:
        """Add plain people, with other or more attributes."""
        kind = self.server.kind
        with self.administering() as connection:
            for uid in uids:
                dn = f"{kind.rdn}={uid},{self.unit(unit)}"
                connection.add(
                    dn, kind.person_class, {**kind.person(uid, self._login(uid)), **values}
                )
                self.people[uid] = dn

    def modify(self, *uids: str, **values: str | Sequence[str]) -> None:
        """Replace attributes; an empty value takes one away."""
        with self.administering() as connection:
            for uid in uids:
                connection.modify(self.people[uid], _replacing(values))

    def disable(self, *uids: str) -> None:
        self.modify(*uids, **self.server.kind.disabled)

    def enable(self, *uids: str) -> None:
        self.modify(*uids, **self.server.kind.enabled)

    def rename(self, uid: str, new: str) -> None:
        """Give a new name in the DN; the person stays who they are."""
        rdn, (_, _, above) = f"{self.server.kind.rdn}={new}", self.people[uid].partition(",")
        with self.administering() as connection:
            connection.modify_dn(self.people.pop(uid), rdn)
        self.people[new] = f"{rdn},{above}"

    def move(self, uid: str, unit: str) -> None:
        """Move into another unit of the branch."""
        rdn, _, _ = self.people[uid].partition(",")
        with self.administering() as connection:
            connection.modify_dn(self.people[uid], rdn, new_superior=self.unit(unit))
        self.people[uid] = f"{rdn},{self.unit(unit)}"

    def delete(self, *uids: str) -> None:
        with self.administering() as connection:
            for uid in uids:
                connection.delete(self.people.pop(uid))

    def add_unit(self, name: str, above: str = "") -> None:
        """Add a unit, below another one of the branch or below its top."""
        with self.administering() as connection:
            connection.add(self._in_unit(name, above), "organizationalUnit")

    def rename_unit(self, name: str, new: str, above: str = "") -> None:
        """Rename a unit; whoever is in it goes with it."""
        old, now = self._in_unit(name, above), self._in_unit(new, above)
        with self.administering() as connection:
            connection.modify_dn(old, f"OU={new}")
        for uid, dn in self.people.items():
            self.people[uid] = dn.removesuffix(old) + now if dn.endswith(old) else dn

    def _login(self, name: str) -> str:
        return f"{self.base[10:18]}-{name}"[:20]

    def _in_unit(self, name: str, above: str) -> str:
        return f"OU={name},{self.unit(above) if above else self.base}"

    def add_group(self, name: str, *members: str) -> None:
        """Add a group of people and groups."""
        kind, dn = self.server.kind, f"CN={name},{self.unit('Groups')}"
        more = {
            "sAMAccountName": self._login(name),
            "groupType": "-2147483640",
        }  # universal: it may nest
        with self.administering() as connection:
            connection.add(
                dn,
                kind.group_class,
                {**self._members(members), **(more if kind.group_class == "group" else {})},
            )
        self.groups[name] = dn

    def set_members(self, name: str, *members: str) -> None:
        """Say who is in a group: people and groups."""
        with self.administering() as connection:
            changes = _replacing(self._members(members) or {"member": []})
            connection.modify(self.groups[name], changes)

    def delete_group(self, name: str) -> None:
        with self.administering() as connection:
            connection.delete(self.groups.pop(name))

    def _members(self, names: Sequence[str]) -> dict[str, list[str]]:
        found = [self.people.get(name) or self.groups[name] for name in names]
        if not self.server.kind.empty_groups:
            found = found or [self.base]
        return {"member": found} if found else {}

    def anchor(self, uid: str) -> bytes:
        """Return somebody's id as the directory has it."""
        name = self.server.kind.id_attribute
        with self.administering() as connection:
            connection.search(self.people[uid], "(objectClass=*)", ldap3.BASE, attributes=[name])
            (value,) = _values(connection)[self.people[uid].lower()][name.lower()]
        return value

    def truth(self, base: str = "", user_filter: str = "") -> dict[str, Values]:
        """Return everyone below a base of the branch as an administrator sees them.

        By DN in small letters: attributes by name in small letters, the operational ones too.
        """
        asked = user_filter or f"(objectClass={self.server.kind.person_class})"
        with self.administering() as connection:
            connection.search(base or self.base, asked, attributes=["*", "+"])
            return _values(connection)

    @contextmanager
    def administering(self) -> Iterator[ldap3.Connection]:
        with self.server.administering() as connection:
            connection.raise_exceptions = True
            yield connection


def _replacing(values: Mapping[str, Any]) -> dict[str, list[tuple[str, list[str]]]]:
    return {
        name: [(ldap3.MODIFY_REPLACE, [value] if value and isinstance(value, str) else [*value])]
        for name, value in values.items()
    }


def _values(connection: ldap3.Connection) -> dict[str, Values]:
    return {
        item["dn"].lower(): {name.lower(): raw for name, raw in item["raw_attributes"].items()}
        for item in connection.response or ()
        if item["type"] == "searchResEntry"
    }
