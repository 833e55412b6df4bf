"""Guides for identity providers: one file each, shown on a page and written as a document."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

VENDORS = (
    *("entra", "okta", "jumpcloud", "onelogin", "authentik", "keycloak", "canaille", "google"),
    "other",
)
"""Every guide, in the order in which they are offered."""

SCIM_URL = "{scim_url}"
TOKEN = "{token}"  # noqa: S105 - a place for one
TOKEN_URL = "{token_url}"  # noqa: S105 - the same
CLIENT_ID = "{client_id}"
CLIENT_SECRET = "{client_secret}"  # noqa: S105 - the same

_FOLDER = Path(__file__).parent / "guides"
_MARKED = re.compile(r"\*\*(?P<label>.+?)\*\*|`(?P<value>.+?)`")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Part):
    """What is pasted or chosen in one field of the vendor's form."""

    label: str
    """The field's name on the vendor's screen."""

    value: str
    """The text, or a place (`{scim_url}`, `{token}`, `{client_id}`) for one of ours."""

    note: str = ""


class Attribute(_Part):
    """One attribute: what the vendor calls it and what Usher does with it."""

    theirs: str
    scim: str
    advice: str


class Pair(_Part):
    """A quirk and what Usher does about it, or a sign of trouble and where to look."""

    sign: str
    answer: str


class Reference(_Part):
    """Where the vendor, or who else knows, wrote it down."""

    title: str
    url: str = Field(pattern=r"^https://")


class Guide(_Part):
    """How one vendor's product is pointed at Usher, in the words of its own screens.

    Texts may hold **labels** and `values`, and no other markup.
    """

    vendor: str
    name: str
    checked: str = Field(pattern=r"^20\d\d-\d\d$")
    """The month in which the labels were last compared with the vendor's documents."""

    provisions: str
    needs: str
    frequency: str
    values: Sequence[Value] = Field(min_length=1)
    oauth_choice: str = ""
    """How the vendor's product is made to fetch access itself; "" if it cannot."""

    oauth: Sequence[Value] = ()
    """What is pasted then, instead of the token."""

    connect: Sequence[str] = Field(min_length=1)
    attributes: Sequence[Attribute] = Field(min_length=1)
    test: Sequence[str] = Field(min_length=1)
    green: str
    assign: Sequence[str] = Field(min_length=1)
    quirks: Sequence[Pair] = Field(min_length=1)
    failures: Sequence[Pair] = Field(min_length=1)
    references: Sequence[Reference] = Field(min_length=1)

    def filled(self, scim_url: str, token: str) -> Sequence[Value]:
        """Return the values of the form with ours in their places; an unknown token stays empty."""
        return _filled(self.values, {SCIM_URL: scim_url, TOKEN: token})

    def filled_oauth(
        self, token_url: str, client_id: str = "", client_secret: str = ""
    ) -> Sequence[Value]:
        """Return the values for OAuth with ours in their places; what is unknown stays empty."""
        places = {TOKEN_URL: token_url, CLIENT_ID: client_id, CLIENT_SECRET: client_secret}
        return _filled(self.oauth, places)


def _filled(values: Sequence[Value], places: Mapping[str, str]) -> Sequence[Value]:
    found = []
    for value in values:
        text = value.value
        for place, ours in places.items():
            text = text.replace(place, ours)
        found.append(value.model_copy(update={"value": text}))
    return found


@cache
def guides() -> Mapping[str, Guide]:
    """Return every guide by vendor, in the order in which they are offered."""
    return {vendor: _read(vendor) for vendor in VENDORS}


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield a guide's text in pieces, each with its kind: label, value or text.

    >>> list(pieces("Press **Save** now"))
    [('text', 'Press '), ('label', 'Save'), ('text', ' now')]
    """
    end = 0
    for found in _MARKED.finditer(text):
        yield "text", text[end : found.start()]
        kind = str(found.lastgroup)
        yield kind, found[kind]
        end = found.end()
    yield "text", text[end:]


def _read(vendor: str) -> Guide:
    found = tomllib.loads((_FOLDER / f"{vendor}.toml").read_text(encoding="utf-8"))
    return Guide(vendor=vendor, **found)
