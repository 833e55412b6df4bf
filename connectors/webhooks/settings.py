"""What is needed to tell a program: its address, and the secret both share."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from provisioning.domain.errors import ConfigurationError

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a secret, by the Standard Webhooks specification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Where events go, and how they are signed."""

    host: str
    port: int
    path: str
    """With the query, as it stands in the configuration."""

    secure: bool
    secret: bytes = field(repr=False)
    ca_file: Path | None = None
    """Who signs the certificate, instead of the system's authorities."""

    seconds: float = 15.0
    """For all of it, from the connection to the end of the answer."""

    @classmethod
    def read(cls, name: str, url: str, secret: str, ca_file: Path | None = None) -> Self:
        """Read what the configuration says of one webhook.

        Raises:
            ConfigurationError: It can never work, or would be sent in the clear.
        """
        here = f"webhooks.{name}"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"{here}.url is no address: {error}") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isprintable():
            raise ConfigurationError(f"{here}.url: write the whole address, https://HOST/PATH")
        if parts.username is not None or parts.fragment:
            raise ConfigurationError(f"{here}.url: leave out the user, the password and the #")
        secure = parts.scheme == "https"
        if not secure and not _is_this_machine(parts.hostname):
            raise ConfigurationError(
                f"{here}.url: events name people's sources, so only https:// leaves this machine"
            )
        return cls(
            host=parts.hostname,
            port=port or (443 if secure else 80),
            path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            secure=secure,
            secret=_key(here, secret),
            ca_file=ca_file,
        )


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(here: str, secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise ConfigurationError(
            f"{here}.secret: write {PREFIX} and {_SHORTEST} to {_LONGEST} random bytes in base64: "
            f'echo "{PREFIX}$(openssl rand -base64 32)"'
        )
    return key
