"""Layers of settings: command line, environment, file; each value knows where it came from.

Nothing here knows which settings there are, except for the names an environment already has.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.domain.errors import ConfigurationError

type_of_path = tuple[str, ...]

COMMON_NAMES: Mapping[str, tuple[str, ...]] = {
    "DATABASE_URL": ("database", "url"),
    "SECRET_KEY": ("web", "secret_key"),
    "PUBLIC_URL": ("web", "public_url"),
    "PORT": ("web", "port"),
    "WEB_CONCURRENCY": ("web", "workers"),
    "LOG_LEVEL": ("log", "level"),
    "LOG_FORMAT": ("log", "format"),
    "SMTP_URL": ("mail", "smtp_url"),
    "MAIL_FROM": ("mail", "sender"),
    "SEAT_LIMIT": ("seats", "limit"),
    "LDAP_URI": ("sources", "ldap", "uri"),
    "LDAP_BIND_DN": ("sources", "ldap", "bind_dn"),
    "LDAP_BIND_PASSWORD": ("sources", "ldap", "bind_password"),
    "LDAP_BASE_DN": ("sources", "ldap", "base_dn"),
    "LDAP_USER_FILTER": ("sources", "ldap", "user_filter"),
    "LDAP_CA_FILE": ("sources", "ldap", "ca_file"),
}
"""What other programs and platforms call these settings."""
