"""What is needed to speak to a mail relay, from one address."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from provisioning.domain.errors import ConfigurationError


class Encryption(StrEnum):
    """When the connection is encrypted; a certificate is always checked."""

    TLS = "tls"
    """From the first byte: smtps://."""

    REQUIRED = "required"
    """STARTTLS, or no letter."""

    AUTO = "auto"
    """STARTTLS where it is offered, but never a password without it."""

    OFF = "off"
    """Never, not even for the password: a relay on the same machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """Where the relay is, how to sign in, and how long to wait."""

    host: str
    port: int
    encryption: Encryption = Encryption.AUTO
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    """Who signs the relay's certificate, instead of the system's authorities."""

    timeout_seconds: float = 60.0
    """For every single answer."""

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read smtp://USER:PASSWORD@HOST:PORT?starttls=required&ca_file=PATH&timeout=SECONDS.

        >>> SmtpSettings.from_url("smtps://anna:secret@mail.corp.example").port
        465

        Raises:
            ConfigurationError: It is not such an address.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
            raise ConfigurationError("mail.smtp_url: write smtp://HOST:PORT or smtps://HOST:PORT")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        _refuse_unknown(options)
        implicit = parts.scheme == "smtps"
        if implicit and "starttls" in options:
            raise ConfigurationError("mail.smtp_url: smtps:// needs no starttls")
        try:
            default_port = 465 if implicit else 587 if parts.username else 25
            return cls(
                host=parts.hostname,
                port=parts.port or default_port,
                encryption=Encryption.TLS if implicit else _starttls(options.get("starttls")),
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                ca_file=Path(options["ca_file"]) if "ca_file" in options else None,
                timeout_seconds=_seconds(options.get("timeout", "60")),
            )
        except ValueError as error:
            raise ConfigurationError(f"mail.smtp_url: {error}") from error


def _refuse_unknown(options: dict[str, str]) -> None:
    known = ("starttls", "ca_file", "timeout")
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"mail.smtp_url: there is no option {name}{hint}")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise ValueError("timeout is more than 0 seconds")
    return seconds


def _starttls(text: str | None) -> Encryption:
    choices = {None: Encryption.AUTO} | {
        str(choice): choice for choice in Encryption if choice is not Encryption.TLS
    }
    if text not in choices:
        raise ValueError(f"starttls is required, auto or off, not {text!r}")
    return choices[text]
