"""From what a directory wrote to a person: rules compiled once, applied to every entry.

A rule names the attribute a field is read from, or gives an expression:

    [mapping]
    mail = "mail"
    active = { expr = 'first("employeeType") != "former"' }

Names of attributes are equal in any case. `dn` is the place of the entry; `ou_path` and
`group_names` are told by the connector.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from provisioning.domain.addresses import usable_mail, without_smtp
from provisioning.domain.departments import department_of
from provisioning.domain.errors import MappingError
from provisioning.domain.moments import parse_moment
from provisioning.domain.people import PERSON_FIELDS, DirectoryId, Person, RawPerson
from provisioning.domain.rules import ExpressionCompiler, Rule, compile_rule
from provisioning.domain.values import normal, others, texts_of

_MEANING = 2
"""Raise it when the same rules begin to mean something else: everybody is then mapped again."""

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
_MAIL_FIELDS = frozenset({"mail", "mailbox", "aliases"})
_MOMENTS = frozenset({"active_until", "starts_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTrace:
    """One field of one person: what was read by which rule, and what came of it (R9)."""

    field: str
    rule: str = ""
    """The name of an attribute, or an expression; empty: it is made of other fields."""

    is_expression: bool = False
    raw: Mapping[str, tuple[str, ...]]
    """The values of every attribute the rule reads."""

    value: Any = None
    """As JSON has it; None: the person has none."""

    refused: str = ""
    """What could not be used, and why."""


class PersonMapping(Protocol):
    """How a source's entries become people."""

    @property
    def version(self) -> str:
        """A digest of the rules: another version makes every entry be looked at again."""
        ...

    @property
    def rules(self) -> Mapping[str, Any]:
        """The rule of every field that has one, as it is written."""
        ...

    def explain(self, source_name: str, raw: RawPerson, now: datetime) -> tuple[FieldTrace, ...]:
        """Return every field that has a rule or a value, and how it came about (R9)."""
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

    rules: Mapping[str, Any]
    """As they are written."""

    _rules: Mapping[str, Rule]

    def attributes_of(self, *fields: str) -> frozenset[str]:
        """Return the names of the attributes some fields are read from."""
        rules = (self._rules[field] for field in fields if field in self._rules)
        return frozenset(name for rule in rules for name in rule.attributes)

    def explain(self, source_name: str, raw: RawPerson, now: datetime) -> tuple[FieldTrace, ...]:
        """Return every field that has a rule or a value, and how it came about (R9)."""
        try:
            said = self.person(source_name, raw, now).to_json()
        except MappingError:
            said = None
        entry = _entry(raw)
        named = (field for field in PERSON_FIELDS if field in self._rules or field in (said or ()))
        return tuple(self._trace(field, entry, said) for field in named)

    def _trace(
        self, field: str, entry: Mapping[str, Sequence[str]], said: Mapping[str, Any] | None
    ) -> FieldTrace:
        rule = self._rules.get(field)
        if rule is None:
            return FieldTrace(field=field, raw={}, value=(said or {}).get(field))
        value, refused = None, ""
        try:
            value = self._read(field, entry)
            refused = self._unusable(field, entry)
        except MappingError as error:
            refused = error.problem
        raw = {name: tuple(entry.get(name.lower(), ())) for name in sorted(rule.attributes)}
        return FieldTrace(
            field=field,
            rule=rule.written,
            is_expression=rule.expression is not None,
            raw=raw,
            value=value if said is None else said.get(field),
            refused=refused,
        )

    def _read(self, field: str, entry: Mapping[str, Sequence[str]]) -> Any:
        """Return what a field is by its own rule alone, as JSON has it."""
        if field == "active":
            return self._truth(field, entry)
        if field == "aliases":
            return list(self._mails(field, entry)) or None
        if field in _MAIL_FIELDS:
            return next(iter(self._mails(field, entry)), None)
        if field in _MOMENTS:
            moment = self._moment(field, entry)
            return moment.isoformat() if moment else None
        return self._text(field, entry)

    def _unusable(self, field: str, entry: Mapping[str, Sequence[str]]) -> str:
        """Return which values of a field are no mail addresses, if they have to be."""
        if field not in _MAIL_FIELDS:
            return ""
        texts = self._texts(field, entry)
        wrong = [text for text in texts if not usable_mail(without_smtp(text))]
        return f"no usable address: {', '.join(wrong)}" if wrong else ""

    def person(self, source_name: str, raw: RawPerson, now: datetime) -> Person:
        """Return the person an entry describes, as of now.

        Raises:
            MappingError: The entry is unreadable, or a value does not fit its field.
        """
        if raw.problem is not None:
            raise MappingError("entry", raw.problem)
        entry = _entry(raw)
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
            aliases=others([*mails, *self._mails("aliases", entry)], mail),
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
        return texts_of(rule.label, values)

    def _text(self, field: str, entry: Mapping[str, Sequence[str]]) -> str | None:
        texts = self._texts(field, entry)
        if field == "department" and len(texts) > 1 and self._rules[field].is_ordered:
            return department_of(texts)
        return next(iter(texts), None)

    def _mails(self, field: str, entry: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        texts = map(without_smtp, self._texts(field, entry))
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
        text = next(iter(texts_of(rule.label, values)), "true")
        if text.lower() not in _TRUTH:
            raise MappingError(rule.label, f"{text!r} is neither true nor false")
        return _TRUTH[text.lower()]

    def _display_name(
        self, entry: Mapping[str, Sequence[str]], texts: Mapping[str, str | None]
    ) -> str | None:
        parts = (texts["given_name"], texts["family_name"])
        written = self._text("display_name", entry) or " ".join(part for part in parts if part)
        return written or next((normal("cn", name) for name in entry.get("cn", ())), None)


def compile_mapping(rules: Mapping[str, Any], compiler: ExpressionCompiler) -> CompiledMapping:
    """Check rules and make them ready.

    Raises:
        RuleError: A field does not exist, or a rule is none or does not compile.
    """
    compiled = {field: compile_rule(field, rule, compiler) for field, rule in rules.items()}
    read = {"cn": "cn"}
    for rule in compiled.values():
        read |= {name.lower(): name for name in sorted(rule.attributes)}
    read.pop("dn", None)
    canonical = json.dumps([_MEANING, rules], sort_keys=True, ensure_ascii=False)
    version = hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()
    return CompiledMapping(version, tuple(sorted(read.values())), dict(rules), compiled)


def _entry(raw: RawPerson) -> dict[str, Sequence[str]]:
    """Return an entry's values by lower-case name, its place among them."""
    entry: dict[str, Sequence[str]] = {k.lower(): values for k, values in raw.attributes.items()}
    return entry | {"dn": (raw.where,)}
