"""Files that people write: configuration, and rules of a mapping."""

from __future__ import annotations

from pathlib import Path

from provisioning.domain.errors import ConfigurationError


def read_text(path: Path) -> str:
    """Return what a file says.

    Raises:
        ConfigurationError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8") from error
