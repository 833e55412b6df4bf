"""Reading groups: by the same paging as people, then the members of each that matters.

Members are read group by group, and a long list part by part: Active Directory gives 1,500 values
at once, as `member;range=0-1499`. A list that breaks off ends the reading: it would be a smaller
group (R2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import ldap3

from connectors.ldap.answers import NOTHING_CONCLUDED, ask, require_success
from connectors.ldap.connection import ANYTHING, entries, root_dse
from connectors.ldap.entries import Entry
from connectors.ldap.groups import GROUP_ATTRIBUTES, Groups, place_digest
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import SourceError
from provisioning.domain.places import place_key

_CLASSES = (
    "group", "groupOfNames", "groupOfUniqueNames", "groupOfMembers", "groupOfEntries", "posixGroup",
)  # fmt: skip
GROUP_FILTER = f"(|{''.join(f'(objectClass={name})' for name in _CLASSES)})"
"""Groups that name their members; what a filter describes is no group here."""

MEMBER_ATTRIBUTES = ("member", "uniqueMember", "memberUid")
_RANGE = re.compile(r"(?:;.*)?;range=(\d+)-(\d+|\*)", re.IGNORECASE)
_UNIQUE_ID = re.compile(rb"#'[01]*'B\Z")

Pages = Callable[[ldap3.Connection, str, str], Iterator[Sequence[Entry]]]
"""Reads below a base by a filter, page by page, to the proven end."""


def read_groups(
    connection: ldap3.Connection,
    bases: Sequence[str],
    pages: Pages,
    roots: Sequence[str] | None,
) -> Groups:
    """Read who is in groups, and in the groups within them.

    Args:
        connection: Signed in.
        bases: Where groups are.
        pages: How a base is read to its proven end.
        roots: DNs of the groups that matter; None: all of them.

    Raises:
        SourceError: One of the roots is not there, is no group or cannot be read, or a reading
            was cut short.
    """
    groups = Groups()
    for base in bases:
        for page in pages(connection, base, GROUP_FILTER):
            for entry in page:
                groups.add(entry)
    waiting = list(range(len(groups.groups)))
    if roots is not None:
        waiting = [_root(connection, groups, dn) for dn in dict.fromkeys(roots)]
    seen = set(waiting)
    while waiting:
        number = waiting.pop()
        for name, value in _members(connection, groups.groups[number].dn):
            if name == "memberUid":
                groups.add_uid(number, value.decode("utf-8", "replace"))
                continue
            member = place_digest(_UNIQUE_ID.sub(b"", value).decode("utf-8", "replace"))
            groups.add_member(number, member)
            inner = groups.by_place.get(member)
            if inner is not None and inner not in seen:
                seen.add(inner)
                waiting.append(inner)
    return groups


def naming_contexts(connection: ldap3.Connection, settings: LdapSettings) -> Sequence[str]:
    """Return where groups are when no setting says so: the databases the bases are in.

    Raises:
        SourceError: The server does not say.
        SourceUnavailableError: As in `root_dse`.
    """
    found = root_dse(connection).get("namingcontexts", ())
    tops = dict.fromkeys(naming_context(base, found) for base in settings.base_dn)
    if "" in tops:
        raise SourceError(
            "the server does not say which database a base is in; set group_base_dn to where "
            f"groups are. {NOTHING_CONCLUDED.capitalize()}"
        )
    return list(tops)


def _root(connection: ldap3.Connection, groups: Groups, dn: str) -> int:
    number = groups.by_place.get(place_digest(dn))
    if number is not None:
        return number
    ask(connection, dn, GROUP_FILTER, attributes=GROUP_ATTRIBUTES)
    require_success(connection, f"the group {dn} cannot be read")
    for entry in entries(connection):
        groups.add(entry)
        return groups.by_place[place_digest(dn)]
    raise SourceError(
        f"{dn} is no group whose members can be told, or the account that reads may not see it; "
        f"{NOTHING_CONCLUDED}"
    )


def _members(connection: ldap3.Connection, dn: str) -> Iterator[tuple[str, bytes]]:
    """Yield every member of a group, with the attribute that names it.

    Raises:
        SourceError: The group is gone, or its list broke off.
    """
    asked: Mapping[str, int] = dict.fromkeys(MEMBER_ATTRIBUTES, 0)
    while asked:
        parts = [f"{name};range={at}-*" if at else name for name, at in asked.items()]
        ask(connection, dn, ANYTHING, attributes=parts)
        require_success(connection, f"the group {dn} cannot be read")
        found = entries(connection)
        if not found:
            raise SourceError(f"the group {dn} cannot be read; {NOTHING_CONCLUDED}")
        following: dict[str, int] = {}
        for name, at in asked.items():
            values, after = _part(found[0], name, at, dn)
            yield from ((name, value) for value in values)
            if after:
                following[name] = after
        asked = following


def _part(entry: Entry, name: str, begin: int, dn: str) -> tuple[Sequence[bytes], int]:
    """Return a part of a list, and where the next begins; 0 behind the last one."""
    plain: Sequence[bytes] = ()
    for spelled, values in entry["raw_attributes"].items():
        if not spelled.lower().startswith(name.lower()):
            continue
        rest = spelled[len(name) :]
        if part := _RANGE.fullmatch(rest):
            if int(part[1]) != begin or not values:
                break
            return values, 0 if part[2] == "*" else begin + len(values)
        if not rest:
            plain = values
    else:
        if not begin:
            return plain, 0
    raise SourceError(f"the members of {dn} broke off after {begin:,}; {NOTHING_CONCLUDED}")


def naming_context(base: str, found: Sequence[str]) -> str:
    """Return which of some databases a base is in, by DN; "" if none is."""
    key = f",{place_key(base)}"
    return max(
        (top for top in found if top and key.endswith(f",{place_key(top)}")), key=len, default=""
    )
