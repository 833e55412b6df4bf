"""From what a directory wrote to a person: rules compiled once, applied to every entry.

A rule names the attribute a field is read from, or gives an expression:

    [mapping]
    mail = "mail"
    active = { expr = 'first("employeeType") != "former"' }

Names of attributes are equal in any case. `dn` is the place of the entry.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from provisioning.domain.addresses import address_key, usable_mail
from provisioning.domain.errors import ConfigurationError, ExpressionError, MappingError
from provisioning.domain.moments import parse_moment
from provisioning.domain.people import PERSON_FIELDS, DirectoryId, Person, RawPerson

MAX_TEXT = 1_000
"""Characters of one value; more is a mistake in the directory, not a name."""

_MEANING = 1
"""Raise it when the same rules begin to mean something else: everybody is then mapped again."""

_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SMTP = re.compile("^smtp:", re.IGNORECASE)
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TEXT_FIELDS = (
    "given_name",
    "family_name",
    "employee_number",
    "external_id",
    "department",
    "title",
    "phone",
    "manager",
    "language",
)


class CompiledExpression(Protocol):
    """An expression that was checked when it was saved."""

    @property
    def attributes(self) -> frozenset[str]:
        """The names of the attributes it reads, as it spells them."""
        ...

    def evaluate(self, attributes: Mapping[str, Sequence[str]]) -> Any:
        """Return a str, bool, list of str or None for one entry's attributes.

        Raises:
            ExpressionError: This entry's values do not fit.
        """
        ...


class ExpressionCompiler(Protocol):
    """The language of mapping expressions."""

    def compile(self, expression: str) -> CompiledExpression:
        """Check an expression and make it ready.

        Raises:
            ExpressionError: It does not compile; the text names the position.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Rule:
    """Where one field comes from: an attribute, or an expression."""

    label: str
    """What a complaint names: the attribute, or the field if it has an expression."""

    attribute: str = ""
    expression: CompiledExpression | None = None

    @property
    def attributes(self) -> frozenset[str]:
        return self.expression.attributes if self.expression else frozenset({self.attribute})

    def read(self, entry: Mapping[str, Sequence[str]]) -> Sequence[str] | bool:
        """Return the values, or the truth if that is what the expression gives."""
        if self.expression is None:
            return entry.get(self.attribute.lower(), ())
        try:
            value = self.expression.evaluate(entry)
        except ExpressionError as error:
            raise MappingError(self.label, str(error)) from error
        if isinstance(value, str):
            return (value,)
        return () if value is None else value


