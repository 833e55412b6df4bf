"""What a command ends with for an error."""

from __future__ import annotations

from collections.abc import Mapping

from provisioning.domain.errors import (
    BrakeError,
    BusyError,
    ConfigurationError,
    DatabaseUnavailableError,
    DeliveryError,
    HeldError,
    PausedError,
    ProvisioningError,
    SourceError,
    SourceUnavailableError,
    StaleWriteError,
    StoppedError,
)

EXIT_CODES: Mapping[type[ProvisioningError], int] = {
    ConfigurationError: 78,
    SourceUnavailableError: 69,
    DatabaseUnavailableError: 69,
    SourceError: 65,
    HeldError: 3,
    BusyError: 75,
    StaleWriteError: 75,
    BrakeError: 75,
    PausedError: 75,
    StoppedError: 75,
    DeliveryError: 75,
}
"""What a command answers for an error; anything else is 1."""


def exit_code(error: ProvisioningError) -> int:
    """Return the exit code of the nearest ancestor in the table.

    >>> exit_code(SourceUnavailableError("no answer")), exit_code(SourceError("cut short"))
    (69, 65)
    """
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), 1)
