"""Every table in one place, for migrations: importing it is what registers them."""

from __future__ import annotations

from provisioning.storage.base import Base
from provisioning.storage.models import (
    accounts,
    alarms,
    effects,
    employees,
    holds,
    inbound,
    intranets,
    mappings,
    photos,
    runs,
    scim,
)

TABLE_MODULES = (
    accounts, alarms, effects, employees, holds, inbound, intranets, mappings, photos, runs, scim,
)  # fmt: skip

metadata = Base.metadata
"""What `alembic check` compares with the database."""
