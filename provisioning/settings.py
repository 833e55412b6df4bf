"""Settings: read from all layers, checked as a whole, each value with its origin.

Command line over environment over file over default.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, PrivateAttr, SecretStr, ValidationError, field_validator

from provisioning.domain.errors import ConfigurationError, RuleError
from provisioning.domain.policy import Policy
from provisioning.domain.rule_files import HELP, in_file, parse_rules
from provisioning.settings_layers import (
    CONFIG_NAME,
    SECRET,
    Key,
    Layers,
    put_environment,
    put_file,
    put_secret_files,
)
from provisioning.settings_model import (
    DatabaseSettings,
    DepartureSettings,
    IntranetSettings,
    InvitationSettings,
    LimitSettings,
    LogSettings,
    MailSettings,
    PeopleSettings,
    ScheduleSettings,
    SeatSettings,
    SourceSettings,
    Table,
    WebSettings,
)
from provisioning.settings_scim import ScimSettings
from provisioning.text_files import read_text

MASK = "********"
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^:/?#]*):.*(?=@)|(?<=password=)[^&]*")


class Settings(Table):
    """Everything an administrator decided, and what nobody did."""

    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    intranet: IntranetSettings = IntranetSettings()
    mail: MailSettings = MailSettings()
    seats: SeatSettings = SeatSettings()
    limits: LimitSettings = LimitSettings()
    departures: DepartureSettings = DepartureSettings()
    invitations: InvitationSettings = InvitationSettings()
    people: PeopleSettings = PeopleSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    scim: ScimSettings = ScimSettings()
    sources: Mapping[str, SourceSettings] = Field(default_factory=dict)
    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("sources", mode="before")
    @classmethod
    def _name_sources(cls, tables: Any) -> Any:
        """Give every source the name of its table."""
        if not isinstance(tables, Mapping):
            return tables
        return {
            name: {**table, "name": name} if isinstance(table, Mapping) else table
            for name, table in tables.items()
        }

    @field_validator("sources")
    @classmethod
    def _one_owner_each(cls, sources: Mapping[str, SourceSettings]) -> Mapping[str, SourceSettings]:
        owned = Counter(attribute for source in sources.values() for attribute in source.owns)
        for attribute, owners in owned.items():
            if owners > 1:
                names = [name for name, source in sources.items() if attribute in source.owns]
                raise ValueError(
                    f"{' and '.join(names)} both own {attribute}; one of them has the say"
                )
        return sources

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each value came from, by dotted key: "default", "file PATH", "environment PORT"."""
        return {".".join(key): self._origin(key) for key, _ in _leaves(self)}

    def shown(self) -> list[tuple[str, str, str]]:
        """Return every setting as (dotted key, value with secrets masked, origin)."""
        return [
            (".".join(key), _shown(key, value), self._origin(key)) for key, value in _leaves(self)
        ]

    def policy(self) -> Policy:
        """Return what the planner reads."""
        return Policy(
            dismiss_percent=self.limits.dismiss_percent,
            dismiss_count=self.limits.dismiss_count,
            rolling_percent=self.limits.rolling_percent,
            disabled_grace_nights=self.departures.disabled_grace_nights,
            missing_grace_nights=self.departures.missing_grace_nights,
            when_full=self.seats.when_full,
            seat_priority=self.seats.priority,
            stale_invitations=self.seats.stale_invitations,
            correlation_keys=self.people.correlation_keys,
            link_weak_keys=self.people.link_weak_keys,
            contact_email=self.people.contact_email,
            verified_domains=self.people.verified_domains,
            old_domains=self.people.old_domains,
            owners={each: name for name, source in self.sources.items() for each in source.owns},
            protected=frozenset(self.people.protected),
        )

    def _origin(self, key: Key) -> str:
        above = (".".join(key[:length]) for length in range(len(key), 0, -1))
        return next((self._origins[name] for name in above if name in self._origins), "default")


