"""The complete-or-nothing reader (R2).

ldap3 never raises for sizeLimitExceeded, timeLimitExceeded or a referral, even under
`raise_exceptions`: the entries simply stop, and absence means dismissal. So every page has to
say success *and* carry the paging control, and only an empty cookie is the end.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.core.results import RESULT_SUCCESS

from connectors.ldap.connection import PAGED_RESULTS, entries, signed_in
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import SourceError
from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import SnapshotProof

_ELSEWHERE = ("cn=configuration,", "dc=domaindnszones,", "dc=forestdnszones,")
"""Active Directory points at these from the top of every domain; no people live there."""

_GUID_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is asked of the directory."""

    settings: LdapSettings
    user_filter: str
    id_attribute: str
    attributes: Collection[str]

    def people(self) -> Generator[RawPerson, None, SnapshotProof]:
        """Yield everyone to the proven end.

        Raises:
            SourceError: A page, a referral, a limit or a break cut the reading short.
            SourceUnavailableError: The directory does not answer or refuses us.
        """
        began, read, without_id, pages, sentinel = monotonic(), 0, 0, 0, False
        with signed_in(self.settings) as connection:
            self._require_base(connection)
            for page in self._pages(connection):
                pages += 1
                for entry in page:
                    sentinel |= _same_dn(entry["dn"], self.settings.sentinel_dn)
                    person = self._person(entry)
                    without_id += person is None
                    if person is not None:
                        read += 1
                        yield person
        if self.settings.sentinel_dn and not sentinel:
            raise SourceError(
                f"the sentinel entry {self.settings.sentinel_dn} was not among the {read:,} read; "
                "nothing was concluded from them"
            )
        return SnapshotProof(
            entries=read,
            pages=pages,
            removals_proven=not without_id,
            detail=self._detail(read, pages, without_id, monotonic() - began),
        )

    def _detail(self, read: int, pages: int, without_id: int, seconds: float) -> str:
        skipped = f", {without_id} without {self.id_attribute} skipped" if without_id else ""
        return (
            f"{read:,} entries in {pages} page(s) from {self.settings.host}, {seconds:.1f} s"
            f"{skipped}; last cookie empty"
        )

    def _require_base(self, connection: ldap3.Connection) -> None:
        """Refuse a base that is not there: a search below it would find nobody."""
        base = self.settings.base_dn
        with _unbroken():
            connection.search(base, "(objectClass=*)", ldap3.BASE, attributes=["1.1"])
        _require_success(connection)
        if not entries(connection):
            raise SourceError(f"the base {base} cannot be read by {self.settings.bind_dn}")

    def _pages(self, connection: ldap3.Connection) -> Iterator[Sequence[dict[str, Any]]]:
        wanted = sorted({*self.attributes, self.id_attribute})
        cookie: bytes | None = None
        while cookie != b"":
            with _unbroken():
                connection.search(
                    self.settings.base_dn,
                    self.user_filter,
                    ldap3.SUBTREE,
                    dereference_aliases=ldap3.DEREF_NEVER,
                    attributes=wanted,
                    paged_size=self.settings.page_size,
                    paged_criticality=True,
                    paged_cookie=cookie,
                )
            _require_success(connection)
            _require_no_reference(connection)
            cookie = _next_cookie(connection)
            yield entries(connection)

    def _person(self, entry: dict[str, Any]) -> RawPerson | None:
        spelling = {name.lower(): name for name in self.attributes}
        attributes: dict[str, tuple[str, ...]] = {}
        anchor, problems = "", []
        for name, values in entry["raw_attributes"].items():
            if name.lower() == self.id_attribute.lower():
                anchor = _anchor(values)
            known = spelling.get(name.lower())
            if known is None or not values:
                continue
            try:
                attributes[known] = tuple(value.decode() for value in values)
            except UnicodeDecodeError:
                problems.append(f"{known} is not UTF-8 text")
        if not anchor:
            return None
        return RawPerson(anchor, entry["dn"], attributes, "; ".join(problems) or None)


def _anchor(values: Sequence[bytes]) -> str:
    """Return the immutable id as text: objectGUID is 16 bytes, the others are text already."""
    if not values:
        return ""
    value = values[0]
    if len(value) == _GUID_BYTES:
        return str(UUID(bytes_le=value))
    return value.decode("ascii", "replace").lower()


@contextmanager
def _unbroken() -> Iterator[None]:
    """Turn what breaks in the middle into what it means: the reading is not complete."""
    try:
        yield
    except (LDAPException, OSError) as error:
        raise SourceError(
            f"reading stopped: the connection broke ({type(error).__name__}); nothing was "
            "concluded from what had been read"
        ) from error


def _require_success(connection: ldap3.Connection) -> None:
    result = connection.result
    if result["result"] != RESULT_SUCCESS:
        said = f" ({result['message']})" if result.get("message") else ""
        raise SourceError(
            f"reading stopped: {result['description']}{said}; nothing was concluded from what had "
            "been read"
        )


def _require_no_reference(connection: ldap3.Connection) -> None:
    for item in connection.response or ():
        if item["type"] != "searchResRef":
            continue
        uris = [str(uri) for uri in item["uri"]]
        if not any(place in uri.lower() for uri in uris for place in _ELSEWHERE):
            raise SourceError(
                f"reading stopped: referral to {', '.join(uris)}, which was not followed; a part "
                "of the base lives elsewhere. Read that server as a source of its own, or name a "
                "narrower base"
            )


def _next_cookie(connection: ldap3.Connection) -> bytes:
    control = connection.result.get("controls", {}).get(PAGED_RESULTS)
    if control is None:
        raise SourceError(
            "reading stopped: a page came without the paging control, so nothing says whether "
            "there is more; nothing was concluded from what had been read"
        )
    return bytes(control["value"]["cookie"] or b"")


def _same_dn(one: str, other: str) -> bool:
    return bool(other) and one.replace(", ", ",").lower() == other.replace(", ", ",").lower()
