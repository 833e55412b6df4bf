"""Values of a directory in their normal form: what is compared, stored and shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from provisioning.domain.addresses import address_key
from provisioning.domain.errors import MappingError

MAX_TEXT = 1_000
"""Characters of one value; more is a mistake in the directory, not a name."""

_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_SURROGATES = re.compile("[\ud800-\udfff]")


def texts_of(label: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return the values that say something, each in its normal form.

    Raises:
        MappingError: As `normal`.
    """
    return tuple(text for value in values if (text := normal(label, value)))


def normal(label: str, value: str) -> str:
    """Return a value in NFC, without control characters and needless blanks.

    Raises:
        MappingError: It is no text, or too long.
    """
    if not value.isprintable():
        if _SURROGATES.search(value):
            raise MappingError(label, "is not valid text")
        value = _BLANKS.sub(" ", value)
    value = unicodedata.normalize("NFC", value).strip()
    if len(value) > MAX_TEXT:
        raise MappingError(label, f"{len(value)} characters are too many, {MAX_TEXT} fit")
    return value


def others(addresses: Sequence[str], mail: str | None) -> tuple[str, ...]:
    """Return each further address once, sorted: directories do not promise an order."""
    by_key = {address_key(address): address for address in addresses}
    if mail is not None:
        by_key.pop(address_key(mail), None)
    return tuple(by_key[key] for key in sorted(by_key))
