"""Search filters (RFC 4515) as administrators write them."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from ldap3.core.exceptions import LDAPExceptionError
from ldap3.operation import search

_parse: Any = search.parse_filter


def require_filter(written: str) -> None:
    """Refuse what is not one whole filter.

    Raises:
        ValueError: It is none, in one sentence that quotes it.
    """
    text = written.strip()
    depths = list(accumulate((letter == "(") - (letter == ")") for letter in text))
    # Two filters beside one another would be two children of whatever they are put into.
    if depths and depths[-1] == 0 and min(depths[:-1], default=0) > 0:
        try:
            _parse(text, None, False, False, None, False)
        except (LDAPExceptionError, LookupError, ValueError):
            pass
        else:
            return
    raise ValueError(
        f'"{written}" is not a filter; write one in parentheses, as (objectClass=inetOrgPerson)'
    )
