"""Asking, and whether an answer is whole, and if not, the sentence that says why and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPResponseTimeoutError
from ldap3.core.results import (
    RESULT_ADMIN_LIMIT_EXCEEDED,
    RESULT_BUSY,
    RESULT_INSUFFICIENT_ACCESS_RIGHTS,
    RESULT_NO_SUCH_OBJECT,
    RESULT_REFERRAL,
    RESULT_SIZE_LIMIT_EXCEEDED,
    RESULT_SUCCESS,
    RESULT_TIME_LIMIT_EXCEEDED,
    RESULT_UNAVAILABLE,
    RESULT_UNAVAILABLE_CRITICAL_EXTENSION,
)

from connectors.ldap.connection import PAGED_RESULTS
from provisioning.domain.errors import SourceError

NOTHING_CONCLUDED = "nothing was concluded from what had been read"

_ELSEWHERE = ("cn=configuration,", "dc=domaindnszones,", "dc=forestdnszones,")
"""Active Directory points at these from the top of every domain; no people live there."""

NO_ATTRIBUTES = ("1.1",)
"""Entries without anything in them (RFC 4511, section 4.5.1.8)."""

Reach = Literal["BASE", "LEVEL", "SUBTREE"]

_LIMIT = "give the account that reads no such limit on the server"
_REMEDIES: Mapping[int, str] = {
    RESULT_SIZE_LIMIT_EXCEEDED: f"{_LIMIT} (OpenLDAP: olcLimits, size.prtotal=unlimited)",
    RESULT_TIME_LIMIT_EXCEEDED: f"{_LIMIT}, index what the filter asks for, or read narrower bases",
    RESULT_ADMIN_LIMIT_EXCEEDED: (
        f"{_LIMIT} (OpenLDAP: size.unchecked; 389: nsLookThroughLimit), or index what the filter "
        "asks for"
    ),
    RESULT_NO_SUCH_OBJECT: "it was renamed or moved, or is misspelled in the configuration",
    RESULT_INSUFFICIENT_ACCESS_RIGHTS: "give the account that reads the right to",
    RESULT_REFERRAL: (
        "it lives on another server, which was not asked; make that server a source of its own"
    ),
    RESULT_UNAVAILABLE_CRITICAL_EXTENSION: "the server has no paged results (RFC 2696)",
    RESULT_BUSY: "try again later",
    RESULT_UNAVAILABLE: "try again later",
}


def ask(
    connection: ldap3.Connection,
    base: str,
    asked: str,
    reach: Reach = ldap3.BASE,
    attributes: Sequence[str] = NO_ATTRIBUTES,
    page: int | None = None,
    **more: Any,
) -> None:
    """Search as every search here has to be: aliases, which lead out of a base, are not followed.

    Args:
        connection: Signed in; has the answer afterwards.
        base: Where to look.
        asked: The filter.
        reach: How far below the base.
        attributes: What is wanted of each entry.
        page: Which one this is, for the sentence of a break.
        more: What else `ldap3.Connection.search` takes: paging, limits, controls.

    Raises:
        SourceError: The connection broke, or what came over it was no answer.
    """
    place = f" at page {page}" if page else ""
    try:
        connection.search(
            base,
            asked,
            reach,
            dereference_aliases=ldap3.DEREF_NEVER,
            attributes=list(attributes),
            **more,
        )
    except LDAPResponseTimeoutError as error:
        raise SourceError(
            f"reading stopped{place}: {error} (receive_seconds); {NOTHING_CONCLUDED}"
        ) from error
    except (LDAPException, OSError) as error:
        raise SourceError(
            f"reading stopped{place}: the connection broke ({type(error).__name__}: {error}); "
            f"{NOTHING_CONCLUDED}"
        ) from error


def require_success(
    connection: ldap3.Connection, failure: str, kind: type[SourceError] = SourceError
) -> None:
    """Refuse every result but success; the entries that came before it are a part of the truth.

    Args:
        connection: What was asked over.
        failure: What could not be done, as the sentence begins.
        kind: What a failure means to whoever asked.

    Raises:
        SourceError: The server said something else than success; it is of that kind.
    """
    result = connection.result
    code = result["result"]
    if code == RESULT_SUCCESS:
        return
    said = f" ({result['message'].strip()})" if result.get("message") else ""
    remedy = f": {_REMEDIES[code]}" if code in _REMEDIES else ""
    raise kind(f"{failure}: {result['description']}{said}{remedy}; {NOTHING_CONCLUDED}")


def require_no_reference(connection: ldap3.Connection) -> None:
    """Refuse an answer that says that a part of the base lives on another server.

    Raises:
        SourceError: It does; nobody followed, and no password went there.
    """
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


def next_cookie(connection: ldap3.Connection, page: int) -> bytes:
    """Return the cookie of the next page; empty behind the last.

    Raises:
        SourceError: The answer does not say whether there is more.
    """
    control = connection.result.get("controls", {}).get(PAGED_RESULTS)
    if control is None:
        raise SourceError(
            f"reading stopped: page {page} came without the paging control, so nothing says "
            f"whether there is more; {NOTHING_CONCLUDED}"
        )
    return bytes(control["value"]["cookie"] or b"")
