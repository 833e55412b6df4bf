"""What is needed to read an LDIF export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from connectors.options import read_options


class LdifSettings(BaseModel):
    """One file, and who in it is a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    """The export; .gz is unpacked while reading. It may be away while nobody reads it."""

    base_dn: str = ""
    """Where `ou_path` begins: units above it, and it itself, are nobody's department."""

    id_attribute: str = "entryUUID"
    person_classes: tuple[str, ...] = Field(
        ("inetOrgPerson", "person", "organizationalPerson", "user"), min_length=1
    )
    """Entries of one of these object classes are people; others are passed over."""

    preset: str = "openldap"
    """Whose attribute names the export has."""

    @classmethod
    def from_options(cls, source: str, options: Mapping[str, Any]) -> Self:
        """Read a source's options.

        Raises:
            ConfigurationError: An option is unknown, missing or impossible.
        """
        return read_options(cls, source, options)
