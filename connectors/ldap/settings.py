"""What is needed to read an LDAP directory; a bad setting fails at start, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    field_validator,
    model_validator,
)

from connectors.options import read_options

Preset = Literal["auto", "openldap", "active-directory", "389ds"]


class LdapSettings(BaseModel):
    """One directory, one base, one filter."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    uri: str
    """ldaps://HOST[:PORT], or ldap://HOST[:PORT] with `start_tls` or `tls = "none"`."""

    bind_dn: str = ""
    bind_password: SecretStr = SecretStr("")
    base_dn: str = Field(min_length=1)
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
    sentinel_dn: str = ""
    """An entry that must be among those read, else the reading is not believed."""

    @field_validator("uri")
    @classmethod
    def _is_ldap(cls, uri: str) -> str:
        parts = urlsplit(uri.strip().rstrip("/"))
        if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname:
            raise ValueError("write ldaps://HOST or ldap://HOST")
        if parts.path or parts.query:
            raise ValueError("the base and the filter have settings of their own")
        return parts.geturl()

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
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError(f"ca_file {self.ca_file} cannot be read")
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
