"""Whom a connector trusts at the other end of TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

from provisioning.domain.errors import ConfigurationError


def trusting(ca_file: str | Path | None, setting: str) -> ssl.SSLContext:
    """Return what trusts the authorities of a file, or the system's, and checks names and dates.

    Args:
        ca_file: A PEM file; None means the system's authorities.
        setting: What an error names.

    Raises:
        ConfigurationError: The file holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(
            f"{setting}: the authorities in {ca_file} cannot be read ({error}); name the PEM file "
            "of whoever signed the other side's certificate"
        ) from error
