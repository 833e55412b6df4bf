"""The domain controller that answers: its numbers of changes are its own and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import ldap3

from connectors.ldap.answers import ask
from connectors.ldap.connection import ANYTHING, entries, root_dse
from connectors.ldap.members import naming_context
from connectors.ldap.reading import Search
from provisioning.domain.errors import MarkError

PEOPLE = "(&(objectClass=person)(!(objectClass=computer)))"
"""Also who is deleted, and has neither an objectCategory nor a sAMAccountType any more."""

DOMAIN_SCOPE = ("1.2.840.113556.1.4.1339", False, None)
"""Whoever lives in another domain below this one is in no base: nobody has to point there."""

SHOW_DELETED = ("1.2.840.113556.1.4.417", True, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """One domain controller, at one moment."""

    context: str
    """The domain all bases are in."""

    service: str
    invocation: str
    """Another one after the database was restored: the numbers mean something else since."""

    highest: int
    """The number of its latest change."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What a mark has to say of it."""
        return {"service": self.service, "invocation": self.invocation}

    def require_same(self, mark: Mapping[str, str]) -> None:
        """Refuse another controller than the one a mark is of.

        Raises:
            MarkError: It is another one, or was restored.
        """
        if {name: mark.get(name) for name in self.identity} != self.identity:
            raise MarkError(
                f"another domain controller answers than the mark is of, or it was restored: "
                f"{self.service}"
            )


def controller(connection: ldap3.Connection, search: Search) -> Controller | None:
    """Return which domain controller answers; None if none does, or it does not say.

    Raises:
        SourceError: The connection broke.
    """
    root = root_dse(connection)
    services, highest = root.get("dsservicename"), root.get("highestcommittedusn")
    contexts = {
        naming_context(base, root.get("namingcontexts", ())) for base in search.settings.base_dn
    }
    if not services or not highest or len(contexts) != 1 or "" in contexts:
        return None
    ask(connection, services[0], ANYTHING, attributes=["invocationId"])
    for entry in entries(connection):
        for value in entry["raw_attributes"].get("invocationId", ()):
            return Controller(
                context=contexts.pop(),
                service=services[0],
                invocation=str(UUID(bytes_le=value)),
                highest=int(highest[0]),
            )
    return None


def require_controller(
    connection: ldap3.Connection, search: Search, mark: Mapping[str, str]
) -> Controller:
    """Return the domain controller that answers, which is the one the mark is of.

    Raises:
        MarkError: It is another one.
        SourceError: The connection broke.
    """
    found = controller(connection, search)
    if found is None:
        raise MarkError("the server does not say which domain controller it is")
    found.require_same(mark)
    return found
