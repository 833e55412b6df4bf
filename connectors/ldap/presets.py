"""What is usual in a kind of directory: id attribute, filter, and who is mapped how."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "config" / "presets"
NAMES = ("openldap", "active-directory", "389ds")


@dataclass(frozen=True, slots=True, kw_only=True)
class LdapPreset:
    """The usual for one kind of directory."""

    name: str
    title: str
    id_attribute: str
    user_filter: str
    photo_attribute: str
    modified_attribute: str
    """When an entry was modified last; every directory can be asked for what is later."""

    mapping: Mapping[str, Any]


def load_preset(name: str) -> LdapPreset:
    """Return a preset of config/presets by name."""
    document = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return LdapPreset(
        name=name,
        title=document["title"],
        id_attribute=document["id_attribute"],
        user_filter=document["user_filter"],
        photo_attribute=document["photo_attribute"],
        modified_attribute=document["modified_attribute"],
        mapping=document["mapping"],
    )
