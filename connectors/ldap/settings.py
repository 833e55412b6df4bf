"""What is needed to read an LDAP directory; a bad setting fails at start, in one sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    field_validator,
    model_validator,
)

from connectors.ldap.filters import require_filter
from connectors.ldap.names import parse_pasted
from connectors.options import read_options
from provisioning.domain.names import Name, is_below

Preset = Literal["auto", "openldap", "active-directory", "389ds"]

_SEMICOLON = re.compile(r"((?:[^\\;]|\\.)*)(?:;|$)", re.DOTALL)


def _several(given: Any) -> Any:
    """Return the parts of a text with semicolons, which a DN has to escape; a list as it is."""
    if isinstance(given, str):
        return tuple(part for each in _SEMICOLON.findall(given) if (part := each.strip()))
    return given


Several = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_several)]


class LdapSettings(BaseModel):
    """One directory, its bases, one filter."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    uri: str
    """ldaps://HOST[:PORT], or ldap://HOST[:PORT] with `start_tls` or `tls = "none"`."""

    bind_dn: str = ""
    bind_password: SecretStr = SecretStr("")
    base_dn: Several = Field(min_length=1)
    """Where people are, with everything below: a DN, or several in a list or with semicolons."""

    exclude: Several = ()
    """Who is left out: DNs of entries, with everything below, and ids."""

    groups: Several = ()
    """DNs of groups: only who is in one of them is read, groups within groups included."""

    exclude_groups: Several = ()
    """DNs of groups: who is in one of them is left out."""

    group_base_dn: Several = ()
    """Where groups are; empty: the whole database `base_dn` is in."""

    user_filter: str = ""
    """Empty: the preset's."""

    preset: Preset = "auto"
    id_attribute: str = ""
    """Empty: the preset's."""

    ca_file: Path | None = None
    tls: Literal["verify", "none"] = "verify"
    """none reads in the clear and has to be spelled out."""

    start_tls: bool = False
    page_size: PositiveInt = 1000
    connect_seconds: PositiveInt = 10
    receive_seconds: PositiveInt = 60
    changes: Literal["auto", "dirsync", "syncrepl", "usn", "modified", "off"] = "auto"
    """How to ask what changed between the nights: auto takes the best way there is."""

    photos: str = Field(default="auto", min_length=1)
    """auto reads the preset's attribute, jpegPhoto or thumbnailPhoto; off reads none; or a name."""

    sentinel_dn: str = ""
    """An entry that must be among those read, else the reading is not believed."""

    @field_validator("uri")
    @classmethod
    def _is_ldap(cls, uri: str) -> str:
        parts = urlsplit(uri.strip().rstrip("/"))
        if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname:
            raise ValueError("write ldaps://HOST or ldap://HOST")
        if parts.username is not None:
            raise ValueError(
                "who signs in belongs in bind_dn, and the password in bind_password, not in front "
                "of the host"
            )
        if parts.path or parts.query:
            raise ValueError("the base and the filter have settings of their own")
        return parts.geturl()

    @field_validator("user_filter")
    @classmethod
    def _is_a_filter(cls, written: str) -> str:
        if written:
            require_filter(written)
        return written.strip()

    @model_validator(mode="after")
    def _can_be_trusted(self) -> Self:
        if not self.bind_dn or not self.bind_password.get_secret_value():
            raise ValueError(
                "bind_dn and bind_password must both be set: with one of them empty a directory "
                "takes us for anonymous and shows an arbitrary part of itself"
            )
        encrypted = self.uri.startswith("ldaps:") or self.start_tls
        if not encrypted and self.tls != "none":
            raise ValueError(
                'ldap:// without start_tls sends the password in the clear; set tls = "none" if '
                "that is really meant"
            )
        if self.start_tls and self.uri.startswith("ldaps:"):
            raise ValueError("start_tls belongs to ldap://; ldaps:// is TLS from the first byte")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError(f"ca_file {self.ca_file} cannot be read")
        return self

    @model_validator(mode="after")
    def _places_fit(self) -> Self:
        bases = [_name("base_dn", base) for base in self.base_dn]
        for (one, written), (other, above) in permutations(
            zip(bases, self.base_dn, strict=True), 2
        ):
            if is_below(one, other):
                raise ValueError(
                    f'base_dn: "{written}" is part of "{above}", so everybody there would be read '
                    "twice; leave one of them out"
                )
        for place in self.exclude:
            name = _name("exclude", place) if "=" in place else None
            if name is not None and not any(is_below(name, base) for base in bases):
                raise ValueError(
                    f'exclude: "{place}" is below no base_dn and would leave nobody out'
                )
            if name in bases:
                raise ValueError(f'exclude: "{place}" leaves out a whole base_dn; remove the base')
        for setting in ("groups", "exclude_groups", "group_base_dn"):
            for place in getattr(self, setting):
                _name(setting, place)
        if self.sentinel_dn and not any(
            is_below(_name("sentinel_dn", self.sentinel_dn), base) for base in bases
        ):
            raise ValueError("sentinel_dn is below no base_dn and could never be among those read")
        return self

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self.uri).hostname or ""

    @property
    def port(self) -> int:
        """The server's port."""
        return urlsplit(self.uri).port or (636 if self.uri.startswith("ldaps:") else 389)

    @classmethod
    def from_options(cls, source: str, options: Mapping[str, Any]) -> Self:
        """Read a source's options.

        Raises:
            ConfigurationError: An option is unknown, missing or impossible.
        """
        return read_options(cls, source, options)


def _name(setting: str, written: str) -> Name:
    try:
        return parse_pasted(written)
    except ValueError as error:
        raise ValueError(f"{setting}: {error}") from None
