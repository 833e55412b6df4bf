"""From a type's name in the configuration to the connector, a line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from connectors.cel.compiler import CelCompiler
from connectors.ldap.directory import LdapDirectory
from connectors.ldap.presets import NAMES, LdapPreset, load_preset
from connectors.ldap.settings import LdapSettings
from connectors.ldif.directory import LdifDirectory
from connectors.ldif.settings import LdifSettings
from connectors.outbox_only.mailer import OutboxOnlyMailer
from connectors.smtp.mailer import SmtpMailer
from connectors.smtp.settings import SmtpSettings
from connectors.webhooks.sender import HttpWebhook
from connectors.webhooks.settings import WebhookSettings
from provisioning.domain.errors import ConfigurationError
from provisioning.domain.mapping import (
    CompiledMapping,
    FieldTrace,
    PersonMapping,
    compile_mapping,
)
from provisioning.domain.people import Person, RawPerson
from provisioning.domain.rules import merge_rules
from provisioning.ports import DirectorySource, Mailer, Webhook


class Readable(NamedTuple):
    """A source that is read, and how its entries become people."""

    directory: DirectorySource
    mapping: PersonMapping


class DetectedMapping:
    """The mapping of whatever kind of directory answers, found out at the first use.

    That use raises what `LdapDirectory.preset` raises; `make_readable` has tried the rules before.
    """

    def __init__(self, directory: LdapDirectory, own: Mapping[str, Any]) -> None:
        """Ask nobody yet."""
        self._directory = directory
        self._own = own

    @cached_property
    def _found(self) -> CompiledMapping:
        preset = self._directory.preset()
        return compile_mapping(merge_rules(preset.mapping, self._own), CelCompiler())

    @property
    def version(self) -> str:
        """A digest of the rules."""
        return self._found.version

    @property
    def rules(self) -> Mapping[str, Any]:
        """The rule of every field that has one, as it is written."""
        return self._found.rules

    def explain(self, source_name: str, raw: RawPerson, now: datetime) -> tuple[FieldTrace, ...]:
        """Return every field that has a rule or a value, and how it came about (R9)."""
        return self._found.explain(source_name, raw, now)

    def person(self, source_name: str, raw: RawPerson, now: datetime) -> Person:
        """Return the person an entry describes.

        Raises:
            MappingError: This entry cannot be mapped; others can.
        """
        return self._found.person(source_name, raw, now)


def make_readable(
    name: str,
    kind: str,
    options: Mapping[str, Any],
    own_rules: Mapping[str, Any],
    *beside: Mapping[str, Any],
) -> Readable:
    """Make a source of a type that is read.

    Args:
        name: What the configuration calls it.
        kind: ldap or ldif.
        options: What the connector is told.
        own_rules: What stands before the preset's rules.
        beside: Own rules of other mappings, whose attributes are read as well.

    Raises:
        ConfigurationError: The type or an option is unknown, or a rule does not compile.
    """
    makers: Mapping[str, Callable[..., Readable]] = {"ldap": _ldap, "ldif": _ldif}
    if kind not in makers:
        raise ConfigurationError(f"sources.{name}.type: {kind} is not read by Usher")
    return makers[kind](name, options, (own_rules, *beside))


def make_mailer(mode: str, smtp_url: str) -> Mailer:
    """Make the way letters leave, by mail.mode.

    Raises:
        ConfigurationError: The relay's address is none.
    """
    if mode == "smtp":
        return SmtpMailer(SmtpSettings.from_url(smtp_url))
    return OutboxOnlyMailer()


def make_webhook(name: str, url: str, secret: str, ca_file: Path | None) -> Webhook:
    """Make the way to a program that is told what administrators are told.

    Raises:
        ConfigurationError: The address or the secret can never work.
    """
    return HttpWebhook(WebhookSettings.read(name, url, secret, ca_file))


def _ldap(name: str, options: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> Readable:
    settings = LdapSettings.from_options(name, options)
    presets = NAMES if settings.preset == "auto" else (settings.preset,)
    compiled = [_compiled(load_preset(preset), own) for own in rules for preset in presets]
    attributes = frozenset(each for mapping in compiled for each in mapping.attributes)
    directory = LdapDirectory(name, settings, attributes, _names(compiled))
    if settings.preset == "auto":
        return Readable(directory, DetectedMapping(directory, rules[0]))
    return Readable(directory, compiled[0])


def _ldif(name: str, options: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> Readable:
    settings = LdifSettings.from_options(name, options)
    compiled = [_compiled(load_preset(settings.preset), own) for own in rules]
    attributes = frozenset(each for mapping in compiled for each in mapping.attributes)
    if any(asked.lower() == "group_names" for asked in attributes):
        raise ConfigurationError(
            f"sources.{name}.mapping: an export does not tell group_names; read the directory "
            "itself, or map an attribute that is in the file, like memberOf"
        )
    return Readable(LdifDirectory(name, settings, attributes, _names(compiled)), compiled[0])


def _compiled(preset: LdapPreset, own: Mapping[str, Any]) -> CompiledMapping:
    return compile_mapping(merge_rules(preset.mapping, own), CelCompiler())


def _names(mappings: Iterable[CompiledMapping]) -> frozenset[str]:
    """Return the attributes by which people are called."""
    fields = ("user_name", "mail", "aliases", "employee_number")
    return frozenset(name for mapping in mappings for name in mapping.attributes_of(*fields))
