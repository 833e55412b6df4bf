"""Layers of settings: file, environment, command line; each value knows where it came from.

A later layer overrides single values, not tables. Nothing here knows which settings there are,
except what platforms and other programs already call some of them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from provisioning.domain.errors import ConfigurationError
from provisioning.domain.rule_files import parse_toml
from provisioning.text_files import read_text

Key = tuple[str, ...]
"""The place of a setting: ("web", "port")."""

COMMON_NAMES: Mapping[str, Key] = {
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
"""Names without our prefix; each also as NAME_FILE, the path of a file that holds the value."""

CONFIG_NAME = "USHER_CONFIG"

SECRET = re.compile(r"password|secret|token")
"""What a key is called whose value nobody may read."""

_SECRET_FILE = re.compile(rf"(.*(?:{SECRET.pattern}).*)_file")
_KUBERNETES = re.compile(r"USHER_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP)(_\w+)?)?)")
"""What Kubernetes tells every pod about a service that is called usher."""


class Layers:
    """Values of all layers so far, and the origin of each."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[Key, str] = {}

    def put(self, key: Key, value: Any, origin: str) -> None:
        """Lay a value, or every value of a table, over what is there."""
        if isinstance(value, Mapping) and value:
            for name, inner in value.items():
                self.put((*key, name), inner, origin)
            return
        table = self.values
        for name in key[:-1]:
            if not isinstance(table.get(name), dict):
                table[name] = {}
            table = table[name]
        table[key[-1]] = value
        kept = {k: where for k, where in self.origins.items() if k[: len(key)] != key}
        self.origins = kept | {key: origin}

    def get(self, key: Key) -> Any:
        """Return a value, or None where no layer has one."""
        value: Any = self.values
        for name in key:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def origin(self, key: Key) -> str:
        """Return where a value, or the first of a table's values, came from."""
        below = (where for other, where in self.origins.items() if other[: len(key)] == key)
        return self.origins.get(key) or next(below, "default")


def put_file(layers: Layers, path: Path) -> None:
    """Lay a configuration file.

    Raises:
        ConfigurationError: It cannot be read, or is not TOML; the text names the line.
    """
    for name, value in parse_toml(read_text(path), str(path)).items():
        layers.put((name,), value, f"file {path}")


def put_environment(layers: Layers, environ: Mapping[str, str]) -> None:
    """Lay what the environment says; an empty variable says nothing."""
    for name, key in COMMON_NAMES.items():
        given = [candidate for candidate in (name, f"{name}_FILE") if environ.get(candidate)]
        if len(given) > 1:
            raise ConfigurationError(f"environment: {name} and {name}_FILE are both set; keep one")
        for candidate in given:
            text = environ[candidate]
            origin = f"environment {candidate}"
            layers.put(key, text if candidate == name else _content(Path(text), origin), origin)
    for name, text in _prefixed(environ):
        key = tuple(name.lower().removeprefix("usher_").split("__"))
        if len(key) == 1 or not all(key):
            raise ConfigurationError(
                f"environment {name}: there is no such setting; write USHER_SECTION__KEY"
            )
        key = _with_written_source(layers, key)
        value = text if SECRET.search(key[-1]) else _scalar(text)
        layers.put(key, value, f"environment {name}")


def put_secret_files(layers: Layers) -> None:
    """Read what is kept in files for sources and webhooks: bind_password_file and its like."""
    for kind in ("sources", "webhooks"):
        tables = layers.get((kind,))
        for owner, table in tables.items() if isinstance(tables, dict) else ():
            for name in list(table) if isinstance(table, dict) else ():
                match = _SECRET_FILE.fullmatch(name)
                if match is not None:
                    _put_secret(layers, table, (kind, owner, name), match[1])


def _put_secret(layers: Layers, table: dict[str, Any], named: Key, name: str) -> None:
    key, origin = (*named[:-1], name), layers.origin(named)
    if name in table:
        raise ConfigurationError(f"{'.'.join(key)} and {named[-1]} are both set; keep one")
    path = Path(str(table.pop(named[-1])))
    layers.origins.pop(named, None)
    layers.put(key, _content(path, origin), f"file {path}")


def _prefixed(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in environ.items():
        if name.startswith("USHER_") and name != CONFIG_NAME and text:
            if _KUBERNETES.fullmatch(name):
                continue
            yield name, text


def _with_written_source(layers: Layers, key: Key) -> Key:
    """Find the source "corp-ad" for CORP_AD: a variable's name has no hyphens."""
    if key[0] != "sources" or not isinstance(layers.get(("sources",)), dict):
        return key
    written = {name.replace("-", "_"): name for name in layers.values["sources"]}
    return ("sources", written.get(key[1], key[1]), *key[2:])


def _scalar(text: str) -> Any:
    """Return the value a text means in TOML, or the text if that loses nothing of it."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    if isinstance(value, bool | str | list | dict):
        return value
    return value if str(value) == text and isinstance(value, int | float) else text


def _content(path: Path, origin: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{origin}: {path} cannot be read: {error}") from error
