"""Ways a server tells who changed since a mark; each names candidates, none is believed further.

way        server                  tells of deletions            needs
---------  ----------------------  ----------------------------  --------------------------------
dirsync    Active Directory        yes                           "Replicating Directory Changes"
syncrepl   OpenLDAP, 389           yes                           syncprov; the retro changelog
usn        Active Directory        if deleted objects are shown  nothing
modified   any                     no                            an index, on large directories

The first of them that the server and the account offer is the best one. Whoever a way cannot
tell of is left to the complete reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import ldap3

from connectors.ldap.reading import Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a server told."""

    candidates: frozenset[str]
    """Anchors, as people have them, of who may be new, changed or gone."""

    following: Mapping[str, str]
    """Where the next changes begin."""


class Way(Protocol):
    """One way of asking."""

    @property
    def name(self) -> str:
        """What a setting and a mark call it."""
        ...

    def begin(self, connection: ldap3.Connection, search: Search) -> Mapping[str, str]:
        """Return where changes begin now; empty if the server or the account does not offer it.

        Raises:
            SourceError: The connection broke.
        """
        ...

    def omits(self, value: Mapping[str, str]) -> str:
        """Return what is not told of since a place, in a few words; "" if there is nothing."""
        ...

    def since(self, connection: ldap3.Connection, search: Search, value: Mapping[str, str]) -> Told:
        """Return who may have changed since `begin`, or since another answer.

        Raises:
            MarkError: The server does not know the place, or its answer leaves a doubt.
            SourceError: The connection broke.
        """
        ...