class PersonMapping(Protocol):
    """How a source's entries become people."""

    @property
    def version(self) -> str:
        """A digest of the rules: another version makes every entry be looked at again."""
        ...

    def person(self, source_name: str, raw: RawPerson, now: datetime) -> Person:
        """Return the person an entry describes.

        Raises:
            MappingError: This entry cannot be mapped; others can.
        """
        ...


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """Rules ready to be applied; equal rules have an equal `version`."""

    version: str
    attributes: tuple[str, ...]
    """What has to be asked of the directory, sorted; `dn` needs no asking."""

    _rules: Mapping[str, _Rule]

    def person(self, source_name: str, raw: RawPerson, now: datetime) -> Person:
        """Return the person an entry describes, as of now.

        Raises:
            MappingError: The entry is unreadable, or a value does not fit its field.
        """
        if raw.problem is not None:
            raise MappingError("entry", raw.problem)
        entry = {name.lower(): values for name, values in raw.attributes.items()}
        entry["dn"] = (raw.where,)
        mails = self._mails("mail", entry)
        mail = mails[0] if mails else None
        user_name = self._text("user_name", entry) or mail
        if user_name is None:
            raise MappingError(self._label("user_name"), "is empty, and there is no usable mail")
        texts = {field: self._text(field, entry) for field in _TEXT_FIELDS}
        active_until = self._moment("active_until", entry, end_of_day=True)
        active, reason = self._activity(source_name, entry, active_until, now)
        return Person(
            id=DirectoryId(source_name, raw.anchor),
            user_name=user_name,
            mail=mail,
            display_name=self._display_name(entry, texts) or user_name,
            active=active,
            inactive_reason=reason,
            active_until=active_until,
            starts_at=self._moment("starts_at", entry),
            mailbox=next(iter(self._mails("mailbox", entry)), None),
            aliases=_others([*mails, *self._mails("aliases", entry)], mail),
            where=self._text("where", entry) or raw.where,
            **texts,
        )

    def _label(self, field: str) -> str:
        return self._rules[field].label if field in self._rules else field

    def _texts(self, field: str, entry: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        """Return the values of a field that say something, each in its normal form."""
        rule = self._rules.get(field)
        if rule is None:
            return ()
        values = rule.read(entry)
        if isinstance(values, bool):
            raise MappingError(rule.label, f"gives {str(values).lower()}, and text is needed")
        return _said(rule.label, values)

    def _text(self, field: str, entry: Mapping[str, Sequence[str]]) -> str | None:
        return next(iter(self._texts(field, entry)), None)

    def _mails(self, field: str, entry: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        texts = (_SMTP.sub("", text) for text in self._texts(field, entry))
        return tuple(mail for text in texts if (mail := usable_mail(text)))

    def _moment(
        self, field: str, entry: Mapping[str, Sequence[str]], *, end_of_day: bool = False
    ) -> datetime | None:
        text = self._text(field, entry)
        try:
            return parse_moment(text, end_of_day=end_of_day) if text else None
        except ValueError as error:
            raise MappingError(self._label(field), str(error)) from error

    def _activity(
        self,
        source_name: str,
        entry: Mapping[str, Sequence[str]],
        active_until: datetime | None,
        now: datetime,
    ) -> tuple[bool, str]:
        """Return whether the source vouches for the person now, and if not, why."""
        if not self._truth("active", entry):
            reason = self._text("inactive_reason", entry)
            return False, reason or f"disabled in {source_name}"
        if active_until is not None and active_until <= now:
            return False, f"expired on {active_until.date().isoformat()} in {source_name}"
        return True, ""

    def _truth(self, field: str, entry: Mapping[str, Sequence[str]]) -> bool:
        """Return a truth that holds as long as nothing is said against it."""
        rule = self._rules.get(field)
        values = rule.read(entry) if rule else True
        if rule is None or isinstance(values, bool):
            return bool(values)
        text = next(iter(_said(rule.label, values)), "true")
        if text.lower() not in _TRUTH:
            raise MappingError(rule.label, f"{text!r} is neither true nor false")
        return _TRUTH[text.lower()]

    def _display_name(
        self, entry: Mapping[str, Sequence[str]], texts: Mapping[str, str | None]
    ) -> str | None:
        parts = (texts["given_name"], texts["family_name"])
        written = self._text("display_name", entry) or " ".join(part for part in parts if part)
        return written or next((_normal("cn", name) for name in entry.get("cn", ())), None)


def compile_mapping(rules: Mapping[str, Any], compiler: ExpressionCompiler) -> CompiledMapping:
    """Check rules and make them ready.

    Raises:
        ConfigurationError: A field does not exist, or a rule is none or does not compile.
    """
    compiled = {field: _rule(field, rule, compiler) for field, rule in rules.items()}
    read = {"cn": "cn"}
    for rule in compiled.values():
        read |= {name.lower(): name for name in sorted(rule.attributes)}
    read.pop("dn", None)
    canonical = json.dumps([_MEANING, rules], sort_keys=True, ensure_ascii=False)
    version = hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()
    return CompiledMapping(version, tuple(sorted(read.values())), compiled)


def merge_rules(preset: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the preset's rules with an administrator's own instead; "" takes a rule away.

    >>> merge_rules({"mail": "mail", "title": "title"}, {"mail": "email", "title": ""})
    {'mail': 'email'}
    """
    return {field: rule for field, rule in {**preset, **own}.items() if rule != ""}


def _rule(field: str, rule: Any, compiler: ExpressionCompiler) -> _Rule:
    if field not in PERSON_FIELDS:
        near = difflib.get_close_matches(field, PERSON_FIELDS, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise ConfigurationError(f'mapping: a person has no field "{field}"{hint}')
    match rule:
        case str() if rule.strip():
            return _Rule(rule.strip(), attribute=rule.strip())
        case {"expr": str(expression), **others} if not others:
            try:
                return _Rule(field, expression=compiler.compile(expression))
            except ExpressionError as error:
                raise ConfigurationError(f"mapping.{field}: {error}") from error
    raise ConfigurationError(
        f"mapping.{field}: write the name of an attribute, or {{ expr = '...' }}"
    )


def _said(label: str, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(text for value in values if (text := _normal(label, value)))


def _normal(label: str, value: str) -> str:
    """Return a value in NFC, without control characters and needless blanks."""
    if not value.isprintable():
        if _SURROGATES.search(value):
            raise MappingError(label, "is not valid text")
        value = _BLANKS.sub(" ", value)
    value = unicodedata.normalize("NFC", value).strip()
    if len(value) > MAX_TEXT:
        raise MappingError(label, f"{len(value)} characters are too many, {MAX_TEXT} fit")
    return value


def _others(addresses: Sequence[str], mail: str | None) -> tuple[str, ...]:
    """Return each further address once, sorted: directories do not promise an order."""
    by_key = {address_key(address): address for address in addresses}
    if mail is not None:
        by_key.pop(address_key(mail), None)
    return tuple(by_key[key] for key in sorted(by_key))
