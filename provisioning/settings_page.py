"""config/default.toml, written from the model: every setting with its default and its meaning."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import time
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from provisioning.settings import Settings
from provisioning.settings_alarms import WebhookSettings
from provisioning.settings_layers import COMMON_NAMES, Key
from provisioning.settings_model import SourceSettings

_HEAD = """\
# Every setting and its default. Written by `make docs`; copy what you change into a file of your
# own and name it in USHER_CONFIG. The environment wins over the file: USHER_SECTION__KEY, and the
# names given below, each also as NAME_FILE with the path of a file that holds the value.
"""
_FOLLOWS = frozenset({("web", "public_url"), ("intranet", "time_zone"), ("mail", "mode")})
"""Shown as comments: once said, they no longer follow from PORT, TZ and SMTP_URL."""


def render_default_toml() -> str:
    """Return the whole file.

    Raises:
        ValueError: A setting has a default that TOML cannot say.
    """
    return "\n".join([_HEAD, *_tables(), *_webhook(), *_source()])


def _tables() -> Iterator[str]:
    for table, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield f"# {model.__doc__}"
            yield f"[{table}]"
            for name, part in model.model_fields.items():
                yield from _setting((table, name), part)
            yield ""


def _webhook() -> Iterator[str]:
    yield f"# {WebhookSettings.__doc__}"
    yield "# [webhooks.pager]"
    for name, field in WebhookSettings.model_fields.items():
        for line in _setting(("webhooks", "pager", name), field):
            yield line if line.startswith("#") else f"# {line}"
    yield ""


def _source() -> Iterator[str]:
    yield f"# {SourceSettings.__doc__}"
    yield "# [sources.corp-ad]"
    yield '# type = "ldap"  # or "ldif", "scim"'
    for name in ("first_run", "authoritative", "owns", "mapping", "mapping_file"):
        for line in _setting(("sources", "corp-ad", name), SourceSettings.model_fields[name]):
            yield line if line.startswith("#") else f"# {line}"
    yield f"# {SourceSettings.model_fields['options'].description}"
    yield ""


def _setting(key: Key, field: FieldInfo) -> Iterator[str]:
    """Yield the meaning of a setting, then its line."""
    common = [name for name, place in COMMON_NAMES.items() if place == key]
    words = " ".join([*(field.description or "").split(), *(f"({name})" for name in common)])
    yield from textwrap.wrap(words, 94, initial_indent="# ", subsequent_indent="# ")
    value = None if field.is_required() else field.get_default(call_default_factory=True)
    example = value if value is not None else next(iter(field.examples or ()), None)
    silent = value is None or isinstance(value, SecretStr) or key in _FOLLOWS
    yield f"{'# ' if silent else ''}{key[-1]} = {_toml(example)}"


def _toml(value: Any) -> str:
    match value:
        case SecretStr():
            return '""'
        case time():
            return json.dumps(value.isoformat("minutes"))
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case dict() if not value:
            return "{}"
        case bool() | int() | float() | str():
            return json.dumps(value, ensure_ascii=False)
    raise ValueError(f"a default that TOML cannot say: {value!r}")
