"""Content synchronisation as OpenLDAP and 389 Directory Server offer it, each in its own way.

                   OpenLDAP                          389 Directory Server
-----------------  --------------------------------  ------------------------------------------
a cookie of now    is made of contextCSN, which      ends an answer about the base alone: it is
                   stands at the top of a database   the same as one about everything below it
its history is     in memory; without it who is      the retro changelog; what was cut off is not
                   there is listed instead           missed by it, so the numbers are compared
who leaves the     is told as deleted                is not told of: everything below the base
filter                                               is asked for
people are         entryUUID                         nsUniqueId, other hyphens
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

import ldap3
from ldap3.core.results import RESULT_SUCCESS

from connectors.ldap.answers import ask
from connectors.ldap.changes.content_sync import SYNC_REQUEST, done_cookie, refresh, request
from connectors.ldap.changes.ways import Told
from connectors.ldap.connection import ANYTHING, entries, root_dse
from connectors.ldap.members import naming_context
from connectors.ldap.reading import Search
from provisioning.domain.errors import MarkError

_CSN = re.compile(r"\d{14}\.\d{6}Z#[0-9a-f]{6}#[0-9a-f]{3}#[0-9a-f]{6}")
_NUMBER = re.compile(r".+#(\d+)", re.DOTALL)
_Root = Mapping[str, Sequence[str]]


class Syncrepl:
    """Changes by RFC 4533; a cookie for each base."""

    name = "syncrepl"

    def begin(self, connection: ldap3.Connection, search: Search) -> Mapping[str, str]:
        """Return cookies of now, if the server gives them and people are known by its own id."""
        root = root_dse(connection)
        own = "nsuniqueid" if _is_389(root) else "entryuuid"
        if SYNC_REQUEST not in root.get("supportedcontrol", ()):
            return {}
        if search.id_attribute.lower() != own:
            return {}
        cookies = {}
        for base in search.settings.base_dn:
            if _is_389(root):
                cookies[base] = _cookie_389(connection, base)
            else:
                cookies[base] = _cookie_openldap(connection, root, base)
        return cookies if all(cookies.values()) else {}

    def omits(self, _: Mapping[str, str]) -> str:
        """Return what is not told of; see `Way`."""
        return ""

    def since(self, connection: ldap3.Connection, search: Search, value: Mapping[str, str]) -> Told:
        """Return who changed below the bases; see `Way`."""
        root = root_dse(connection)
        candidates: set[str] = set()
        following = {}
        for base in search.settings.base_dn:
            cookie = value.get(base, "")
            if _is_389(root):
                _require_history(root, cookie)
            else:
                _require_moment(cookie)
            asked = ANYTHING if _is_389(root) else search.user_filter
            answer = refresh(connection, base, asked, cookie, names_the_gone=_is_389(root))
            candidates |= answer.candidates
            following[base] = answer.cookie or cookie
        anchors = map(_unique_id, candidates) if _is_389(root) else candidates
        return Told(candidates=frozenset(anchors), following=following)


def _is_389(root: _Root) -> bool:
    return any(name.startswith("389") for name in root.get("vendorname", ()))


def _cookie_openldap(connection: ldap3.Connection, root: _Root, base: str) -> str:
    """Return a cookie for what the database of a base knows now; "" if it does not say."""
    top = naming_context(base, root.get("namingcontexts", ()))
    if not top:
        return ""
    ask(connection, top, ANYTHING, attributes=["contextCSN"])
    numbers = sorted(
        value.decode()
        for entry in entries(connection)
        for value in entry["raw_attributes"].get("contextCSN", ())
    )
    return f"rid=000,csn={';'.join(numbers)}" if numbers else ""


def _require_moment(cookie: str) -> None:
    """Refuse a cookie that names no change of any server: everybody would be the answer."""
    if not all(map(_CSN.fullmatch, cookie.partition("csn=")[2].split(";"))):
        raise MarkError("the mark names no moment")


def _cookie_389(connection: ldap3.Connection, base: str) -> str:
    """Return a cookie for the next question about everything below a base; "" if there is none."""
    ask(connection, base, ANYTHING, controls=[(SYNC_REQUEST, True, request(""))])
    return done_cookie(connection) if connection.result["result"] == RESULT_SUCCESS else ""


def _require_history(root: _Root, cookie: str) -> None:
    """Refuse a cookie from before the oldest change the server still has."""
    number, first = _NUMBER.fullmatch(cookie), root.get("firstchangenumber", ())
    if not number or not first:
        raise MarkError("the mark names no change, or the server keeps none")
    if int(number[1]) + 1 < int(first[0]):
        raise MarkError(f"the server has lost its history before change {first[0]}")


def _unique_id(anchor: str) -> str:
    """Return a UUID as nsUniqueId writes it."""
    digits = UUID(anchor).hex
    return "-".join(digits[at : at + 8] for at in range(0, 32, 8))