def load_settings(
    *,
    environ: Mapping[str, str],
    config_path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings of this process.

    Args:
        environ: The environment.
        config_path: The file the command line names, instead of USHER_CONFIG's.
        overrides: What the command line says, by dotted key; None says nothing.

    Raises:
        ConfigurationError: Something can never work; a sentence for each, with its origin.
    """
    layers = Layers()
    path = config_path or (Path(environ[CONFIG_NAME]) if environ.get(CONFIG_NAME) else None)
    if path is not None:
        put_file(layers, path)
    put_environment(layers, environ)
    for name, value in (overrides or {}).items():
        if value is not None:
            layers.put(tuple(name.split(".")), value, "command line")
    put_secret_files(layers)
    _put_consequences(layers, environ)
    try:
        settings = Settings.model_validate(layers.values)
    except ValidationError as error:
        sentences = (_sentence(layers, problem) for problem in error.errors(include_url=False))
        raise ConfigurationError("\n".join(dict.fromkeys(sentences))) from error
    settings._origins = {  # noqa: SLF001 - its own class, a few lines above
        ".".join(key): origin for key, origin in layers.origins.items()
    }
    return settings


def own_rules(source: SourceSettings) -> Mapping[str, Any]:
    """Return a source's own rules: those of its mapping_file, and before them its `mapping`.

    Raises:
        ConfigurationError: The file cannot be read, or has no [mapping] table.
    """
    path = source.mapping_file
    written = parse_rules(read_text(path), str(path)) if path else {}
    return {**written, **source.mapping}


def rule_mistake(source: SourceSettings, error: RuleError) -> ConfigurationError:
    """Return a mistake in a source's own rules as a sentence that says where it stands.

    Raises:
        ConfigurationError: The mapping_file cannot be read any more.
    """
    path = source.mapping_file
    if path is not None and error.field not in source.mapping:
        return in_file(error, own_rules(source), read_text(path), str(path))
    return ConfigurationError(f"sources.{source.name}.{error}. {HELP}")


def _put_consequences(layers: Layers, environ: Mapping[str, str]) -> None:
    """Decide what nobody said but follows from what somebody said."""
    port, public_url = ("web", "port"), ("web", "public_url")
    if layers.get(public_url) is None and layers.get(port) is not None:
        layers.put(public_url, f"http://127.0.0.1:{layers.get(port)}", layers.origin(port))
    zone = environ.get("TZ", "").removeprefix(":")
    if layers.get(("intranet", "time_zone")) is None and zone:
        layers.put(("intranet", "time_zone"), zone, "environment TZ")
    if layers.get(("mail", "mode")) is None and layers.get(("mail", "smtp_url")):
        layers.put(("mail", "mode"), "smtp", layers.origin(("mail", "smtp_url")))
    ldap = ("sources", "ldap")
    from_environment = layers.origin(ldap).startswith("environment LDAP_")
    if layers.get((*ldap, "type")) is None and from_environment:
        layers.put((*ldap, "type"), "ldap", layers.origin(ldap))


def _sentence(layers: Layers, problem: Mapping[str, Any]) -> str:
    """Return what is wrong with one setting, and where it was said."""
    key = tuple(str(part) for part in problem["loc"])
    name = ".".join(key)
    origins = (layers.origin(key[:length]) for length in range(len(key), 0, -1))
    origin = next((origin for origin in origins if origin != "default"), "default")
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key[-1], _known_names(key[:-1]), n=1)
        hint = f"; did you mean {'.'.join((*key[:-1], *near))}?" if near else ""
        return f"{origin}: there is no setting {name}{hint}"
    if problem["type"] == "missing":
        return f"{origin}: {name} is missing"
    words = str(problem["msg"]).removeprefix("Value error, ")
    if words.startswith("Input should"):
        return f"{origin}: {name} {words.removeprefix('Input ')}"
    return f"{origin}: {name}: {words}"


def _known_names(table: Key) -> list[str]:
    model: type[BaseModel] = Settings
    for name in table:
        inner = model.model_fields[name].annotation
        if not isinstance(inner, type):
            return []
        model = inner
    return list(model.model_fields)


def _leaves(value: Any, key: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Yield every single setting, in the order of the tables."""
    if isinstance(value, SourceSettings):
        own = {name: part for name, part in value if name not in {"name", "options"}}
        yield from _leaves({**own, **value.options}, key)
    elif isinstance(value, BaseModel | Mapping):
        for name, part in value.items() if isinstance(value, Mapping) else value:
            yield from _leaves(part, (*key, name))
    else:
        yield key, value


def _shown(key: Key, value: Any) -> str:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if SECRET.search(key[-1]) and value:
        return MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return "" if value is None else _PASSWORD_IN_URL.sub(_masked, str(value))


def _masked(match: re.Match[str]) -> str:
    return MASK if match[1] is None else f"{match[1]}:{MASK}"
