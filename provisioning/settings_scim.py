"""What an administrator may set of the SCIM service provider."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from provisioning.settings_model import Table
from provisioning.settings_types import Days


class ScimSettings(Table):
    """How much identity providers may ask for, and how long it is kept."""

    requests_per_second: Annotated[int, Field(ge=25, le=1_000_000)] = 3_000
    """With one token, in one process; ten seconds' worth may come at once. Entra needs 25."""

    body_bytes: Annotated[int, Field(ge=1 << 20, le=1 << 28)] = 16 << 20
    """The longest body of a group, which names its members, and of a bulk request."""

    inbound_log_days: Days = 30
    """How long requests of identity providers are kept, without their secrets, for looking."""
